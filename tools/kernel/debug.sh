# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $here, $root, $work, $modes, $kernels: run.sh's
#
# Kernels that are built here, from Debian's source, to find bugs: run.sh reads this file.
# There are two flavours, each made from built-kernel.config and a fragment of its own:
#
#     ./dev kernel debug   debug-kernel.config: the matrix, and calls are made to fail
#                          (init-debug.sh); 6.12, or 7.3 on request
#     ./dev kernel kcsan   kcsan-kernel.config: looks for data races
#                          (init-kcsan.sh); 6.12
#
# build.sh and boot.sh find the same layout as that of fetch.sh; for "debug":
#
#     build/kernel-debug-6.12/linux-source-6.12/   the source, from Debian's package
#     build/kernel-debug-6.12/obj/                 the build
#     build/kernel-debug-6.12/debug/release, boot/vmlinuz-*, usr/src/linux-headers-*
#
# The first time takes a quarter of an hour on two idle cores.

kernel_tools='xz-utils flex bison bc libelf-dev libssl-dev python3'

need_source()
{
	tar=usr/src/linux-source-$series.tar.xz
	if [ "$series" = 6.12 ]; then
		source_tar=/$tar
		need "linux-source-$series"
	else
		source_tar=$work/package/$tar
		suite_source "$series" "$work/package"
	fi
}

need_compiler()
{
	unset SUITE_FOLDER
	# shellcheck disable=SC2086 # a list of words
	[ "$series" = 6.12 ] || suite_compiler $kernel_tools
}

need_debug_tools()
{
	# shellcheck disable=SC2086 # a list of words
	need_tools && need $kernel_tools && need_compiler && need_source
}

unpack_source()
{
	[ -n "$(find "$source/Makefile" -newer "$source_tar" 2>/dev/null)" ] &&
		return 0
	say "unpacking $source_tar"
	rm -rf "$source"
	tar -C "$work" -xJf "$source_tar" && touch "$source/Makefile"
}

# All configuration fragments of the kernel $flavour.
fragments()
{
	cat "$here/built-kernel.config" "$here/$flavour-kernel.config"
}

configure()
{
	fragments | cmp -s - "$objects/fragment" && [ -e "$objects/.config" ] &&
		return 0
	mkdir -p "$objects"
	there make -C "$source" O="$objects" x86_64_defconfig kvm_guest.config &&
		"$source/scripts/kconfig/merge_config.sh" -m -O "$objects" \
			"$objects/.config" "$here/built-kernel.config" \
			"$here/$flavour-kernel.config" &&
		there make -C "$source" O="$objects" mod2yesconfig olddefconfig &&
		fragments >"$objects/fragment"
}

# Report options of the fragments that Kconfig did not set.
check_config()
{
	awk 'NR == FNR { granted[$0] = 1; next }
	     /^CONFIG_.*=/ && !granted[$0] {
		     print "kernel: not in this one: " $0; refused = 1
	     }
	     END { exit refused }' \
		"$objects/.config" "$objects/fragment" >&2
}

build_kernel()
{
	say "building the kernel to find bugs: $flavour $series"
	there make -C "$source" O="$objects" -j"$(getconf _NPROCESSORS_ONLN)" \
		bzImage modules
}

# Put the kernel where build.sh and boot.sh look for it.
install_kernel()
{
	release=$(there make -s -C "$source" O="$objects" kernelrelease | tail -n 1)
	tree=$work/$flavour
	rm -rf "$tree"
	mkdir -p "$tree/boot" "$tree/usr/src"
	ln -s "$objects/arch/x86/boot/bzImage" "$tree/boot/vmlinuz-$release"
	ln -s "$objects" "$tree/usr/src/linux-headers-$release"
	echo "$release" >"$tree/release"
}

prepare_kernel()
{
	source=$work/linux-source-$series
	objects=$work/obj
	log=$work/kernel.log
	mkdir -p "$work"
	if ! { unpack_source && configure && check_config && build_kernel &&
		install_kernel; } >"$log"; then
		tail -n 20 "$log" >&2
		return 1
	fi
}

# Build more modules than build.sh does, on ttmpool.ko: those of a directory of tests.
build_more()
{
	there make -C "$objects" M="$out/cases/tests/$1" KCFLAGS=-Werror \
		KBUILD_EXTRA_SYMBOLS="$out/shared/Module.symvers" modules \
		>"$out/$1.log" 2>&1 || {
		tail -n 20 "$out/$1.log" >&2
		return 1
	}
	cp "$out/cases/tests/$1"/*.ko "$out"
}

# The traffic, with the kernel's own pool in it, which is swept beside ours.
build_faults()
{
	rm -f "$out"/cases/tests/faults/ttm_*.c
	for file in "$source"/drivers/gpu/drm/ttm/ttm_pool.c \
		"$source"/drivers/gpu/drm/ttm/ttm_backup.c; do
		[ ! -e "$file" ] || ln -sf "$file" "$out/cases/tests/faults/" || return 1
	done
	build_more faults
}

build_races()
{
	build_more races
}

build_initramfs()
{
	"$here/initramfs.sh" "$out" "$out/initramfs.gz" "$work/$flavour" &&
		"$here/more.sh" "$out/initramfs.gz" "$flavour"
}

# prepare_flavour FLAVOUR DIRECTORY: build the kernel, and all modules for it.
prepare_flavour()
{
	flavour=$1
	prepare_simulated && prepare_kernel || return 1
	out=$work/out-$flavour
	say "$flavour: building for $release"
	mkdir -p "$out"
	rm -f "$out"/*.ko
	"$here/build.sh" "$work/$flavour" "$out" && "build_$2" &&
		build_initramfs
}

count_points()
{
	cat "$work"/debug-*.log | tr -d '\r' |
		awk '/^points: / { n += $3 } END { print n + 0 }'
}

# boot_flavour FLAVOUR DIRECTORY SERIES OPTION...: run the requested modes on such a
# kernel; SERIES are those for which the flavour exists, the first one if none is given.
boot_flavour()
{
	flavour=$1
	directory=$2
	offered=$3
	shift 3
	kernels=${offered%% *}
	parse "$@"
	series=$kernels
	case " $offered " in
	*" ${series%% *} "*) ;;
	*) fail "$flavour: no such kernel: $series" ;;
	esac
	[ "${series#* }" = "$series" ] || fail "$flavour: one kernel at a time"
	work=$work-$flavour-$series
	mkdir -p "$work"
	need_debug_tools || fail "packages are missing"
	start_table
	rm -f "$work/$flavour"-*.log
	prepare_flavour "$flavour" "$directory" ||
		fail "$flavour: could not be built"
	export TIMEOUT=3000 PRESSURE_MEMORY=320M
	boot_modes "$flavour"
}

run_debug()
{
	modes="large-pages $modes"
	boot_flavour debug faults '6.12 7.3' "$@"
	echo "failures injected: $(count_points)"
	case $modes in
	*large-pages*)
		awk -f "$here/sweep.awk" "$work"/debug-*.log ||
			failed=$((failed + 1))
		;;
	esac
	close_table "kernel debug"
}

# Two processors that run at the same time, and so the usual clock.
run_kcsan()
{
	modes='none pressure'
	boot_flavour kcsan races 6.12 "$@"
	awk -f "$here/kcsan.awk" "$work"/kcsan-*.log || failed=$((failed + 1))
	close_table "kernel kcsan"
}
