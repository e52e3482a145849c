#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# names.sh PROGRAMS CONSOLE...: which portable cases pass on the simulated machine and in
# every booted kernel? PROGRAMS is a directory with the suites, built for the machine.
# Prints how many, and before that those that pass on the simulated machine only; exits
# with 1 if there are any.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
programs=$1
shift
names=$programs/portable-names

for suite in "$root"/tests/test_*.c; do
	"$programs/$(basename "$suite" .c)" 2>&1 ||
		echo "names: $(basename "$suite") fails on the simulated machine" >&2
done | sed -n 's/^\[ *OK *\] *//p' >"$names"

awk -v consoles="$#" '
	{ sub(/\r$/, "") }
	FILENAME == ARGV[1] { portable[$1]; next }
	/^    ok [0-9]+ / && !/# SKIP/ { held[$3]++ }
	END {
		for (name in portable) {
			if (held[name] == consoles) {
				n++
			} else {
				print "names: not in every kernel: " name
				bad++
			}
		}
		printf "names: %d portable cases, held in both worlds\n", n
		exit bad || !n
	}' "$names" "$@"
