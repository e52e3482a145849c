#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The kernel half of ./dev: fetch kernels, build the modules, boot the matrix, judge the
# consoles. Only the tools are installed.
#
#   run.sh test [--rt] [--kernel 6.1|6.12|7.3] [--mode MODE]
#   run.sh test --arch arm64 [--pages 16k] [--kernel 6.12|7.3] [--mode MODE]
#   run.sh debug [--kernel 6.12|7.3] [--mode MODE]
#   run.sh kcsan [--mode MODE]
#   run.sh bench [--json|--gate|--pressure] [--kernel 6.1|6.12|7.3] [--mode MODE]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${TTMPOOL_KERNEL_DIR:-$root/build/kernel}
modes='none vtd-lazy vtd-strict amd swiotlb numa pressure'

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/kernel/debug.sh
. "$here/debug.sh"
# shellcheck source=tools/kernel/bench.sh
. "$here/bench.sh"
# shellcheck source=tools/kernel/suite.sh
. "$here/suite.sh"
# shellcheck source=tools/kernel/arm64.sh
. "$here/arm64.sh"
# shellcheck source=tools/kernel/emulator.sh
. "$here/emulator.sh"

usage()
{
	cat <<END
usage: ./dev kernel test [--rt] [--kernel 6.1|6.12|7.3] [--mode MODE]
       ./dev kernel test --arch arm64 [--pages 16k] [--kernel 6.12|7.3] [--mode MODE]
       ./dev kernel debug [--kernel 6.12|7.3] [--mode MODE]
       ./dev kernel kcsan [--mode MODE]
       ./dev kernel bench [--json|--gate|--pressure] [--kernel 6.1|6.12|7.3] [--mode MODE]

Builds the modules for Debian's kernels, boots each of them in an emulated
machine in each mode, and runs the test cases and the example driver there.
What the operation script (tests/test_fidelity.c) logs there is compared with
what it logs on the simulated machine: "alike" are the lines.
With --rt, for Debian's PREEMPT_RT kernels: 6.12 and 7.3 in the modes none and
vtd-strict, if not told otherwise; and who takes a lock that may sleep where he may
not is found.
With --arch arm64, for Debian's kernels of that architecture, 6.12 if not told otherwise,
with pages of 4 KiB or of 16; it has modes of its own:
$arm64_modes
"debug" does it on a kernel built to find bugs, 6.12 or 7.3, and makes things fail
there; it has a mode of its own: large-pages. "kcsan" does it on one that looks for
data races, with threads that do all at once; in the modes none and pressure.
"bench" runs the kernel's own TTM page pool and ours on the same work, by turns,
and compares instructions and events; with --gate some of them, and the counts
with tools/bench/race-limits.txt; with --pressure what a populate takes while
memory is short.
Without options: all of it, "debug" with 6.12. The modes: $modes
END
}

say()
{
	echo "==> $*" >&2
}

fail()
{
	echo "kernel: $*" >&2
	exit 1
}

# The kernels and modes of the command line, or all.
kernels='6.1 6.12 7.3'
suffix=
parse()
{
	case ${1-} in
	--rt)
		[ "$command" = test ] || fail "no such option: --rt"
		suffix=-rt
		kernels='6.12 7.3'
		modes='none vtd-strict'
		shift
		;;
	--arch)
		[ "$command ${2-}" = 'test arm64' ] || fail "no such architecture"
		suffix=-arm64
		kernels=6.12
		modes=$arm64_modes
		shift 2
		if [ "${1-} ${2-}" = '--pages 16k' ]; then
			suffix=-arm64-16k
			shift 2
		fi
		;;
	esac
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || fail "$1 needs a value"
		case $1 in
		--kernel) kernels=$2 ;;
		--mode) modes=$2 ;;
		*) fail "no such option: $1" ;;
		esac
		shift 2
	done
	for kernel in $kernels; do
		case $kernel in
		6.1 | 6.12 | 7.3) ;;
		*) fail "no such kernel: $kernel" ;;
		esac
	done
	[ -z "$suffix" ] ||
		kernels=$(for kernel in $kernels; do echo "$kernel$suffix"; done)
}

