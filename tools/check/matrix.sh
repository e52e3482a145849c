#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Each fallible call of each operation fails at every n, once and for good, at once and
# half way through its batch; and for a small buffer all pairs of calls fail.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

for suite in sweep sweep_move; do
	finding '^sweep: \([0-9]* points tried\)$' \
		"$root/build/dev/tests/test_$suite"
done
finding '^matrix: \([0-9]* of .*\)$' "$root/build/dev/tests/matrix"
