# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The README shows the example that is compiled, to the letter.

file(READ ${README} readme)
file(READ ${EXAMPLE} example)
string(FIND "${readme}" "```c\n${example}```" at)
if(at EQUAL -1)
  message(FATAL_ERROR "readme: README.md does not show ${EXAMPLE}")
endif()
message("readme: README.md shows the example that is compiled")
