# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The tables of docs/states.md are what the code does.
#
#   cmake -DPROGRAM=states -DDOCUMENT=states.md -P states.cmake

execute_process(COMMAND ${PROGRAM} OUTPUT_VARIABLE tables
                COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n\n" ";" tables "${tables}")
list(LENGTH tables n)
if(NOT n EQUAL 2)
  message(FATAL_ERROR "states: two tables were expected")
endif()
file(READ ${DOCUMENT} text)
foreach(table ${tables})
  string(FIND "${text}" "${table}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "states: ${DOCUMENT} does not have\n${table}")
  endif()
endforeach()
