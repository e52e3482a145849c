#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Spin checks the states of buffers in all interleavings of a driver, a shrinker and an
# unplug: see tests/spin/buffer.pml. The library itself prints the tables for the model,
# and the model must use every entry of them. And it must find six planted faults.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

work=$root/build/spin
mkdir -p "$work"
cd "$work"
cp "$root/tests/spin/buffer.pml" .
"$root/build/dev/tests/states" >tables.md
awk -f "$root/tests/spin/table.awk" tables.md >table.pml
awk -v edges=1 -f "$root/tests/spin/table.awk" tables.md | sort -u >wanted

# explore [-DBUG_NAME]: all states, or up to the first error; pan's output is in pan.out.
explore()
{
	rm -f buffer.pml.trail
	spin "$@" -a buffer.pml
	gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c
	./pan -m1000000 -w24 >pan.out
}

# The whole model was explored, and nothing was wrong.
held()
{
	grep -q 'errors: 0$' pan.out && ! grep -q 'Search not completed' pan.out &&
		! grep -q 'max search depth too small' pan.out
}

explore
tail -n 40 pan.out
held
grep -E '^(edge|verb) ' pan.out | sort -u >seen
diff wanted seen
states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.out)
echo "found: $states states, 0 errors, $(wc -l <seen) of $(wc -l <wanted)" \
	"entries of the tables seen"

faults=0
for bug in LOCK FREE DROP BOUND UNPLUG ANON; do
	explore "-DBUG_$bug"
	grep -q 'assertion violated' pan.out
	faults=$((faults + 1))
done
echo "found: $faults planted faults of 6"
