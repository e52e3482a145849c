# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# A page shows files to the letter, so that what a reader copies is what was tested.
#
#   cmake -DPAGE=file -DFILES=file;... -P readme.cmake

file(READ ${PAGE} page)
foreach(file ${FILES})
  file(READ ${file} text)
  string(FIND "${page}" "\n${text}```" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "${PAGE} does not show ${file}")
  endif()
endforeach()
message("readme: ${PAGE} shows ${FILES}")