need_tools()
{
	need gcc g++ make python3 libc6-dev libelf1 libssl3 cpio kmod xz-utils binutils \
		busybox-static qemu-system-x86 dpkg-dev pahole \
		cmake pkg-config libcmocka-dev valgrind \
		libtracefs-dev libtraceevent-dev libbpf-dev
}

# A test run also checks the code with sparse (build.sh).
need_sparse()
{
	need sparse && export CHECK=1
}

# The portable suites on the simulated machine, for comparison with a kernel: the list of
# cases, and the log of the operation script. They are those of ./dev test.
simulated=$root/build/dev
prepare_simulated()
{
	say "building the simulated machine"
	suites=$(basename -s .c "$root"/tests/test_*.c)
	# shellcheck disable=SC2086 # a list of words
	(cd "$root" && cmake --preset dev && cmake --build --preset dev \
		-j "$(getconf _NPROCESSORS_ONLN)" --target $suites \
		ttmpool-record ttmpool-replay) >"$work/simulated.log" 2>&1 &&
		export PROGRAMS="$simulated/tools/record/ttmpool-record \
$simulated/tools/replay/ttmpool-replay"
}

# From this Debian, or from the next one. Status 3: neither has such a kernel.
fetch()
{
	say "$1: fetching"
	case $suffix in
	-arm64*) arm64_fetch "$1" "$work/$1" ;;
	*) suite_fetch "$1" "$work/$1" ;;
	esac
}

