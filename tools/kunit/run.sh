#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev kunit: Linux's KUnit suites for TTM, in User-Mode Linux, first on the kernel's own
# page pool, then on ttmpool in its place, side by side.
#
#   run.sh [--kernel 6.12|7.3] [--kasan]
#   run.sh bench [--json]
#
#     build/kunit/linux-source-6.12/   the source, from Debian's package
#     build/kunit/{stock,ours}[-kasan]/   the builds, and a test.log
#     build/kunit/bench/   a kernel with both pools, which a suite races
#     build/kunit-7.3/   the same of 7.3, without the race; built with the compiler of
#                        Debian 13, in a folder if this is a Debian 12
#
# There is one source for all kernels of a series. That of 7.3 gets the patches that ./dev
# ttm patch writes, and its configuration says which pool is built. In 6.12 a line at the
# end of drivers/gpu/drm/ttm/Makefile includes the file that $TTM_POOL_REPLACED_BY names:
# none, replace.mk, or bench/bench.mk. So all kernels are compiled from the same files
# with the same commands, and each begins as a copy of the first one, so that only little
# is built again. tools/testing/kunit/kunit.py, which is a part of the source, does the
# rest.
#
# The first time takes about five minutes on two idle cores, and 2 GB; with --kasan ten
# minutes, and 2 GB more.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
series=6.12
flavour=

# A pattern for the names of the objects from which TTM is linked.
stock_pool='/drm/ttm/ttm_pool\.o$'
our_pool='/ttmpool/lib/\(pool/\)*take\.o$'
raced_pool='/ttmpool/bench/stock\.o$'

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/kernel/suite.sh
. "$root/tools/kernel/suite.sh"

# The builds of a series, and their paths.
choose()
{
	series=$1
	work=${TTMPOOL_KUNIT_DIR:-$root/build/kunit}
	source_tar=/usr/src/linux-source-$series.tar.xz
	if [ "$series" != 6.12 ]; then
		work=$work-$series
		source_tar=$work/package$source_tar
	fi
	source=$work/linux-source-$series
	ttm=$source/drivers/gpu/drm/ttm
	mkdir -p "$work"
}

usage()
{
	cat <<'END'
usage: ./dev kunit [--kernel 6.12|7.3] [--kasan]
       ./dev kunit bench [--json]

Runs the KUnit suites that Linux (6.12, if nothing else is asked for) has for its TTM,
on the kernel's own page pool and on ttmpool in its place; with --kasan in kernels that
look for memory errors, and for locks that are taken in a wrong order.

"bench" races the two in one such kernel, by turns: how many times as long the
kernel's own takes, of buffers of 4 KiB to 64 MiB. Nothing is emulated but the
machine around them: a second is one, but there is one processor, and no caching is
changed.
END
}

say()
{
	echo "==> $*" >&2
}

fail()
{
	echo "kunit: $*" >&2
	exit 1
}

need_tools()
{
	need gcc libc6-dev make flex bison bc python3 xz-utils "$@" || return 1
	if [ "$series" = 6.12 ]; then
		need linux-source-6.12
	else
		need git perl &&
			suite_compiler libc6-dev make flex bison bc python3 xz-utils &&
			suite_source "$series" "$work/package"
	fi
}

# After a new package everything is built again: its files have the dates of its packing,
# which may be before the last build of the old ones.
unpack_source()
{
	[ -n "$(find "$source" -maxdepth 0 -newer "$source_tar" \
		2>/dev/null)" ] && return 0
	say "unpacking $source_tar"
	rm -rf "$source" "$work/unpacked" "$work"/stock* "$work"/ours* \
		"$work"/bench*
	mkdir -p "$work/unpacked"
	tar -C "$work/unpacked" -xJf "$source_tar" || return 1
	# shellcheck disable=SC2016 # make expands it
	[ "$series" != 6.12 ] || printf '\ninclude $(TTM_POOL_REPLACED_BY)\n' \
		>>"$work/unpacked/linux-source-$series/drivers/gpu/drm/ttm/Makefile"
	mv "$work/unpacked/linux-source-$series" "$source" && touch "$source"
}

