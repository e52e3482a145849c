# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# examples/first-leak-test is built against an installed ttmpool, and shows what
# docs/testing.md says that it shows.
#
#   cmake -DSOURCE=dir -DBUILD=dir -DPREFIX=dir -DCC=cc -DVALGRIND=valgrind
#     -P example.cmake

set(example ${SOURCE}/examples/first-leak-test)

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

# Run a program; it has to end with a failure, and to print all these.
function(run_failing program)
  execute_process(COMMAND ${program} RESULT_VARIABLE result
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result EQUAL 0)
    message(FATAL_ERROR "${program} did not fail:\n${output}")
  endif()
  foreach(pattern ${ARGN})
    if(NOT output MATCHES "${pattern}")
      message(FATAL_ERROR "${program} does not print ${pattern}:\n${output}")
    endif()
  endforeach()
endfunction()

# The page shows these files to the letter.
file(READ ${SOURCE}/docs/testing.md page)
foreach(file test_driver.c driver.c driver.h CMakeLists.txt)
  file(READ ${example}/${file} text)
  string(FIND "${page}" "${text}```" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "docs/testing.md does not show ${example}/${file}")
  endif()
endforeach()

# The line that takes what leaks.
file(READ ${example}/driver.c text)
string(FIND "${text}" "return ttmpool_pool_take(" at)
string(SUBSTRING "${text}" 0 ${at} before)
string(REGEX MATCHALL "\n" newlines "${before}")
list(LENGTH newlines line)
math(EXPR line "${line} + 1")

file(REMOVE_RECURSE ${PREFIX})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX})
run(${CMAKE_COMMAND} -S ${example} -B ${PREFIX}/example
  -DCMAKE_C_COMPILER=${CC} -DCMAKE_PREFIX_PATH=${PREFIX})
run(${CMAKE_COMMAND} --build ${PREFIX}/example)
run(${PREFIX}/example/test_driver)
run_failing(${PREFIX}/example/test_driver_with_bug
  "leak: 256 KiB .order 6, write-combined. of pool test-pool, owner test, taken at [^\n]*driver.c:${line}\n"
  "ERROR[^\n]*copying_leaks_nothing"
  "OK[^\n]*drawing_leaks_nothing"
  "sweep: leaked without a failure"
  "FAILED[^\n]*copying_survives_every_failing_call")

if(VALGRIND)
  run(${VALGRIND} --quiet --error-exitcode=99 --leak-check=full
    ${PREFIX}/example/test_driver)
  execute_process(
    COMMAND ${VALGRIND} --leak-check=full ${PREFIX}/example/test_driver_with_bug
    OUTPUT_QUIET ERROR_VARIABLE output)
  if(NOT output MATCHES "definitely lost.*\\(driver\\.c:${line}\\)")
    message(FATAL_ERROR "Valgrind does not name driver.c:${line}:\n${output}")
  endif()
endif()
message("first-leak-test: built against ${PREFIX}; driver.c:${line} is named")
