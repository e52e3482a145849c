#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Debian's own binary GPU drivers on a ttm.ko with our pool in it, beside the same drivers
# on Debian's ttm.ko: build it, check that it may be loaded, boot both, judge the
# consoles. Only the tools are installed.
#
#   run.sh build|test [--kernel 6.1|6.12|7.3] [--driver DRIVER]
#   run.sh patch [--kernel 7.3] [--build] DIR
#
# A machine is a kernel, a driver, and a pool. It passes if all of its steps passed, no
# byte was wrong, and the kernel did not complain. If a picture is shown, the one on our
# pool must equal the one on stock, to the byte.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kernels_dir=${TTMPOOL_KERNEL_DIR:-$root/build/kernel}
work=$root/build/ttm
kernels='6.1 6.12'
all_kernels='6.1 6.12 7.3'
all_drivers='qxl bochs radeon ways fill shrink shrink-faults qxl-xorg bochs-xorg'
drivers=${TTMPOOL_TTM_DRIVERS:-$all_drivers}

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/kernel/suite.sh
. "$root/tools/kernel/suite.sh"
# shellcheck source=tools/kernel/emulator.sh
. "$root/tools/kernel/emulator.sh"

usage()
{
	cat <<END
usage: ./dev ttm build [--kernel 6.1|6.12|7.3]
       ./dev ttm test [--kernel 6.1|6.12|7.3] [--driver DRIVER]
       ./dev ttm patch [--kernel 7.3] [--build] DIR

Builds ttm.ko from the kernel's source, with ttmpool in the place of its page
pool, and refuses it if Debian's drivers could not run on it. "test" boots them
on it, and on Debian's own ttm.ko, in an emulated machine, and has a client make,
fill, look at, evict, swap out and destroy buffers.

    qxl, bochs, radeon     our own client
    qxl-xorg, bochs-xorg   Debian's X server and its clients, and ours beside them
    ways                   a module that asks the pool as all of TTM's drivers do
    fill                   a module whose pool gets more than half of a node's memory
                           back; 7.3 alone
    shrink                 a module that shrinks buffers as xe does; 7.3 alone
    shrink-faults          the same on a ttm.ko whose backups and restores fail now and
                           then, at TTM's own points of failure

Without options: all drivers, or those that TTMPOOL_TTM_DRIVERS names, with 6.1 and
6.12. In 7.3 the driver bochs does not use TTM.

"patch" writes patches to DIR, for git am in a tree of Linux 7.3: ttmpool as a second
page pool of TTM, which Kconfig chooses. With --build it also compiles TTM as
allmodconfig does, with either pool.
END
}

say()
{
	echo "==> $*" >&2
}

fail()
{
	echo "ttm: $*" >&2
	exit 1
}

# in_list WORD LIST...: is it one of them?
in_list()
{
	word=$1
	shift
	case " $* " in
	*" $word "*) ;;
	*) fail "$word: not one of: $*" ;;
	esac
}

parse()
{
	while [ $# -gt 0 ]; do
		[ $# -ge 2 ] || fail "$1 needs a value"
		case $1 in
		--kernel)
			# shellcheck disable=SC2086 # a list of words
			in_list "$2" $all_kernels
			kernels=$2
			;;
		--driver)
			# shellcheck disable=SC2086 # a list of words
			in_list "$2" $all_drivers
			drivers=$2
			;;
		*) fail "no such option: $1" ;;
		esac
		shift 2
	done
}

# Debian 13 has qxl in a package of its own, Debian 12 with QEMU itself.
need_spice()
{
	qemu-system-x86_64 -device help 2>/dev/null | grep -q '"qxl-vga"' ||
		need qemu-system-modules-spice
}

need_tools()
{
	need gcc make python3 libc6-dev libelf1 libssl3 cpio kmod xz-utils zstd binutils \
		busybox-static qemu-system-x86 dpkg-dev pahole \
		cmake pkg-config libtracefs-dev libtraceevent-dev libbpf-dev &&
		need_spice || return 1
	case $drivers in
	*-xorg*) need e2fsprogs ;;
	esac
}

# need_source: get the source of a kernel, from Debian 12, 13, or the backports; sets
# $source_tar.
need_source()
{
	source_tar=/usr/src/linux-source-$1.tar.xz
	if [ -z "${SUITE_FOLDER-}" ] && [ "$1" != 7.3 ]; then
		need "linux-source-$1"
	else
		suite_source "$1" "$work/package-$1" &&
			source_tar=$work/package-$1$source_tar
	fi
}

# Status 3: neither this Debian nor the next one has such a kernel.
prepare()
{
	series=$1
	say "$series: fetching"
	suite_fetch "$series" "$kernels_dir/$series" || return
	suite_enter "$kernels_dir/$series" && need_source "$series" || return 1
	say "$series: building ttm.ko for $release"
	"$here/build.sh" "$series" "$kernels_dir/$series" "$work/$series" \
		"$source_tar" || return 1
}

