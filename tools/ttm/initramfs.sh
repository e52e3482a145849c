#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# initramfs.sh KERNEL_DIR DRIVER TTM_KO DIR FILE: make an initial file system with the
# modules that a driver needs, in the order in which they are loaded. They are Debian's
# own, except for ttm.ko, which is TTM_KO, or Debian's, too, if that is "stock". From DIR
# come the client, or, instead of a driver, ttm_ways.ko ("ways"), ttm_fill.ko ("fill") or
# ttm_shrink.ko ("shrink", "shrink-faults"); and init.sh. A machine with an X server
# ("qxl-xorg") has the modules for a file system, too.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernel=$1
driver=$2
ttm=$3
built=$4
file=$5
release=$(cat "$kernel/release")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/ko" "$tree/part/modules" "$tree/part/bin"

PATH=$PATH:/sbin:/usr/sbin
depmod -b "$kernel" "$release"
# add_modules NAME ORDER: add a module, and all that it needs, to the others; the file
# ORDER gets their order.
add_modules()
{
	modprobe -d "$kernel" -S "$release" --show-depends "$1" |
		sed -n 's/^insmod \([^ ]*\).*/\1/p' >"$tree/list"
	while read -r ko; do
		name=$(basename "$ko" .xz)
		echo "$name" >>"$tree/part/modules/$2"
		case $ko in
		*.xz) xz -dc "$ko" >"$tree/ko/$name" ;;
		*) cp "$ko" "$tree/ko/$name" ;;
		esac
	done <"$tree/list"
}

case $driver in
ways | fill | shrink*) add_modules ttm order ;;
*) add_modules "${driver%-xorg}" order ;;
esac
grep -qx 'ttm\.ko' "$tree/part/modules/order"
[ "$ttm" = stock ] || cp "$ttm" "$tree/ko/ttm.ko"
case $driver in
ways | fill | shrink*)
	cp "$built/ttm_${driver%-faults}.ko" "$tree/ko/"
	echo "ttm_${driver%-faults}.ko" >>"$tree/part/modules/order"
	;;
*-xorg) add_modules ext4 disk ;;
esac

"$here/../kernel/initramfs.sh" "$tree/ko" "$file" "$kernel" "$here/init.sh"
cp "$built/client" "$tree/part/bin/"
cp "$here/xorg.sh" "$tree/part/"
(cd "$tree/part" && find . -type f | cpio -o -H newc --quiet | gzip -1) >>"$file"
