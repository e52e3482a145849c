#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# initramfs.sh MODULES FILE KERNEL [INIT]: make an initial file system of busybox, the
# modules in the directory MODULES, those of KERNEL that a disk needs, and a first
# program: init.sh by default. PROGRAMS: more programs for its /bin, with the libraries
# that they need. The busybox of another architecture is among the packages in KERNEL.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
modules=$1
file=$2
kernel=$3
init=${4:-$here/init.sh}
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree/bin" "$tree/dev" "$tree/proc" "$tree/sys" "$tree/modules"
strip="strip"
if [ -e "$kernel/bin/busybox" ]; then
	cp "$kernel/bin/busybox" "$tree/bin/busybox"
	strip=aarch64-linux-gnu-strip
	PROGRAMS=
else
	cp "$(command -v busybox)" "$tree/bin/busybox"
fi
for ko in "$modules"/*.ko; do
	"$strip" -g -o "$tree/modules/$(basename "$ko")" "$ko"
done
for name in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev \
	virtio_pci virtio_blk; do
	find "$kernel/lib/modules" -name "$name.ko*" 2>/dev/null |
		while read -r ko; do
			case $ko in
			*.xz) xz -dc "$ko" >"$tree/modules/$name.ko" ;;
			*) cp "$ko" "$tree/modules/" ;;
			esac
		done
done
for program in ${PROGRAMS-}; do
	cp "$program" "$tree/bin/"
	ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$tree$(dirname "$library")"
		cp -L "$library" "$tree$library"
	done
done
cp "$here/machine.sh" "$tree/"
cp "$init" "$tree/init"
chmod +x "$tree/init"
(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$file"
