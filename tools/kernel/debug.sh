# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $here, $work, $modes: run.sh's
#
# Kernels that are built here, from Debian's source, to find bugs: run.sh reads
# this file. There are two, each of built-kernel.config and a fragment of its own:
#
#     ./dev kernel debug   debug-kernel.config: the matrix, and things are made
#                          to fail (init-debug.sh)
#     ./dev kernel kcsan   kcsan-kernel.config: data races are looked for
#                          (init-kcsan.sh)
#
# To build.sh and boot.sh one looks like what fetch.sh has unpacked; of "debug":
#
#     build/kernel-debug/linux-source-6.12/   the source, from Debian's package
#     build/kernel-debug/obj/                 what is built
#     build/kernel-debug/debug/release, boot/vmlinuz-*, usr/src/linux-headers-*
#
# The first time takes a quarter of an hour on two idle cores.

source_tar=/usr/src/linux-source-6.12.tar.xz

need_debug_tools()
{
	need_tools && need linux-source-6.12 xz-utils flex bison bc libelf-dev \
		libssl-dev
}

unpack_source()
{
	[ -n "$(find "$source/Makefile" -newer "$source_tar" 2>/dev/null)" ] &&
		return 0
	say "unpacking $source_tar"
	rm -rf "$source"
	tar -C "$work" -xJf "$source_tar" && touch "$source/Makefile"
}

# All that is asked for of the kernel $flavour.
fragments()
{
	cat "$here/built-kernel.config" "$here/$flavour-kernel.config"
}

configure()
{
	fragments | cmp -s - "$objects/fragment" && [ -e "$objects/.config" ] &&
		return 0
	mkdir -p "$objects"
	make -C "$source" O="$objects" x86_64_defconfig kvm_guest.config &&
		"$source/scripts/kconfig/merge_config.sh" -m -O "$objects" \
			"$objects/.config" "$here/built-kernel.config" \
			"$here/$flavour-kernel.config" &&
		make -C "$source" O="$objects" mod2yesconfig olddefconfig &&
		fragments >"$objects/fragment"
}

# Whatever the fragments ask for and Kconfig did not grant.
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
	say "building the kernel to find bugs: $flavour"
	make -C "$source" O="$objects" -j"$(getconf _NPROCESSORS_ONLN)" \
		bzImage modules
}

# Where build.sh and boot.sh look.
install_kernel()
{
	release=$(make -s -C "$source" O="$objects" kernelrelease | tail -n 1)
	tree=$work/$flavour
	rm -rf "$tree"
	mkdir -p "$tree/boot" "$tree/usr/src"
	ln -s "$objects/arch/x86/boot/bzImage" "$tree/boot/vmlinuz-$release"
	ln -s "$objects" "$tree/usr/src/linux-headers-$release"
	echo "$release" >"$tree/release"
}

prepare_kernel()
{
	source=$work/linux-source-6.12
	objects=$work/obj
	log=$work/kernel.log
	mkdir -p "$work"
	if ! { unpack_source && configure && check_config && build_kernel &&
		install_kernel; } >"$log"; then
		tail -n 20 "$log" >&2
		return 1
	fi
}

# More modules than build.sh makes, on ttmpool.ko: those of a directory of tests.
build_more()
{
	make -C "$objects" M="$out/cases/tests/$1" KCFLAGS=-Werror \
		KBUILD_EXTRA_SYMBOLS="$out/shared/Module.symvers" modules \
		>"$out/$1.log" 2>&1 || {
		tail -n 20 "$out/$1.log" >&2
		return 1
	}
	cp "$out/cases/tests/$1"/*.ko "$out"
}

# The traffic, with the kernel's own pool in it, to be swept beside ours.
build_faults()
{
	ln -sf "$source/drivers/gpu/drm/ttm/ttm_pool.c" "$out/cases/tests/faults/" &&
		build_more faults
}

build_races()
{
	build_more races
}

# An initial file system may have parts: the second one has init-$flavour.sh.
build_initramfs()
{
	"$here/initramfs.sh" "$out" "$out/initramfs.gz" "$work/$flavour" ||
		return 1
	tree=$(mktemp -d)
	cp "$here/init-$flavour.sh" "$tree/debug.sh"
	(cd "$tree" && echo debug.sh | cpio -o -H newc --quiet | gzip -1) \
		>>"$out/initramfs.gz"
	rm -rf "$tree"
}

# prepare_flavour FLAVOUR DIRECTORY: the kernel, and all modules for it.
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

# boot_flavour FLAVOUR DIRECTORY OPTION...: what was asked for, on such a kernel.
boot_flavour()
{
	flavour=$1
	directory=$2
	shift 2
	parse "$@"
	need_debug_tools || fail "packages are missing"
	work=$work-$flavour
	mkdir -p "$work"
	start_table
	rm -f "$work/$flavour"-*.log
	prepare_flavour "$flavour" "$directory" ||
		fail "$flavour: could not be built"
	export TIMEOUT=3000 PRESSURE_MEMORY=256M
	boot_modes "$flavour"
}

run_debug()
{
	modes="large-pages $modes"
	boot_flavour debug faults "$@"
	echo "failures injected: $(count_points)"
	case $modes in
	*large-pages*)
		awk -f "$here/sweep.awk" "$work"/debug-*.log ||
			failed=$((failed + 1))
		;;
	esac
	close_table "kernel debug"
}

# Two processors that run at once, and so the usual clock.
run_kcsan()
{
	modes='none pressure'
	boot_flavour kcsan races "$@"
	awk -f "$here/kcsan.awk" "$work"/kcsan-*.log || failed=$((failed + 1))
	close_table "kernel kcsan"
}
