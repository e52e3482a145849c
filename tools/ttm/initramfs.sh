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
# shellcheck source=tools/kernel/add-modules.sh
. "$here/../kernel/add-modules.sh"

case $driver in
ways | fill | shrink*) add_modules order ttm ;;
*) add_modules order "${driver%-xorg}" ;;
esac
grep -qx 'ttm\.ko' "$tree/part/modules/order"
[ "$ttm" = stock ] || cp "$ttm" "$tree/ko/ttm.ko"
case $driver in
ways | fill | shrink*)
	cp "$built/ttm_${driver%-faults}.ko" "$tree/ko/"
	echo "ttm_${driver%-faults}.ko" >>"$tree/part/modules/order"
	;;
*-xorg) add_modules disk ext4 ;;
esac

"$here/../kernel/initramfs.sh" "$tree/ko" "$file" "$kernel" "$here/init.sh"
cp "$built/client" "$tree/part/bin/"
cp "$here/xorg.sh" "$tree/part/"
(cd "$tree/part" && find . -type f | cpio -o -H newc --quiet | gzip -1) >>"$file"