# Links to files of this tree are compiled: a few links, and not one to the whole tree,
# since the kernel's source is inside it.
link_ttmpool()
{
	mkdir -p "$ttm/ttmpool"
	for part in include lib shim; do
		ln -sfn "$root/$part" "$ttm/ttmpool/$part"
	done
	ln -sfn "$here/bench" "$ttm/ttmpool/bench"
	ln -sfn "$root/tools/bench" "$ttm/ttmpool/race"
}

# Copy the result of git am to the source, file by file, as far as it is new.
patch_source()
{
	"$root/tools/ttm/patch.sh" "$series" "$work/patch" "$work/patch/series" \
		"$source_tar" || return 1
	git -C "$work/patch/am" diff --name-only origin/base HEAD \
		>"$work/patch/files" || return 1
	while read -r file; do
		cmp -s "$work/patch/am/$file" "$source/$file" && continue
		mkdir -p "$(dirname "$source/$file")" &&
			cp "$work/patch/am/$file" "$source/$file" || return 1
	done <"$work/patch/files"
}

# The source, with both pools in it.
prepare_source()
{
	unpack_source || fail "FAILED: the source could not be unpacked"
	if [ "$series" = 6.12 ]; then
		link_ttmpool
	else
		patch_source || fail "FAILED: the patches could not be applied"
	fi
}

# kunit COMMAND KERNEL ARGS...: run kunit.py, with all its output in a log.
kunit()
{
	command=$1
	kernel=$2
	shift 2
	there "$source/tools/testing/kunit/kunit.py" "$command" \
		--build_dir="$work/$kernel" "$@" \
		>"$work/$kernel-$command.log" 2>&1
}

# build POOL ARGS...: build the kernel with that pool.
build()
{
	name=$1$flavour
	shift
	say "building the kernel: $name"
	kunit build "$name" --jobs="$(getconf _NPROCESSORS_ONLN)" \
		--kunitconfig="$here/ttm.kunitconfig" "$@" || {
		tail -n 40 "$work/$name-build.log" >&2
		return 1
	}
}

# Which pool is linked into TTM, the kernel's own or ours? Not both.
has_pool()
{
	ar t "$work/$1/drivers/gpu/drm/ttm/built-in.a" >"$work/objects" &&
		grep -q "$2" "$work/objects" && ! grep -q "$3" "$work/objects"
}

build_stock()
{
	build stock "$@" && has_pool "stock$flavour" "$stock_pool" "$our_pool"
}

# copy_stock KERNEL: the other kernel's build can be used for this one, except for TTM.
copy_stock()
{
	[ ! -e "$work/$1" ] || return 0
	say "copying what is built"
	rm -rf "$work/copied"
	cp -a "$work/stock$flavour" "$work/copied" &&
		mv "$work/copied" "$work/$1"
}

build_ours()
{
	copy_stock "ours$flavour" || return 1
	if [ "$series" = 6.12 ]; then
		set -- "$@" --make_options "TTM_POOL_REPLACED_BY=$here/replace.mk"
	else
		set -- "$@" --kconfig_add CONFIG_DRM_TTM_POOL_TTMPOOL=y
	fi
	build ours "$@" && has_pool "ours$flavour" "$our_pool" "$stock_pool"
}

# The kernel of the race has both pools: the drop-in, and TTM's as bench/stock.c makes it.
build_bench()
{
	copy_stock bench || return 1
	build bench --make_options "TTM_POOL_REPLACED_BY=$here/bench/bench.mk" &&
		has_pool bench "$our_pool" "$stock_pool" &&
		has_pool bench "$raced_pool" "$stock_pool"
}

# execute KERNEL SUITES [DIRECTORY]: run the kernel. Its memory is a file, for which it
# finds a place by itself; a /dev/shm may be too small.
execute()
{
	(
		TMPDIR=${3-$work}
		export TMPDIR
		kunit exec "$1" --timeout=$((900 * ${TTMPOOL_TIMEOUT_SCALE:-1})) \
			--kernel_args="uml_dir=$work/" "$2"
	)
}