# The recorder and the replay, for the machines.
prepare_programs()
{
	say "building ttmpool-record and ttmpool-replay"
	(cd "$root" && cmake --preset release -B "$work/programs" \
		-DTTMPOOL_TESTS=OFF && cmake --build "$work/programs" \
		-j "$(getconf _NPROCESSORS_ONLN)" \
		--target ttmpool-record ttmpool-replay) >"$work/programs.log" 2>&1 &&
		export PROGRAMS="$work/programs/tools/record/ttmpool-record \
$work/programs/tools/replay/ttmpool-replay"
}

# The disk of the machines that have an X server.
prepare_desktop()
{
	case $drivers in
	*-xorg*) ;;
	*) return 0 ;;
	esac
	say "fetching an X server and its clients"
	"$here/desktop.sh" "$work/desktop" >&2
}

# sum_of KEY LOG: the sum of a number that the client printed several times.
sum_of()
{
	awk -v key="$1" '/^client: / {
		for (i = 1; i <= NF; i++)
			if (index($i, key "=") == 1)
				n += substr($i, length(key) + 2)
	} END { printf "%.0f\n", n }' "$2"
}

# A number from the line of the probes' counts.
traced()
{
	sed -n "s/^trace:.* $1=\([0-9]*\).*/\1/p" "$2" | tr -d '\r'
}

# boot_cell LOG DISK
boot_cell()
{
	"$here/initramfs.sh" "$kernels_dir/$series" "$driver" "$ttm" \
		"$work/$series" "$1.initramfs" &&
		"$here/boot.sh" "$kernels_dir/$series" "$1.initramfs" \
			"$driver" "$pool" "$1" "$2" >"$1.qemu" 2>&1
}

# Boot one machine, and write its row of the table beside its log.
cell()
{
	series=$1
	driver=$2
	pool=$3
	log=$work/$series-$driver-$pool.log
	ttm=stock
	[ "$pool" = stock ] || ttm=$work/$series/ours/ttm.ko
	[ "$driver" != shrink-faults ] || ttm=$work/$series/$pool-faults/ttm.ko
	disk=
	[ "$driver" = "${driver%-xorg}" ] || disk=$work/desktop/desktop.img
	start=$(date +%s)
	verdict=ok
	rm -f "$log"*
	boot_cell "$log" "$disk" || verdict=FAILED
	if emulator_broke "$log"; then
		say "$series: the emulated CPU broke, booting again"
		verdict=ok
		boot_cell "$log" "$disk" || verdict=FAILED
	fi
	awk -f "$here/../kernel/judge.awk" "$log" >"$log.verdict" ||
		verdict=FAILED
	[ "$(sum_of wrong "$log")" -eq 0 ] || verdict=FAILED
	[ "$verdict" = ok ] || sed '$d' "$log.verdict" >&2
	printf '%-6s %-10s %-5s %5s %7s %9s %5s %7s %7s %7s %4ss  %s\n' \
		"$series" "$driver" "$pool" "$(cut -d' ' -f1 "$log.verdict" |
			tail -n 1)" "$(sum_of buffers "$log")" \
		$(($(sum_of bytes "$log") >> 20)) "$(sum_of wrong "$log")" \
		"$(traced evict "$log")" "$(traced swapout "$log")" \
		"$(traced disk "$log")" $(($(date +%s) - start)) \
		"$verdict" >"$log.row"
}

start_table()
{
	table=$work/table.txt
	printf '%-6s %-10s %-5s %5s %7s %9s %5s %7s %7s %7s %5s  %s\n' kernel \
		driver pool held buffers 'MiB seen' wrong evicted swapped \
		disk time result >"$table"
	passed=0
	failed=0
}

count_row()
{
	echo "$1" >>"$table"
	case $1 in
	*' ok') passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# The colours of a picture, one per line; its header has four words.
colours_of()
{
	header=$(head -c 64 "$1" | head -n 3 | wc -c)
	tail -c +$((header + 1)) "$1" | od -An -v -tx1 -w3 | sort -u
}

# Compare the pictures on both pools, if there are any: a picture of one colour shows
# nothing.
compare_pictures()
{
	stock=$work/$1-$2-stock.log.ppm
	ours=$work/$1-$2-ours.log.ppm
	verdict=FAILED
	[ -s "$stock" ] && cmp "$stock" "$ours" >&2 &&
		[ "$(colours_of "$stock" | wc -l)" -gt 1 ] && verdict=ok
	count_row "$(printf '%-6s %-10s picture, on ours as on stock, to the byte: %s' \
		"$1" "$2" "$verdict")"
}

