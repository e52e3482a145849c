#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev bench: the native cost of the library, compared with others on the same machine,
# in turns; the cost of recorded traces on the simulated machine, with the pool and
# without; and all counts. "record" runs this and the races in kernels, and writes the
# results into docs/performance.md, between its markers.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/bench
page=$root/docs/performance.md

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

usage()
{
	cat <<'END'
usage: ./dev bench [--json] [--plot]
       ./dev bench gate [--record]
       ./dev bench record [--without-kernel] [--without-kunit]

Times the library, natively, beside DPDK's rte_mempool, lists with locks, malloc() and
mmap(), and bare stores; replays the recorded traces with the pool and without; and
counts instructions. Some two minutes on a machine that does nothing else. --json
prints one object, keyed by row; --plot draws build/bench/bulk.svg and buffers.svg.

"gate" counts instructions, and what the traces cost on the simulated machine, and
fails if a count is above its limit in tools/bench/limits.txt by more than 4 %;
--record writes these limits anew. No time has a limit.

"record" does the first, and races the kernel's own page pool (./dev kernel bench,
./dev kunit bench), and writes the tables of docs/performance.md anew.
END
}

prepare()
{
	need gcc libc6-dev make cmake pkg-config libdpdk-dev valgrind jq ||
		fail "bench: packages are missing"
	say "building the benchmarks"
	quietly "$root/build/bench-configure.log" \
		cmake -S "$here/native" -B "$work" ||
		fail "bench: could not be configured"
	quietly "$root/build/bench-build.log" \
		cmake --build "$work" -j "$jobs" --target ttmpool-bench ||
		fail "bench: could not be built"
}

# The gate's counts as rows; they are not compared with anything.
counted_rows()
{
	"$here/gate.sh" --count >"$work/counted.txt" &&
		jq -R -n -f "$here/counted.jq" "$work/counted.txt"
}

# All rows, in one object.
measure()
{
	say "timing: nothing else should run"
	"$work/ttmpool-bench" >"$work/native.json" || return 1
	say "replaying the traces, with the pool and without"
	"$root/dev" replay --caching wc --iommu strict --json \
		"$root"/examples/traces/*.csv >"$work/traces.json" || return 1
	jq -s -f "$here/rows.jq" "$work/traces.json" >"$work/replay.json" &&
		counted_rows >"$work/counted.json" &&
		jq -s add "$work/native.json" "$work/replay.json" \
			"$work/counted.json" >"$work/bench.json"
}

# table PART FILE
table()
{
	jq -r --arg part "$1" -f "$here/tables.jq" "$2"
}

# Data about the machine of a result.
machine()
{
	printf '%s, %s processors; %s; load %s\n\n' \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		"$(getconf _NPROCESSORS_ONLN)" \
		"$(gcc --version | head -n 1)" \
		"$(cut -d ' ' -f 1 /proc/loadavg)"
}

native_tables()
{
	machine
	table targets "$work/bench.json"
	printf '\nBulks, got and put, beside others:\n\n'
	table bulks "$work/bench.json"
	printf '\nGot by one thread, put by another:\n\n'
	table passed "$work/bench.json"
	printf '\nBuffers:\n\n'
	table buffers "$work/bench.json"
	printf '\nInstructions, by callgrind:\n\n'
	table instructions "$work/bench.json"
}

draw()
{
	need gnuplot-nox || return 1
	for part in bulk buffers; do
		jq -r --arg part "$part" -f "$here/plots.jq" \
			"$work/bench.json" >"$work/$part.tsv" || return 1
	done
	gnuplot -e "work='$work'" "$here/plots.gp" &&
		echo "drawn: build/bench/bulk.svg build/bench/buffers.svg" >&2
}

bench()
{
	json=
	plot=
	for option in "$@"; do
		case $option in
		--json) json=yes ;;
		--plot) plot=yes ;;
		*) fail "bench: no such option: $option" ;;
		esac
	done
	prepare
	measure || fail "bench: FAILED: could not be measured"
	[ -z "$plot" ] || draw || fail "bench: FAILED: could not be drawn"
	if [ -n "$json" ]; then
		cat "$work/bench.json"
		return
	fi
	native_tables
	printf '\nTraces, with the pool and without:\n\n'
	table replay "$work/bench.json"
	echo
	summary "$work/bench.json"
}

# summary FILE...: how many goals were reached.
summary()
{
	for file in "$@"; do
		table targets "$file"
	done | awk '/\| met \|$/ { met++ } /\| \*\*missed\*\* \|$/ { missed++ }
		END { printf "bench: %d targets met, %d missed\n", met, missed }'
}

# put NAME FILE: replace the text between the markers of NAME with FILE.
put()
{
	awk -v name="$1" -v file="$2" '
		$0 == "<!-- " name " -->" {
			print
			while ((getline line <file) > 0)
				print line
			skip = 1
		}
		$0 == "<!-- end " name " -->" { skip = 0 }
		!skip && $0 != "<!-- " name " -->"' "$page" >"$page.new"
	mv "$page.new" "$page"
}

# record_kernel SERIES
record_kernel()
{
	"$root/tools/kernel/run.sh" bench --pressure --kernel "$1" \
		>"$work/pressure.txt" ||
		fail "bench: the race under pressure failed"
	"$root/tools/kernel/run.sh" bench --json --kernel "$1" \
		>"$work/kernel-$1.json" || fail "bench: the race failed"
	table targets "$work/kernel-$1.json" >"$work/kernel-$1.md"
	put "kernel $1" "$work/kernel-$1.md"
}

record_kunit()
{
	"$root/tools/kunit/run.sh" bench --json >"$work/uml.json" ||
		fail "bench: the race in User-Mode Linux failed"
	{
		machine
		jq -r -f "$root/tools/kunit/bench/table.jq" "$work/uml.json"
	} >"$work/uml.md"
	put uml "$work/uml.md"
}

record()
{
	kernel=yes
	kunit=yes
	for option in "$@"; do
		case $option in
		--without-kernel) kernel= ;;
		--without-kunit) kunit= ;;
		*) fail "bench: no such option: $option" ;;
		esac
	done
	prepare
	measure || fail "bench: FAILED: could not be measured"
	native_tables >"$work/native.md"
	put native "$work/native.md"
	table replay "$work/bench.json" >"$work/replay.md"
	put replay "$work/replay.md"
	draw || fail "bench: FAILED: could not be drawn"
	[ -z "$kunit" ] || record_kunit
	set --
	[ -z "$kernel" ] || for series in 6.12 7.3; do
		record_kernel "$series"
		set -- "$@" "$work/kernel-$series.json"
	done
	summary "$work/bench.json" "$@"
}

case ${1-} in
help | --help | -h) usage ;;
gate)
	shift
	exec "$here/gate.sh" "$@"
	;;
record)
	shift
	record "$@"
	;;
*) bench "$@" ;;
esac
