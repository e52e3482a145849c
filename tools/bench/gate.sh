#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev bench gate: counts must not grow unnoticed.
#
#     instructions-NAME     of tools/bench/native/counted.c, by callgrind
#     looking-NAME          the same with a check of each page for poison, as in a
#                           kernel with CONFIG_MEMORY_FAILURE
#     TRACE-WHAT            of a recorded trace, on the simulated machine
#     T17, T18, growth-NAME of tools/bench/native/steps.c: how long a spinlock is held,
#                           how soon a drain frees its first page, and what grows with
#                           the pages of a pool that are not worked on
#
# All counts are the same each time, on a machine of any speed and under any load; times
# are not, so there is no limit for a time. The limits are the recorded counts in
# limits.txt, plus a few percent, because another compiler may choose other instructions.
#
#   gate.sh             compare
#   gate.sh --record    write limits.txt anew
#   gate.sh --count     print the instructions and steps alone
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/bench
work=$build/gate
limits=${TTMPOOL_LIMITS:-$here/limits.txt}
margin=4

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

prepare()
{
	need gcc libc6-dev make cmake pkg-config valgrind jq ||
		fail "gate: packages are missing"
	rm -rf "$work"
	mkdir -p "$work"
	say "building what is counted"
	quietly "$work/configure.log" cmake -S "$here/native" -B "$build" ||
		fail "gate: could not be configured"
	quietly "$work/build.log" cmake --build "$build" -j "$jobs" \
		--target ttmpool-counted ttmpool-looking ttmpool-steps || fail "gate: could not be built"
}

# count_instructions_of PROGRAM PREFIX: each dump is a file of its own, with its name and
# the count.
count_instructions_of()
{
	quietly "$work/callgrind.log" valgrind --tool=callgrind \
		--collect-atstart=no --callgrind-out-file="$work/$2" \
		"$build/$1" || return 1
	awk -v prefix="$2" '/^desc: Trigger: Client Request: / { name = $NF }
		/^totals: / && name != "" {
			print prefix "-" name, $2
			name = ""
		}' "$work/$2".*
}

count_instructions()
{
	say "counting instructions"
	count_instructions_of ttmpool-counted instructions &&
		count_instructions_of ttmpool-looking looking
}

count_steps()
{
	say "counting steps"
	"$build/ttmpool-steps"
}

count_traces()
{
	say "replaying the traces"
	"$root/dev" replay --caching wc --iommu strict --no-baseline --json \
		"$root"/examples/traces/*.csv >"$work/replay.json" || return 1
	jq -r '(.trace | sub(".*/"; "") | sub("\\.csv$"; "")) as $trace |
		{ tlb_flushes, iotlb_invalidations, dma_maps, caching_batches,
		  bytes_cleared, locks_taken } | to_entries[] |
		"\($trace)-\(.key) \(.value)"' "$work/replay.json"
}

judge()
{
	awk -v margin="$margin" -f "$here/gate.awk" "$1" "$2"
}

# check_judge NAME COUNT: does the gate notice this count if it is too large by the
# smallest amount, and if it is missing?
check_judge()
{
	worse=$(($2 * (100 + margin) / 100 + 1))
	sed "s/^$1 .*/$1 $worse/" "$limits" >"$work/worse.txt"
	sed "/^$1 /d" "$limits" >"$work/fewer.txt"
	for counts in worse fewer; do
		if judge "$limits" "$work/$counts.txt" >"$work/said.txt" ||
			[ "$(grep -c "FAILED: $1 " "$work/said.txt")" != \
				"$(wc -l <"$work/said.txt")" ]; then
			fail "gate: FAILED: it does not see that $1 is $counts"
		fi
	done
}

# The gate itself is tested: each limit is broken once, and it must notice that.
check_judge_all()
{
	checked=0
	while read -r name count; do
		case $name in
		'#'* | '') continue ;;
		esac
		check_judge "$name" "$count"
		checked=$((checked + 1))
	done <"$limits"
}

write_limits()
{
	{
		printf '# SPDX-License-Identifier: GPL-2.0 OR MIT\n#\n'
		printf '# What ./dev bench gate holds the counts against, and'
		printf ' ./dev bench gate --record writes.\n'
		printf '# Compiled by %s.\n' "$(gcc --version | head -n 1)"
		cat "$work/counts.txt"
	} >"$limits"
	echo "gate: $(wc -l <"$work/counts.txt") limits written"
}

case $* in
'' | --record) ;;
--count)
	prepare
	{
		count_instructions && count_steps
	} || fail "gate: FAILED: could not be counted"
	exit
	;;
*) fail "gate: no such option: $*" ;;
esac
prepare
{
	count_instructions && count_steps && count_traces
} >"$work/counts.txt" || fail "gate: FAILED: could not be counted"
if [ "${1-}" = --record ]; then
	write_limits
	exit
fi
check_judge_all
if ! judge "$limits" "$work/counts.txt"; then
	grep '^# Compiled by' "$limits" >&2
	echo "Now it is $(gcc --version | head -n 1)" >&2
	fail "gate: FAILED"
fi
echo "gate: $(wc -l <"$work/counts.txt") counts within their limits;" \
	"$checked limits broken once, and each was seen"