prepare()
{
	series=$1
	fetch "$series" || return
	suite_enter "$work/$series" || return 1
	[ -z "${RACE-}" ] || race_source "$series" || return 1
	case $suffix in
	-arm64*) arm64_compiler || return 1 ;;
	esac
	say "$series: building for $release"
	mkdir -p "$work/out-$series"
	rm -f "$work/out-$series"/*.ko
	"$here/build.sh" "$work/$series" "$work/out-$series" &&
		"$here/initramfs.sh" "$work/out-$series" \
			"$work/out-$series/initramfs.gz" "$work/$series" || return
	[ "$suffix" != -rt ] || "$here/more.sh" "$work/out-$series/initramfs.gz" rt
}

boot_cell()
{
	boot=$here/boot.sh
	case $suffix in
	-arm64*) boot=$here/boot-arm64.sh ;;
	esac
	"$boot" "$work/$series" "$work/out-$series/initramfs.gz" \
		"$mode" "$log" >"$log.qemu" 2>&1
}

# ttmpool-top must be able to read the debugfs files that the machine printed.
top_reads_them()
{
	rm -rf "$log.files" && mkdir "$log.files" || return 1
	for file in stats page_pool; do
		tr -d '\r' <"$log" | sed -n "s/^file $file: //p" >"$log.files/$file"
	done
	"$root/tools/top/ttmpool-top" --once --path "$log.files" >"$log.top" &&
		grep -q '^0000:' "$log.top"
}

# Do small chunks that are mapped in one call share their addresses on that kernel
# (shim/linux/ttmpool.mk)? Then the simulated machine has to do the same. A debug kernel,
# which shares nothing, has no such directory.
shares_addresses()
{
	grep -qs dma_iova_link "$work/$1"/usr/src/*-common/include/linux/dma-mapping.h
}

# Boot one cell of the matrix, and write its row of the table beside its log.
cell()
{
	series=$1
	mode=$2
	log=$work/$series-$mode.log
	start=$(date +%s)
	verdict=ok
	boot_cell || verdict=FAILED
	if emulator_broke "$log"; then
		say "$series: the emulated CPU broke, booting again, mode $mode"
		verdict=ok
		boot_cell || verdict=FAILED
	fi
	awk -v mode="$mode" -f "$here/judge.awk" "$log" >"$log.verdict" || verdict=FAILED
	[ "$verdict" = ok ] || sed '$d' "$log.verdict" >&2
	if grep -q '^file ' "$log"; then
		top_reads_them || verdict=FAILED
	fi
	! shares_addresses "$series" || export TPSIM_IOVA=shared
	[ "$suffix" != -arm64-16k ] || export TPSIM_PAGE_SHIFT=14
	alike=$("$here/fidelity.sh" "$simulated/tests/test_fidelity" \
		"$mode" "$log") || verdict=FAILED
	# shellcheck disable=SC2046,SC2183 # three numbers
	printf '%-6s %-11s %6s %8s %10s %6s %5ss  %s\n' "$series" "$mode" \
		$(tail -n 1 "$log.verdict") "${alike:-0}" \
		$(($(date +%s) - start)) "$verdict" >"$log.row"
}

start_table()
{
	table=$work/table.txt
	printf '%-6s %-11s %6s %8s %10s %6s %6s  %s\n' kernel mode held \
		skipped transfers alike time result >"$table"
	passed=0
	failed=0
	skipped=0
	consoles=
}

# Those that take longest come first.
boot_order()
{
	case " $modes " in
	*" pressure "*) echo pressure ;;
	esac
	for mode in $modes; do
		[ "$mode" = pressure ] || echo "$mode"
	done
}

# Boot as many machines at a time as there are processors, and memory for them. A machine
# takes a line out of the pipe when it begins, and puts one back when it ends.
boot_modes()
{
	series=$1
	machines=$(getconf _NPROCESSORS_ONLN)
	[ "$machines" -le 4 ] || machines=4
	rm -f "$work/free"
	mkfifo "$work/free"
	exec 9<>"$work/free"
	seq "$machines" >&9
	for mode in $(boot_order); do
		read -r place <&9
		say "$series: booting, mode $mode"
		rm -f "$work/$series-$mode.log" "$work/$series-$mode.log.row"
		{
			cell "$series" "$mode" || :
			echo "$place" >&9
		} &
	done
	wait
	exec 9>&-
	for mode in $modes; do
		consoles="$consoles $work/$series-$mode.log"
		count_row "$work/$series-$mode.log.row"
	done
}

# Add a row to the table; a missing one counts as failed.
count_row()
{
	row=$(cat "$1") || row="$1 FAILED"
	echo "$row" >>"$table"
	case $row in
	*" ok") passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# close_table WHAT: print the table, and the cases that passed everywhere.
close_table()
{
	cat "$table"
	# shellcheck disable=SC2086 # a list of words
	"$here/names.sh" "$simulated/tests" $consoles ||
		failed=$((failed + 1))
	[ "$skipped" -eq 0 ] || echo "$1: $skipped kernels skipped"
	echo "$1: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

run_test()
{
	parse "$@"
	{ need_tools && need_sparse; } || fail "packages are missing"
	case $suffix in
	-arm64*) need_arm64 || fail "packages are missing" ;;
	esac
	mkdir -p "$work"
	start_table
	prepare_simulated || fail "the simulated machine could not be built"
	for series in $kernels; do
		status=0
		prepare "$series" || status=$?
		case $status in
		0) boot_modes "$series" ;;
		3)
			echo "$series: skipped, this Debian has no such kernel" \
				>>"$table"
			skipped=$((skipped + 1))
			;;
		*) fail "$series: could not be built" ;;
		esac
	done
	close_table kernel
}

command=${1-help}
[ $# -eq 0 ] || shift
case $command in
test) run_test "$@" ;;
debug) run_debug "$@" ;;
kcsan) run_kcsan "$@" ;;
bench) run_bench "$@" ;;
help | --help | -h) usage ;;
*)
	usage >&2
	fail "no such command: $command"
	;;
esac
