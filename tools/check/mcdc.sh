#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Every line, every branch, and every condition of lib/ decides something independently
# (MC/DC), in the suites only: the model's random steps, and other tests without a stated
# purpose, are not counted. gcc 12 cannot measure conditions, so clang does.
#
# The counters are atomic (-fprofile-update): clang counts one side of a branch, and
# subtracts it from the whole to find the other; so if threads lost counts, a side that
# was taken once would be reported as never taken.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build=$root/build/mcdc
build mcdc
rm -rf "$build/profiles"
# The programs merge their counts into a few files, because process numbers repeat.
LLVM_PROFILE_FILE=$build/profiles/%4m.profraw
export LLVM_PROFILE_FILE
in_root ctest --preset mcdc -j "$jobs" -L unit -E '/(test_model|states|readme)$'
find "$build/profiles" -name '*.profraw' >"$build/profiles.txt"
llvm-profdata-19 merge --sparse --input-files="$build/profiles.txt" \
	-o "$build/all.profdata"
rm -rf "$build/profiles"

# All programs link the same library; one names the code to be covered, the others add
# their counts.
first=$build/tests/test_state
objects=$(find "$build/tests" -maxdepth 1 -name 'test_*' -type f -perm -u+x |
	sed 's/^/-object /')

# cover COMMAND OPTION...: llvm-cov on all of lib/.
cover()
{
	command=$1
	shift
	# shellcheck disable=SC2086 # a list of words
	llvm-cov-19 "$command" "$first" $objects \
		-instr-profile="$build/all.profdata" "$@" "$root/lib" 2>/dev/null
}

cover report --show-mcdc-summary --show-region-summary=false \
	--show-functions=false >"$build/report.txt"
cat "$build/report.txt"
# The annotated source, for a person who looks for what is not covered.
cover show --show-mcdc --show-branches=count >"$build/source.txt"

# The report counts one line more of an inline function if a program does not call it than
# if one does; so lines are counted one by one.
cover export --format=lcov | awk -F'[:,]' '
	/^DA:/ { lines++; missed += $3 == 0 }
	END { print lines, missed }' >"$build/lines.txt"
read -r lines lines_missed <"$build/lines.txt"

# shellcheck disable=SC2016 # the dollar signs are awk's
finding '^mcdc: \(.*\)$' awk -v lines="$lines" -v lines_missed="$lines_missed" '
	/^TOTAL/ {
		total++
		printf "mcdc: of lib/ %d of %d functions, %d of %d lines, %d of " \
			"%d branches, %d of %d conditions\n",
			$2 - $3, $2, lines - lines_missed, lines, \
			$8 - $9, $8, $11 - $12, $11
		missed = $3 + lines_missed + $9 + $12
	}
	END { exit !total || missed }' "$build/report.txt"
