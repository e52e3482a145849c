#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The kernel half of ./dev: fetch kernels, build the modules, boot the matrix,
# judge the consoles. Nothing is installed but the tools.
#
#   run.sh test [--kernel 6.1|6.12] [--mode MODE]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=${TTMPOOL_KERNEL_DIR:-$root/build/kernel}
modes='none vtd-lazy vtd-strict amd swiotlb numa pressure'

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"

usage()
{
	cat <<END
usage: ./dev kernel test [--kernel 6.1|6.12] [--mode MODE]

Builds the modules for Debian's kernels, boots each of them in an emulated
machine in each mode, and runs the test cases and the example driver there.
What the operation script (tests/test_fidelity.c) logs there is compared with
what it logs on the simulated machine: "alike" are the lines.
Without options: all of it. The modes: $modes
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

# What was asked for, or all.
kernels='6.1 6.12'
parse()
{
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
		6.1 | 6.12) ;;
		*) fail "no such kernel: $kernel" ;;
		esac
	done
}

need_tools()
{
	need gcc make libc6-dev libelf1 libssl3 cpio kmod binutils \
		busybox-static qemu-system-x86 dpkg-dev \
		cmake pkg-config libcmocka-dev valgrind
}

# The operation script on the simulated machine, to compare a kernel's log with.
prepare_fidelity()
{
	say "building the simulated machine"
	(cd "$root" && cmake --preset dev -B "$work/simulated" \
		-DTTMPOOL_TOOLS=OFF && cmake --build "$work/simulated" \
		--target test_fidelity) >"$work/simulated.log" 2>&1
}

prepare()
{
	series=$1
	say "$series: fetching"
	release=$("$here/fetch.sh" "$series" "$work/$series" | tail -n 1) ||
		return 1
	say "$series: building for $release"
	mkdir -p "$work/out-$series"
	rm -f "$work/out-$series"/*.ko
	"$here/build.sh" "$work/$series" "$work/out-$series" &&
		"$here/initramfs.sh" "$work/out-$series" \
			"$work/out-$series/initramfs.gz"
}

# Boot one cell of the matrix, and add its row to the table.
cell()
{
	series=$1
	mode=$2
	log=$work/$series-$mode.log
	start=$(date +%s)
	rm -f "$log"
	verdict=ok
	"$here/boot.sh" "$work/$series" "$work/out-$series/initramfs.gz" \
		"$mode" "$log" >"$log.qemu" 2>&1 || verdict=FAILED
	awk -v mode="$mode" -f "$here/judge.awk" "$log" >"$log.verdict" || verdict=FAILED
	[ "$verdict" = ok ] || sed '$d' "$log.verdict" >&2
	alike=$("$here/fidelity.sh" "$work/simulated/tests/test_fidelity" \
		"$mode" "$log") || verdict=FAILED
	# shellcheck disable=SC2046,SC2183 # three numbers
	printf '%-6s %-11s %6s %8s %10s %6s %5ss  %s\n' "$series" "$mode" \
		$(tail -n 1 "$log.verdict") "${alike:-0}" \
		$(($(date +%s) - start)) "$verdict" >>"$table"
	[ "$verdict" = ok ]
}

run_test()
{
	parse "$@"
	need_tools || fail "packages are missing"
	mkdir -p "$work"
	table=$work/table.txt
	printf '%-6s %-11s %6s %8s %10s %6s %6s  %s\n' kernel mode held \
		skipped transfers alike time result >"$table"
	prepare_fidelity || fail "the simulated machine could not be built"
	passed=0
	failed=0
	for series in $kernels; do
		prepare "$series" || fail "$series: could not be built"
		for mode in $modes; do
			say "$series: booting, mode $mode"
			if cell "$series" "$mode"; then
				passed=$((passed + 1))
			else
				failed=$((failed + 1))
			fi
		done
	done
	cat "$table"
	echo "kernel: $passed passed, $failed failed"
	[ "$failed" -eq 0 ]
}

command=${1-help}
[ $# -eq 0 ] || shift
case $command in
test) run_test "$@" ;;
help | --help | -h) usage ;;
*)
	usage >&2
	fail "no such command: $command"
	;;
esac
