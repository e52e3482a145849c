#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Every branch of lib/ is taken by a test. Random tests are left out.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build coverage
in_root ctest --preset coverage -j "$jobs" -L unit
# If two threads count the same branch, an update may be lost, and the count can be
# negative ("taken -5"): such a line is left out.
finding '^branches: *\(.*\)$' \
	in_root gcovr --root . --filter lib/ --branches --print-summary \
	--gcov-ignore-parse-errors --fail-under-branch 95 build/coverage
