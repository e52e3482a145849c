#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The checks by tools: one step after the other, each a script beside this one and a line
# in steps.txt. A step passes if its script exits with 0. Its output is in
# build/check-NAME.log; lines that begin with "found: " are shown, too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

listed()
{
	sed '/^#/d; /^$/d' "$here/steps.txt"
}

usage()
{
	cat <<END
usage: ./dev check [quick|STEP...]

Without arguments, all steps; "quick", those that every change must pass.

$(listed | awk '{ printf "  %-12s %s\n", $1, $2 }')
END
}

# chosen [quick|STEP...]: the names of the requested steps.
chosen()
{
	case $*/$# in
	/0) listed | awk '{ print $1 }' ;;
	quick/1) listed | awk '$2 == "quick" { print $1 }' ;;
	*)
		for name in "$@"; do
			listed | awk -v name="$name" '
				$1 == name { print $1; n++ }
				END { exit !n }' || return 1
		done
		;;
	esac
}

packages_of()
{
	listed | awk -v name="$1" '$1 == name {
		for (i = 3; i <= NF; i++)
			print $i }'
}

# Run one step on the tree.
run_step()
{
	log=$root/build/check-$1.log
	# shellcheck disable=SC2046 # a list of words
	if need $(packages_of "$1") && quietly "$log" "$here/$1.sh"; then
		sed -n "s/^found: /$1: /p" "$log"
	else
		echo "$1: FAILED, see build/check-$1.log"
		return 1
	fi
}

case ${1-} in
help | --help | -h)
	usage
	exit 0
	;;
esac
if ! steps=$(chosen "$@"); then
	usage >&2
	fail "check: no such step among: $*"
fi
need_test || fail "check: FAILED: packages are missing"
build dev || fail "check: FAILED: could not be built"
total=$(echo "$steps" | wc -l)
passed=0
number=0
for step in $steps; do
	number=$((number + 1))
	say "check $number/$total: $step"
	! run_step "$step" || passed=$((passed + 1))
done
echo "check: $passed passed, $((total - passed)) failed"
[ "$passed" -eq "$total" ]
