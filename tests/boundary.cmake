# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The boundary holds: lib/ knows no operating system.
#
#   cmake -DSOURCE=dir -DOBJECTS=a.o;b.o -DCC=cc -DBINARY=dir -P boundary.cmake
#
# - no file of lib/ includes anything but the public headers and its own, has a
#   conditional, or names something of a kernel's
# - its objects ask for tpos_*, mem* and each other's symbols alone
# - it compiles against a port to nothing, without any system header

set(failures 0)

function(complain text)
  message("boundary: ${text}")
  math(EXPR n "${failures} + 1")
  set(failures ${n} PARENT_SCOPE)
endfunction()

file(GLOB lib_files ${SOURCE}/lib/*/*.c ${SOURCE}/lib/*/*.h)
set(total 0)
foreach(file ${lib_files})
  file(STRINGS ${file} text)
  file(READ ${file} raw)
  string(REGEX MATCHALL "\n" newlines "${raw}")
  list(LENGTH newlines lines)
  math(EXPR total "${total} + ${lines}")
  foreach(line ${text})
    foreach(pattern
        "^[ \t]*#[ \t]*(if|ifdef|ifndef|elif|else)"
        "#[ \t]*include[ \t]*<[^t]"
        "__KERNEL__|CONFIG_|EXPORT_SYMBOL|GFP_|printk|pr_err|kmalloc|malloc\\("
        "struct (page|device|list_head|shrinker)[ ;*]")
      if(line MATCHES "${pattern}" AND NOT line MATCHES "^ \\*")
        complain("${file}: ${line}")
      endif()
    endforeach()
  endforeach()
endforeach()

# What the objects define, and what they ask for.
execute_process(COMMAND nm -g --defined-only ${OBJECTS} OUTPUT_VARIABLE defined
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND nm -u ${OBJECTS} OUTPUT_VARIABLE undefined
                COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "U [A-Za-z_0-9]+" wanted "${undefined}")
list(REMOVE_DUPLICATES wanted)
set(outside "")
foreach(symbol ${wanted})
  string(SUBSTRING ${symbol} 2 -1 symbol)
  if(defined MATCHES "[ \t][A-Z] ${symbol}\n")
    continue()
  endif()
  list(APPEND outside ${symbol})
  if(NOT symbol MATCHES "^(tpos_|tpsim_lock_|tpsim_assert_failed$|mem[a-z]+$|_GLOBAL_OFFSET_TABLE_$)")
    complain("lib/ asks for ${symbol}")
  endif()
endforeach()
list(SORT outside)
list(JOIN outside " " outside)

# The third port.
foreach(file ${lib_files})
  if(NOT file MATCHES "\\.c$")
    continue()
  endif()
  execute_process(
    COMMAND ${CC} -std=c11 -ffreestanding -nostdinc -O1 -Wall -Wextra -Wpedantic
            -Werror -I${SOURCE}/include -I${SOURCE}/tests/freestanding
            -c ${file} -o ${BINARY}/freestanding.o
    RESULT_VARIABLE result ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    complain("${file} does not compile freestanding:\n${errors}")
  endif()
endforeach()

if(failures GREATER 0)
  message(FATAL_ERROR "boundary: ${failures} failed")
endif()
message("boundary: ${total} lines in lib/; outside it needs: ${outside}")
