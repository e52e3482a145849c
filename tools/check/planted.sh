#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Faults of the past are planted again, one at a time, in a copy of the tree: the tests
# that tests/planted/table.txt names for a patch of tests/planted must find it. The step
# fails if a patch does not apply, does not compile, or is not found. PLANTED=row12 tries
# only the patches whose names begin so. A fault that makes a test wait for ever is found
# after PLANTED_SECONDS.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

here=$root/tests/planted
work=$root/build/planted
tree=$work/tree
seconds=${PLANTED_SECONDS-180}

# The tree as it is now; unchanged files are not compiled again.
copy_tree()
{
	mkdir -p "$tree"
	rm -rf "$work/new"
	mkdir "$work/new"
	(cd "$root" && tar -cf - --exclude=./build --exclude=.git .) |
		tar -xf - -C "$work/new"
	(cd "$tree" && find . -type f) | while read -r file; do
		[ -f "$work/new/$file" ] || continue
		if cmp -s "$tree/$file" "$work/new/$file"; then
			touch -r "$tree/$file" "$work/new/$file"
		else
			touch "$work/new/$file"
		fi
	done
	rm -rf "$tree"
	mv "$work/new" "$tree"
}

compile()
{
	quietly "$work/build.log" cmake --build "$work/build" -j "$jobs" \
		--target "$1"
}

# The random model, several rounds, each with another seed. Which round finds a fault
# changes with the library's calls to the machine, so the table does not name it.
model_holds()
{
	seed=1
	while [ "$seed" -le "$1" ]; do
		run "$work/build/tests/model/test_model" --steps 10000 \
			--seed "$seed" || return 1
		seed=$((seed + 1))
	done
}

# holds PROGRAM TEST: for the schedule explorer, a test is a scenario, in all its orders.
holds()
{
	case $1 in
	schedules) run "$work/build/tests/schedules/schedules" all "$2" ;;
	test_model) model_holds "$2" ;;
	*) run "$work/build/tests/$1" ;;
	esac
}

run()
{
	timeout "$((seconds * ${TTMPOOL_TIMEOUT_SCALE:-1}))" "$@" >"$work/said.txt" 2>&1
}

# is_found PROGRAM TEST: the test failed, or the program ended in it.
is_found()
{
	if holds "$1" "$2"; then
		return 1
	fi
	case $1 in
	schedules | test_model) return 0 ;;
	esac
	grep -q "^\[  FAILED  \] $2\$" "$work/said.txt" ||
		[ "$(sed -n 's/^\[ RUN      \] //p' "$work/said.txt" |
			tail -n 1)" = "$2" ]
}

# Try the patch $1, which the test $3 of the program $2 must find.
try()
{
	patch -s -p1 -d "$tree" <"$here/$1.patch" >"$work/patch.log" 2>&1 || {
		echo "$1: does not apply any more"
		copy_tree
		return 1
	}
	verdict="$1: does not compile"
	if compile "$2"; then
		verdict="$1: NOT FOUND by $3"
		! is_found "$2" "$3" || verdict="$1: found by $3"
	fi
	patch -s -R -p1 -d "$tree" <"$here/$1.patch"
	echo "$verdict"
	case $verdict in
	*": found by "*) ;;
	*) return 1 ;;
	esac
}

listed()
{
	sed '/^#/d; /^$/d' "$here/table.txt" | grep "^${PLANTED-}"
}

copy_tree
quietly "$work/configure.log" cmake -S "$tree" -B "$work/build" \
	-DCMAKE_BUILD_TYPE=RelWithDebInfo -DTTMPOOL_CHECK=2 ||
	fail "planted: could not be configured"
for patch in "$here"/*.patch; do
	name=$(basename "$patch" .patch)
	grep -q "^$name " "$here/table.txt" ||
		fail "planted: $name is not in the table"
done
# Without a fault all of these tests pass.
listed | sort -u -k2,2 >"$work/programs.txt"
while read -r name program test; do
	compile "$program" || fail "planted: $program does not compile"
	holds "$program" "$test" ||
		fail "planted: $program fails without a fault"
done <"$work/programs.txt"
listed >"$work/rows.txt"
tried=0 found=0
while read -r name program test; do
	tried=$((tried + 1))
	! try "$name" "$program" "$test" || found=$((found + 1))
done <"$work/rows.txt"
echo "found: $found of $tried times that one was planted"
[ "$found" -eq "$tried" ]
