#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# A display driver whose buffers come from a pool, beside the same driver on the kernel's
# own shmem helper: build both, boot them, judge the consoles, compare the pictures. Only
# the tools are installed.
#
#   run.sh build|test|desktop|igt|race [--kernel 6.12|7.3] [OPTION...]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
kernels_dir=${TTMPOOL_KERNEL_DIR:-$root/build/kernel}
work=$root/build/drm
kernels='6.12 7.3'
raced='ttmpool-wb shmem-wb ttmpool-wc shmem-wc'
rounds=firm
variants='ttmpool-wb shmem-wb ttmpool-wc shmem-wc ttmpool-wc-dma'

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"
# shellcheck source=tools/kernel/suite.sh
. "$root/tools/kernel/suite.sh"
# shellcheck source=tools/kernel/emulator.sh
. "$root/tools/kernel/emulator.sh"

usage()
{
	cat <<END
usage: ./dev drm build [--kernel 6.12|7.3]
       ./dev drm test [--kernel 6.12|7.3] [--variant VARIANT]
       ./dev drm desktop [--kernel 6.12|7.3]
       ./dev drm igt [--kernel 6.12|7.3] [--nightly]
       ./dev drm race [--kernel 6.12|7.3]

Builds drm_gem_ttmpool.ko and examples/bochs-pool, a driver for QEMU's display, on it and
on the kernel's own shmem helper. "test" boots them in an emulated machine with two
displays: a client makes, maps, shows, shares and destroys buffers, while they are swapped
out, and while a display is unplugged. Pictures of the displays are compared.

"desktop" has an X server and its clients as the client. "igt" runs the tests in igt.txt,
those of IGT for any display driver: each that passes on the kernel's helper must pass on
ours. With --nightly, the long ones, too. "race" counts what the same work costs on either
helper, and compares that with the goals in race.awk.

A variant is an allocator, and how clients write: through cached (wb) or write-combining
mappings (wc); in ttmpool-wc-dma buffers are mapped for the device, behind an IOMMU.
Without options: all of $variants
END
}

# belongs_to COMMAND OPTION: only that command has this option.
belongs_to()
{
	[ "$command" = "$1" ] || fail "drm: $command has no option $2"
}

parse()
{
	while [ $# -gt 0 ]; do
		if [ "$1" = --nightly ]; then
			belongs_to igt "$1"
			rounds=firm,nightly
			shift
			continue
		fi
		[ $# -ge 2 ] || fail "drm: $1 needs a value"
		case $1 in
		--kernel) kernels=$2 ;;
		--variant)
			belongs_to test "$1"
			variants=$2
			;;
		*) fail "drm: no such option: $1" ;;
		esac
		shift 2
	done
	case $kernels in
	'6.12 7.3' | 6.12 | 7.3) ;;
	*) fail "drm: no such kernel: $kernels" ;;
	esac
}

need_tools()
{
	need gcc make libc6-dev libelf1 libssl3 cpio kmod xz-utils binutils \
		busybox-static qemu-system-x86 dpkg-dev pahole sparse &&
		export CHECK=1
}

