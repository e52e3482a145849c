#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The suites under MemorySanitizer: nothing depends on memory that was never written, nor
# on the contents of a page that was given back. All suites that need no cmocka run; the
# others run under memcheck, which checks the same.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build msan
in_root ctest --preset msan -j "$jobs"
