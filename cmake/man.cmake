# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ttmpool_man(PROGRAM): PROGRAM.1 is made of what PROGRAM prints for --help, and of
# PROGRAM.h2m beside it, which has what a page of help has no room for. Without help2man
# there is no man page.
find_program(HELP2MAN help2man)

function(ttmpool_man program)
  if(NOT HELP2MAN OR CMAKE_CROSSCOMPILING)
    return()
  endif()
  set(page ${CMAKE_CURRENT_BINARY_DIR}/${program}.1)
  add_custom_command(OUTPUT ${page} VERBATIM
    COMMAND ${HELP2MAN} --no-info --include ${CMAKE_CURRENT_SOURCE_DIR}/${program}.h2m
      --output ${page} $<TARGET_FILE:${program}>
    DEPENDS ${program} ${program}.h2m)
  add_custom_target(${program}-man ALL DEPENDS ${page})
  if(TTMPOOL_INSTALL)
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  endif()
endfunction()
