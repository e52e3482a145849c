#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Each of the faults of docs/reliability.md has a test whose name begins with its number,
# in userspace and in a kernel, or a reason there why it has none. In the table "tested"
# is a promise, and anything else is a reason; a fault with a reason must have no test.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"


# The lists of the test programs; a source does not prove that a case runs. Some programs
# have no --list, and no such tests.
in_userspace()
{
	find "$root/build/dev/tests" -name 'test_*' -type f -perm -u+x |
		while read -r program; do
			"$program" --list </dev/null 2>/dev/null || continue
		done | sed -n 's/^\(f[0-9][0-9]_.*\)$/\1 userspace/p'
}

# The portable cases, those that run only in a kernel, and the steps of its init.
in_kernel()
{
	cat "$root"/tests/test_*.c "$root"/tests/kernel/*.c |
		sed -n 's/.*CHECK_CASE(\(f[0-9][0-9]_[a-z0-9_]*\)).*/\1 kernel/p'
	sed -n 's/.*\(step\|sweep\) \(f[0-9][0-9]_[a-z0-9_]*\) .*/\2 kernel/p' \
		"$root"/tools/kernel/init*.sh
}

{
	in_userspace
	in_kernel
} | sort -u >"$root/build/catalogue.txt"

finding '^catalogue: \(.*\)$' awk -F '|' \
	-f "$root/tools/check/catalogue.awk" \
	"$root/build/catalogue.txt" "$root/docs/reliability.md"
