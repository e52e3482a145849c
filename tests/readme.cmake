# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# A page shows files to the letter, so that what a reader copies is what was tested.
#
#   cmake -DPAGE=file -DFILES=file;... [-DPART_OF=file] -P readme.cmake
#
# PART_OF: the page's first block of C is a part of this file.

file(READ ${PAGE} page)
foreach(file ${FILES})
  file(READ ${file} text)
  string(FIND "${page}" "\n${text}```" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${PAGE} does not show ${file}")
  endif()
endforeach()
if(PART_OF)
  file(READ ${PART_OF} text)
  string(REGEX MATCH "\n```c\n([^`]*)```" block "${page}")
  string(FIND "${text}" "${CMAKE_MATCH_1}" at)
  if(NOT block OR at EQUAL -1)
    message(FATAL_ERROR "${PAGE} shows something else than ${PART_OF}")
  endif()
endif()
message("readme: ${PAGE} shows ${FILES}")
