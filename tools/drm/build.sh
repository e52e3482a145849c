#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# build.sh KERNEL_DIR OUT: for a kernel that fetch.sh has put into KERNEL_DIR, build
# ttmpool.ko, drm_gem_ttmpool.ko, and the driver examples/bochs-pool on either allocator;
# they are in OUT/*.ko afterwards, and the client is OUT/client. A warning is an error;
# with CHECK=1 in the environment sparse's warnings are, too.
#
# SUITE_FOLDER in the environment: a system in a folder, in which the compiler runs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd -P)
kernel=$1
out=$2
release=$(cat "$kernel/release")
headers=$(cd "$kernel/usr/src/linux-headers-$release" && pwd -P)
common=$(echo "$kernel"/usr/src/linux-headers-*-common)
mkdir -p "$out"
out=$(cd "$out" && pwd -P)

in_suite()
{
	if [ -z "${SUITE_FOLDER-}" ]; then
		"$@"
	else
		"$root/tools/kernel/enter.sh" "$SUITE_FOLDER" "$root" "$kernel/.." "$out" \
			-- "$@"
	fi
}

# What sparse 0.6.4 does not know: see tools/kernel/build.sh.
sparse_flags="-D__typeof_unqual__=__typeof__ '-D__builtin_strlen(s)=(sizeof(s)-1)'"

# kbuild NAME DIR ARGS...: build the modules of one directory.
kbuild()
{
	log=$out/$1.log
	dir=$2
	shift 2
	if ! in_suite make -C "$headers" M="$dir" -j"$(getconf _NPROCESSORS_ONLN)" \
		KCFLAGS=-Werror ${CHECK:+C=2 "CF=$sparse_flags"} \
		"$@" modules >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
	if grep -E 'warning:|WARNING:|: error:' "$log" >&2; then
		echo "build: the log of $dir has warnings" >&2
		return 1
	fi
	find "$dir" -name '*.ko' -exec cp {} "$out" \;
}

# The interface is in the kernel's own headers; __user is only for its checker.
build_client()
{
	gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -O2 -static \
		-D__user= -idirafter "$common/include/uapi" \
		"$root"/tests/drm-client/*.c -o "$out/client"
}

"$root/tools/kernel/link-tree.sh" "$out/tree" Kbuild include lib shim/linux
(CHECK='' && kbuild ttmpool "$out/tree")
kbuild helper "$out/tree/shim/linux/drm" KBUILD_EXTRA_SYMBOLS="$out/tree/Module.symvers"

symbols="$out/tree/Module.symvers $out/tree/shim/linux/drm/Module.symvers"
for allocator in ttmpool shmem; do
	mkdir -p "$out/$allocator"
	ln -sf "$root"/examples/bochs-pool/*.[ch] "$out/$allocator/"
	ln -sf "$root/examples/bochs-pool/Kbuild.$allocator" "$out/$allocator/Kbuild"
	kbuild "$allocator" "$out/$allocator" TTMPOOL="$out/tree" \
		KBUILD_EXTRA_SYMBOLS="$symbols"
done
mkdir -p "$out/cases"
ln -sf "$root"/tests/drm/* "$out/cases/"
kbuild cases "$out/cases" TTMPOOL="$out/tree" KBUILD_EXTRA_SYMBOLS="$symbols"
build_client