# boot KERNEL: the result of each case is in KERNEL.cases afterwards. A case that fails is
# no error here. If the kernel died, its last lines are shown.
boot()
{
	say "running the suites: $1"
	rm -f "$work/$1/test.log"
	execute "$1" 'ttm_*' || say "not every case passed: $1"
	awk -f "$here/cases.awk" "$work/$1/test.log" >"$work/$1.cases" ||
		return 1
	grep -qx end "$work/$1.cases" || tail -n 30 "$work/$1/test.log" >&2
}

# Before KASAN is trusted to find nothing: does it find a use after free? Its own suite
# has a case for that.
check_kasan()
{
	say "looking whether KASAN finds what it should: $1"
	execute "$1" kasan.kmalloc_uaf &&
		grep -q 'BUG: KASAN: slab-use-after-free' "$work/$1/test.log"
}

run()
{
	build_stock "$@" || fail "FAILED: the kernel could not be built"
	build_ours "$@" || fail "FAILED: the one with ttmpool could not be built"
	for pool in stock ours; do
		[ -z "$flavour" ] || check_kasan "$pool$flavour" ||
			fail "FAILED: KASAN is not at work in $pool$flavour"
		boot "$pool$flavour" || fail "FAILED: $pool could not be run"
	done
	remark
	awk -f "$here/compare.awk" "$work/stock$flavour.cases" \
		"$work/ours$flavour.cases"
}

# What the numbers do not show.
remark()
{
	cat <<'END'
Two checks in these cases are vacuous: ttm_pool_free_no_dma_alloc looks at a list
that nobody has set up, ttm_device_init_pools at copies of the heads of empty
lists. They say nothing of a pool.

END
}

# A place where the machine's 1 GiB is not written to a disk in between, if there is room,
# and if files there may be executed, which this one is.
memory_place()
{
	room=$(df -k --output=avail /dev/shm 2>/dev/null | tail -n 1)
	if [ "${room:-0}" -gt 1200000 ] &&
		! grep -q '^[^ ]* /dev/shm [^ ]* [^ ]*noexec' /proc/mounts; then
		echo /dev/shm
	else
		echo "$work"
	fi
}

race()
{
	log=$work/bench/test.log
	say "racing"
	rm -f "$log"
	execute bench 'ttmpool_race' "$(memory_place)" || {
		tail -n 30 "$log" >&2
		return 1
	}
	awk -f "$here/cases.awk" "$log" >"$work/bench.cases" || return 1
	if ! grep -qx end "$work/bench.cases" || grep '^alarm' \
		"$work/bench.cases" | grep -v 'um/drivers/virt-pci.c' >&2; then
		tail -n 30 "$log" >&2
		return 1
	fi
	awk -f "$here/bench/race.awk" "$log" >"$work/bench.json"
}

run_bench()
{
	[ "$#" -eq 0 ] || [ "$*" = --json ] || fail "bench: no such option: $*"
	build_stock || fail "FAILED: the kernel could not be built"
	build_bench || fail "FAILED: the one with both pools could not be built"
	race || fail "FAILED: the race did not come to its end"
	if [ $# -eq 1 ]; then
		cat "$work/bench.json"
		return
	fi
	jq -r -f "$here/bench/table.jq" "$work/bench.json"
	echo "kunit bench: $(jq length "$work/bench.json") rows"
}

parse()
{
	while [ $# -gt 0 ]; do
		case $1 in
		--kasan) flavour=-kasan ;;
		--kernel)
			case ${2-} in
			6.12 | 7.3) choose "$2" ;;
			*) fail "--kernel: 6.12 or 7.3, not \"${2-}\"" ;;
			esac
			shift
			;;
		*)
			usage >&2
			fail "no such option: $1"
			;;
		esac
		shift
	done
}

choose 6.12
case ${1-} in
bench)
	shift
	need_tools jq || fail "FAILED: packages are missing"
	prepare_source
	run_bench "$@"
	exit
	;;
help | --help | -h)
	usage
	exit 0
	;;
esac
parse "$@"
need_tools || fail "FAILED: packages are missing"
prepare_source
if [ -z "$flavour" ]; then
	run
else
	run --kunitconfig="$here/kasan.kunitconfig"
fi
