#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# initramfs.sh KERNEL_DIR DIR FILE: make an initial file system with the kernel's modules
# that the drivers need, in the order in which they are loaded, and those that a disk
# needs; from DIR the other modules and the client; and init.sh.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
kernel=$1
built=$2
file=$3
release=$(cat "$kernel/release")
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/ko" "$tree/part/modules" "$tree/part/bin"

PATH=$PATH:/sbin:/usr/sbin
depmod -b "$kernel" "$release"
# shellcheck source=tools/kernel/add-modules.sh
. "$here/../kernel/add-modules.sh"

add_modules order drm_kms_helper drm_shmem_helper vgem
add_modules disk virtio_pci virtio_blk ext4
cp "$built"/*.ko "$tree/ko/"

"$here/../kernel/initramfs.sh" "$tree/ko" "$file" "$kernel" "$here/init.sh"
cp "$built/client" "$tree/part/bin/"
cp "$here/init-igt.sh" "$tree/part/igt.sh"
cp "$here/../ttm/xorg.sh" "$tree/part/"
sed '/^#/d' "$here/igt.txt" >"$tree/part/igt.txt"
(cd "$tree/part" && find . -type f | cpio -o -H newc --quiet | gzip -1) >>"$file"
