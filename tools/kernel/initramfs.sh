#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# initramfs.sh MODULES FILE: an initial file system of busybox, the modules in
# the directory MODULES, and init.sh.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
modules=$1
file=$2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/modules"
cp "$(command -v busybox)" "$tree/bin/busybox"
for ko in "$modules"/*.ko; do
	strip -g -o "$tree/modules/$(basename "$ko")" "$ko"
done
cp "$here/init.sh" "$tree/init"
chmod +x "$tree/init"
(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$file"
