#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The suites under MemorySanitizer: nothing depends on what was never written, nor
# on what is left in a page that was given back. All that needs no cmocka runs; what
# does is under memcheck, which asks the same question.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build msan
in_root ctest --preset msan -j "$jobs"
