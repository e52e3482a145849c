#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# libFuzzer and AFL++ fuzz the operation stream and the trace reader, for ten minutes in
# all, or for TTMPOOL_FUZZ_SECONDS seconds. Both begin with the corpus of the tests. An
# input that fails stays in build/fuzz-run; fuzz_ops and fuzz_trace of any other build can
# repeat it. And the fuzzers must find a planted fault.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

each=$((${TTMPOOL_FUZZ_SECONDS:-600} / 2))
work=$root/build/fuzz-run
corpus=$root/tests/fuzz/corpus
rm -rf "$work"
mkdir -p "$work/afl"

# The dictionary of a target, if it has one.
words_of()
{
	[ ! -f "$root/tests/fuzz/$1.dict" ] || echo "$root/tests/fuzz/$1.dict"
}

# libfuzzer PROGRAM TARGET SECONDS: fuzz, and print how many inputs were tried.
libfuzzer()
{
	mkdir -p "$work/libfuzzer/$2"
	words=$(words_of "$2")
	"$root/build/fuzz/tests/fuzz/fuzz_$1" -max_len=1025 -timeout=60 \
		-max_total_time="$3" -print_final_stats=1 -seed=1 \
		-artifact_prefix="$work/libfuzzer-$1-" \
		${words:+-dict="$words"} \
		"$work/libfuzzer/$2" "$corpus/$2" >"$work/libfuzzer-$1.log" 2>&1
}

# afl TARGET SECONDS
afl()
{
	words=$(words_of "$1")
	AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 \
		AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 \
		afl-fuzz -V "$2" -i "$corpus/$1" -o "$work/afl/$1" \
		${words:+-x "$words"} -- \
		"$root/build/afl/tests/fuzz/fuzz_$1" >"$work/afl-$1.log" 2>&1
}

# both COMMAND ARGS...: run the command for both targets at the same time.
both()
{
	how=$1
	shift
	held=0
	"$how" ops "$@" &
	ops=$!
	"$how" trace "$@" || held=1
	wait "$ops" || held=1
	return "$held"
}

libfuzzer_target()
{
	libfuzzer "$1" "$1" "$2"
}

build fuzz fuzz_ops fuzz_trace fuzz_planted
AFL_QUIET=1 build afl fuzz_ops fuzz_trace

if MODEL_PLANT=caching libfuzzer planted ops 60; then
	fail "fuzz: the planted fault was not found"
fi
grep -q 'ERROR: libFuzzer: deadly signal' "$work/libfuzzer-planted.log"
echo "found: the planted fault"

both libfuzzer_target "$each" || {
	tail -n 30 "$work"/libfuzzer-ops.log "$work"/libfuzzer-trace.log
	fail "fuzz: libFuzzer: something failed; inputs: $work/libfuzzer-*"
}
for target in ops trace; do
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
		"$work/libfuzzer-$target.log")
	edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' \
		"$work/libfuzzer-$target.log" | tail -n 1)
	[ "$runs" -gt 0 ]
	echo "found: $target, libFuzzer: $runs inputs, $edges edges, 0 failed"
done

both afl "$each" || {
	tail -n 30 "$work"/afl-ops.log "$work"/afl-trace.log
	fail "fuzz: AFL++ did not run"
}
for target in ops trace; do
	stats=$work/afl/$target/default/fuzzer_stats
	runs=$(sed -n 's/^execs_done *: *//p' "$stats")
	crashes=$(find "$work/afl/$target/default/crashes" \
		"$work/afl/$target/default/hangs" -name 'id:*' | wc -l)
	[ "$crashes" -eq 0 ] ||
		fail "fuzz: AFL++: $crashes inputs failed: $work/afl/$target"
	[ "$runs" -gt 0 ]
	echo "found: $target, AFL++: $runs inputs, 0 failed"
done
