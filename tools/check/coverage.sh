#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Which branches of lib/ no test takes: none. What is random is left out.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build coverage
in_root ctest --preset coverage -j "$jobs" -L unit
# Two threads that count the same branch may lose an update, and it was "taken -5" times
# then: such a line is left out.
finding '^branches: *\(.*\)$' \
	in_root gcovr --root . --filter lib/ --branches --print-summary \
	--gcov-ignore-parse-errors --fail-under-branch 95 build/coverage
