# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $here, $work, $modes: run.sh's
#
# ./dev kernel debug: the matrix of run.sh, which reads this file, on a kernel
# that is built to find bugs and to make things fail (debug-kernel.config).
#
# To build.sh and boot.sh it looks like one that fetch.sh has unpacked:
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

configure()
{
	cmp -s "$here/debug-kernel.config" "$objects/fragment" &&
		[ -e "$objects/.config" ] && return 0
	mkdir -p "$objects"
	make -C "$source" O="$objects" x86_64_defconfig kvm_guest.config &&
		"$source/scripts/kconfig/merge_config.sh" -m -O "$objects" \
			"$objects/.config" "$here/debug-kernel.config" &&
		make -C "$source" O="$objects" mod2yesconfig olddefconfig &&
		cp "$here/debug-kernel.config" "$objects/fragment"
}

# Whatever the fragment asks for and Kconfig did not grant.
check_config()
{
	awk 'NR == FNR { granted[$0] = 1; next }
	     /^CONFIG_.*=/ && !granted[$0] {
		     print "debug: not in this kernel: " $0; refused = 1
	     }
	     END { exit refused }' \
		"$objects/.config" "$here/debug-kernel.config" >&2
}

build_kernel()
{
	say "building the debug kernel"
	make -C "$source" O="$objects" -j"$(getconf _NPROCESSORS_ONLN)" \
		bzImage modules
}

# Where build.sh and boot.sh look.
install_kernel()
{
	release=$(make -s -C "$source" O="$objects" kernelrelease | tail -n 1)
	rm -rf "$work/debug"
	mkdir -p "$work/debug/boot" "$work/debug/usr/src"
	ln -s "$objects/arch/x86/boot/bzImage" "$work/debug/boot/vmlinuz-$release"
	ln -s "$objects" "$work/debug/usr/src/linux-headers-$release"
	echo "$release" >"$work/debug/release"
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

# The traffic, beside the modules that build.sh makes.
build_churn()
{
	make -C "$objects" M="$out/cases/tests/faults" KCFLAGS=-Werror \
		KBUILD_EXTRA_SYMBOLS="$out/shared/Module.symvers" modules \
		>"$out/faults.log" 2>&1 || {
		tail -n 20 "$out/faults.log" >&2
		return 1
	}
	cp "$out/cases/tests/faults/ttmpool_churn.ko" "$out"
}

# An initial file system may have parts: the second one has init-debug.sh.
build_initramfs()
{
	"$here/initramfs.sh" "$out" "$out/initramfs.gz" "$work/debug" ||
		return 1
	tree=$(mktemp -d)
	cp "$here/init-debug.sh" "$tree/debug.sh"
	(cd "$tree" && echo debug.sh | cpio -o -H newc --quiet | gzip -1) \
		>>"$out/initramfs.gz"
	rm -rf "$tree"
}

prepare_debug()
{
	prepare_simulated && prepare_kernel || return 1
	out=$work/out-debug
	say "debug: building for $release"
	mkdir -p "$out"
	rm -f "$out"/*.ko
	"$here/build.sh" "$work/debug" "$out" && build_churn && build_initramfs
}

count_points()
{
	cat "$work"/debug-*.log | tr -d '\r' |
		awk '/^points: / { n += $3 } END { print n + 0 }'
}

run_debug()
{
	modes="large-pages $modes"
	parse "$@"
	need_debug_tools || fail "packages are missing"
	work=$work-debug
	mkdir -p "$work"
	start_table
	rm -f "$work"/debug-*.log
	prepare_debug || fail "debug: could not be built"
	export TIMEOUT=3000 PRESSURE_MEMORY=256M
	boot_modes debug
	echo "failures injected: $(count_points)"
	close_table "kernel debug"
}
