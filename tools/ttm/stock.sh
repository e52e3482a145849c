#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# stock.sh ROOT RELEASE HEADERS SOURCE OUT: prepare what abi.sh compares a ttm.ko with.
# The kernel RELEASE is below ROOT; it becomes OUT/vmlinux, and its ttm.ko OUT/stock.ko,
# both uncompressed. Refuses if SOURCE has another version than HEADERS, or if there is no
# kernel to compare with.
set -eu

root=${1%/}
release=$2
headers=$3
source=$4
out=$5

refuse()
{
	echo "ttm.ko for $release: REFUSED: $*" >&2
	exit 1
}

source_version()
{
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$source/Makefile" |
		paste -sd.
}

headers_version()
{
	sed -n 's/^#define LINUX_VERSION_\(MAJOR\|PATCHLEVEL\|SUBLEVEL\) //p' \
		"$headers/include/generated/uapi/linux/version.h" | paste -sd.
}

unpack()
{
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

is=$(source_version)
wanted=$(headers_version)
[ "$is" = "$wanted" ] ||
	refuse "the source is of version $is, the kernel of $wanted"
image=$root/boot/vmlinuz-$release
[ -e "$image" ] || refuse "$image is not there to compare with"
ko=$(find "$root/lib/modules/$release/kernel/drivers/gpu/drm/ttm/" -name 'ttm.ko*' \
	2>/dev/null)
[ -n "$ko" ] || refuse "the kernel's own ttm.ko is not there to compare with"
mkdir -p "$out"
unpack "$ko" >"$out/stock.ko"
sh "$source/scripts/extract-vmlinux" "$image" >"$out/vmlinux" ||
	refuse "$image cannot be unpacked"