# Compare the results on both pools, line for line.
compare_ways()
{
	for pool in stock ours; do
		tr -d '\r' <"$work/$1-ways-$pool.log" | grep '^ways: ' \
			>"$work/$1-ways-$pool.found" || return 1
	done
	verdict=FAILED
	grep -q '^ways: end' "$work/$1-ways-ours.found" &&
		diff "$work/$1-ways-stock.found" "$work/$1-ways-ours.found" >&2 &&
		verdict=ok
	count_row "$(printf '%-6s %-10s %s lines, on ours as on stock: %s' "$1" ways \
		"$(wc -l <"$work/$1-ways-ours.found")" "$verdict")"
}

# A machine has two processors, and there may be room for more than one.
boot_pools()
{
	machines=$(($(getconf _NPROCESSORS_ONLN) / 2))
	for pool in stock ours; do
		say "$1: booting, driver $2, pool $pool"
		cell "$1" "$2" "$pool" &
		[ "$machines" -gt 1 ] || wait
	done
	wait
	for pool in stock ours; do
		row=$(cat "$work/$1-$2-$pool.log.row") ||
			row="$1 $2 $pool FAILED"
		count_row "$row"
	done
	case $2 in
	radeon | fill) ;;
	shrink*) tell_shrink "$1" "$2" ;;
	ways) compare_ways "$1" || count_row "$1 ways: nothing was found" ;;
	*) compare_pictures "$1" "$2" ;;
	esac
}

# Does this kernel have that driver on TTM? In 7.3 bochs is not on TTM; older kernels have
# neither xe's way to shrink nor a limit for each node.
is_in()
{
	case $1:$2 in
	7.3:bochs | 6.*:shrink* | 6.*:fill) return 1 ;;
	esac
}

# The results of both pools are printed, and not compared, because they depend on chance.
tell_shrink()
{
	for pool in stock ours; do
		tr -d '\r' <"$work/$1-$2-$pool.log" |
			sed -n "s/^shrink: /$1 $2 $pool: /p" >>"$table"
	done
}

run_build()
{
	parse "$@"
	need_tools || fail "packages are missing"
	mkdir -p "$work"
	built=
	missing=
	for series in $kernels; do
		status=0
		prepare "$series" || status=$?
		case $status in
		0) built="$built $series" ;;
		3) missing="$missing $series" ;;
		*) fail "$series: could not be built" ;;
		esac
	done
	kernels=$built
}

tell_missing()
{
	for series in $missing; do
		echo "$series: skipped, this Debian has no such kernel"
	done
}

run_test()
{
	run_build "$@"
	prepare_programs || fail "the programs could not be built"
	prepare_desktop || fail "there is no X server to boot"
	start_table
	for series in $kernels; do
		for driver in $drivers; do
			is_in "$series" "${driver%-xorg}" || continue
			boot_pools "$series" "$driver"
		done
	done
	cat "$table"
	tell_missing
	echo "ttm: $passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# The patches, and the tree for which they are tested: build/ttm/patch-7.3.
run_patch()
{
	build=
	dir=
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel)
			[ "${2-}" = 7.3 ] || fail "patch: --kernel: 7.3 alone"
			shift
			;;
		--build) build=yes ;;
		-*) fail "patch: no such option: $1" ;;
		*) dir=$1 ;;
		esac
		shift
	done
	[ -n "$dir" ] || fail "patch: name a directory for the patches"
	need git perl python3 dpkg-dev xz-utils || fail "packages are missing"
	mkdir -p "$work"
	suite_source 7.3 "$work/package-7.3" || fail "there is no source of 7.3"
	source_tar=$work/package-7.3/usr/src/linux-source-7.3.tar.xz
	"$here/patch.sh" 7.3 "$work/patch-7.3" "$dir" "$source_tar" ||
		fail "patch: FAILED"
	[ -z "$build" ] || build_patched
	echo "ttm patch: $(cd "$dir" && pwd)/0000-cover-letter.patch and what follows it"
}

# Build TTM in a whole tree, with the options of allmodconfig.
build_patched()
{
	suite_compiler libc6-dev make flex bison bc python3 xz-utils libelf-dev \
		libssl-dev || fail "there is no compiler for 7.3"
	there "$here/patched.sh" "$work/patch-7.3" "$source_tar" ||
		fail "patch: FAILED: it does not build"
}

command=${1-help}
[ $# -eq 0 ] || shift
case $command in
build)
	run_build "$@"
	for series in $kernels; do
		echo "ttm: build/ttm/$series/ours/ttm.ko"
	done
	tell_missing
	;;
test) run_test "$@" ;;
patch) run_patch "$@" ;;
help | --help | -h) usage ;;
*)
	usage >&2
	fail "no such command: $command"
	;;
esac
