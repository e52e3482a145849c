#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# build.sh SERIES KERNEL_DIR OUT: a ttm.ko for a kernel that fetch.sh has put into
# KERNEL_DIR, from what source.sh makes of TTM. It is OUT/ours/ttm.ko afterwards, and has
# passed abi.sh; beside it are Debian's own, OUT/stock.ko, and the client.
#
# Stock is Debian's binary: it is what everybody runs, and what must be matched.
# The source has to be that of the kernel, to the last number.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
series=$1
kernel=$2
out=$3
release=$(cat "$kernel/release")
headers=$(cd "$kernel/usr/src/linux-headers-$release" && pwd)
common=$(echo "$kernel"/usr/src/linux-headers-*-common)
mkdir -p "$out"
out=$(cd "$out" && pwd)
source=$out/linux-source-$series

version_of()
{
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$1/Makefile" |
		paste -sd.
}

same_version()
{
	[ "$(version_of "$source")" = "$(version_of "$common")" ] && return 0
	echo "build: linux-source-$series is $(version_of "$source")," \
		"the kernel is $(version_of "$common"): install the newest" >&2
	return 1
}

# What abi.sh compares with: the kernel and Debian's ttm.ko, not compressed.
unpack_stock()
{
	sh "$source/scripts/extract-vmlinux" \
		"$kernel/boot/vmlinuz-$release" >"$out/vmlinux"
	ko=$(echo "$kernel"/lib/modules/*/kernel/drivers/gpu/drm/ttm/ttm.ko*)
	case $ko in
	*.xz) xz -dc "$ko" >"$out/stock.ko" ;;
	*) cp "$ko" "$out/stock.ko" ;;
	esac
}

build_ours()
{
	log=$out/ours.log
	rm -f "$out/ours/ttm.ko"
	if ! make -C "$headers" M="$out/ours" \
		-j"$(getconf _NPROCESSORS_ONLN)" KCFLAGS=-Werror modules \
		>"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
	if grep -E 'warning:|WARNING:|: error:' "$log" >&2; then
		echo "build: there are warnings" >&2
		return 1
	fi
}

# A module that calls TTM's pool as drivers do, for either ttm.ko.
build_ways()
{
	"$here/../kernel/link-tree.sh" "$out/ways" tests/ttm
	log=$out/ways.log
	if ! make -C "$headers" M="$out/ways/tests/ttm" KCFLAGS=-Werror modules \
		>"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
	cp "$out/ways/tests/ttm/ttm_ways.ko" "$out"
}

# The interface is that of the kernel's own headers; __user is for its checker.
build_client()
{
	gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -O2 -static \
		-D__user= -idirafter "$common/include/uapi" \
		"$root"/tests/ttm-client/*.c -o "$out/client"
}

"$here/source.sh" "$series" "$out"
same_version
unpack_stock
build_ours
# shellcheck disable=SC2046 # a list of files
python3 "$root/tests/floors/floors.py" --kernel \
	--interface "$common/include/drm/ttm/ttm_pool.h" \
	--others $(find "$out/ours/ttmpool/" -name '*.o' ! -name '*.mod.o') >&2
build_ways
"$here/abi.sh" "$headers/Module.symvers" "$out"
build_client