# Status 3: neither this Debian nor the next one has such a kernel.
prepare()
{
	say "$1: fetching"
	suite_fetch "$1" "$kernels_dir/$1" || return
	suite_enter "$kernels_dir/$1" || return 1
	say "$1: building for $release"
	rm -f "$work/$1"/*.ko
	"$here/build.sh" "$kernels_dir/$1" "$work/$1" &&
		"$here/initramfs.sh" "$kernels_dir/$1" "$work/$1" "$work/$1/initramfs.gz"
}

# sum_of KEY LOG: the sum of a number that the client printed several times. init.sh
# judges the first two.
sum_of()
{
	awk -v key="$1" '/^client: / && !/^client: (split|fdinfo)/ {
		for (i = 1; i <= NF; i++)
			if (index($i, key "=") == 1)
				n += substr($i, length(key) + 2)
	} END { printf "%.0f\n", n }' "$2"
}

boot_once()
{
	rm -f "$3"*
	"$here/boot.sh" "$kernels_dir/$1" "$work/$1/initramfs.gz" "$2" "$3" \
		>"$3.qemu" 2>&1
}

# boot_cell SERIES VARIANT LOG: boot it, and once more if the emulator itself fails.
boot_cell()
{
	status=0
	boot_once "$@" || status=$?
	if emulator_broke "$3"; then
		say "$1: the emulated CPU broke, booting again"
		status=0
		boot_once "$@" || status=$?
	fi
	return "$status"
}

# Boot one machine, and write its row of the table beside its log.
cell()
{
	log=$work/$1-$2.log
	start=$(date +%s)
	verdict=ok
	boot_cell "$1" "$2" "$log" || verdict=FAILED
	awk -f "$here/../kernel/judge.awk" "$log" >"$log.verdict" || verdict=FAILED
	[ "$(sum_of wrong "$log")" -eq 0 ] || verdict=FAILED
	[ "$verdict" = ok ] || sed '$d' "$log.verdict" >&2
	printf '%-6s %-15s %5s %8s %9s %5s %5ss  %s\n' "$1" "$2" \
		"$(tail -n 1 "$log.verdict" | cut -d' ' -f1)" \
		"$(sum_of buffers "$log")" $(($(sum_of bytes "$log") >> 20)) \
		"$(sum_of wrong "$log")" $(($(date +%s) - start)) "$verdict" >"$log.row"
}

count_row()
{
	echo "$1" >>"$table"
	case $1 in
	*' ok') passed=$((passed + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# All variants must show the same picture, and one of a single colour does not count.
compare_pictures()
{
	first=
	verdict=ok
	for variant in $variants; do
		picture=$work/$1-$variant.log.ppm
		[ -s "$picture" ] || verdict=FAILED
		[ -z "$first" ] || cmp "$first" "$picture" >&2 || verdict=FAILED
		first=${first:-$picture}
	done
	[ "$(tail -c +17 "$first" 2>/dev/null | od -An -v -tx1 -w3 | sort -u |
		head -n 100 | wc -l)" -eq 100 ] || verdict=FAILED
	count_row "$(printf '%-6s %s' "$1" "pictures are alike, to the byte: $verdict")"
}

boot_variants()
{
	for variant in $variants; do
		say "$1: booting, $variant"
		cell "$1" "$variant"
		count_row "$(cat "$work/$1-$variant.log.row")"
	done
}

start_table()
{
	table=$work/table.txt
	printf '%-6s %-15s %5s %8s %9s %5s %6s  %s\n' kernel variant held buffers \
		'MiB seen' wrong time result >"$table"
	passed=0
	failed=0
}

# for_kernels COMMAND ARGS...: build for each kernel, and run the command with it.
for_kernels()
{
	need_tools || fail "drm: packages are missing"
	mkdir -p "$work"
	missing=
	for series in $kernels; do
		status=0
		prepare "$series" || status=$?
		case $status in
		0) "$@" "$series" ;;
		3) missing="$missing $series" ;;
		*) fail "drm: $series could not be built" ;;
		esac
	done
	for series in $missing; do
		echo "$series: skipped, this Debian has no such kernel"
	done
}

tell_built()
{
	echo "drm: build/drm/$1/drm_gem_ttmpool.ko"
}

run_table()
{
	mkdir -p "$work"
	start_table
	for_kernels test_one
	cat "$table"
	echo "drm: $passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# What it cost to start the X server.
start_costs()
{
	for variant in $variants; do
		tr -d '\r' <"$work/$1-$variant.log" | awk -v of="$1 $variant" '
			/^race: x-start / { counts = counts ", " $4 " " $3 }
			END { print of ", to start X: " substr(counts, 3) }'
	done
}

test_one()
{
	boot_variants "$1"
	compare_pictures "$1"
	[ -z "${DESKTOP-}" ] || start_costs "$1" >>"$table"
}

# boot_each SERIES WHAT LOG: boot one machine for each allocator and kind of mapping, and
# write to LOG what each says after "WHAT: ", with its variant before it.
boot_each()
{
	: >"$3"
	for variant in $raced; do
		say "$1: $2, $variant"
		one=${3%.log}-$variant.log
		boot_cell "$1" "$variant" "$one" || return 1
		awk -f "$here/../kernel/judge.awk" "$one" >"$one.verdict" || {
			cat "$one.verdict" >&2
			return 1
		}
		tr -d '\r' <"$one" | sed -n "s/^$2: /$variant /p" >>"$3"
	done
}

# Each subtest that passes on shmem must pass on ours.
igt_one()
{
	log=$work/$1-igt.log
	TIMEOUT=3000 ROUNDS=$rounds DISK=$work/igt/igt.img boot_each "$1" igt "$log" ||
		fail "drm igt: FAILED on $1"
	awk -v kernel="$1" -f "$here/igt.awk" "$log" >"$log.table" || failed=$((failed + 1))
	cat "$log.table"
	passed=$((passed + $(grep -c '^ttmpool-.* SUCCESS$' "$log")))
}

# The costs, and the goals.
race_one()
{
	log=$work/$1-race.log
	RACE=1 boot_each "$1" race "$log" || fail "drm race: FAILED on $1"
	awk -v kernel="$1" -f "$here/race.awk" "$log" >"$log.table" ||
		failed=$((failed + 1))
	cat "$log.table"
	passed=$((passed + $(grep -c ': met$' "$log.table")))
}

command=${1-help}
[ $# -eq 0 ] || shift
parse "$@"
case $command in
build) for_kernels tell_built ;;
test) run_table ;;
desktop)
	need apt e2fsprogs || fail "drm: packages are missing"
	say "fetching an X server and its clients"
	"$here/../ttm/desktop.sh" "$work/desktop" >&2 || fail "drm: there is no X server"
	export DESKTOP=1 DISK="$work/desktop/desktop.img"
	variants=$raced
	run_table
	;;
igt)
	need apt e2fsprogs || fail "drm: packages are missing"
	"$here/igt.sh" "$work/igt" >&2 || fail "drm: IGT's tests cannot be had"
	passed=0
	failed=0
	for_kernels igt_one
	echo "drm igt: $passed subtests passed on ours, $failed kernels failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	;;
race)
	passed=0
	failed=0
	for_kernels race_one
	echo "drm race: $passed goals met, $failed kernels missed one"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	;;
help | --help | -h) usage ;;
*)
	usage >&2
	fail "no such command: $command"
	;;
esac
