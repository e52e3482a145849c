#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Each promise in a public header and in docs/design.md has a row in docs/promises.md,
# with the tests that fail if it is broken. First the tool must find a fault in each of
# several broken trees.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

tests=$root/build/promises-tests.txt

python3 "$root/tools/check/promises_test.py"
"$root/dev" test --list >"$tests"
finding '^promises: \(.*\)$' \
	python3 "$root/tools/check/promises.py" "$root" "$tests"
