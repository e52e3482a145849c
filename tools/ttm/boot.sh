#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot.sh KERNEL_DIR INITRAMFS DRIVER POOL LOG [DISK]: boot a machine with that driver's
# device, a disk for swapping, and DISK to read. Keep its console in LOG, and its last
# picture, if there is one, in LOG.ppm.
#
# The clock is the usual one: qxl waits for its device, which is a thread of the emulator,
# and its timeout is in the guest's time. tools/kernel/boot.sh says why the CPU has no
# cmpxchg16b.
#
# A machine that shows a picture waits until it is taken, through QEMU's monitor, and gets
# a line on its second serial port then. Both are pairs of pipes.
set -eu

kernel=$1
initramfs=$2
driver=$3
pool=$4
log=$5
disk=${6-}
release=$(cat "$kernel/release")
append='console=ttyS0 panic=-1 oops=panic loglevel=5 printk.time=0'
append="$append random.trust_cpu=on iommu=off driver=$driver pool=$pool"

# Small cards, so that they are full soon.
spice=$(mktemp -u)
case ${driver%-xorg} in
qxl)
	devices="-spice disable-ticketing=on,unix=on,addr=$spice
		-device qxl-vga,ram_size_mb=16,vram_size_mb=8,vgamem_mb=8"
	;;
bochs) devices='-device bochs-display,vgamem=16M' ;;
radeon) devices='-device ati-vga,model=rv100,vgamem_mb=16' ;;
ways)
	devices=
	MEMORY=1G
	;;
fill)
	devices='-object memory-backend-ram,id=m0,size=512M
		-object memory-backend-ram,id=m1,size=512M
		-numa node,nodeid=0,cpus=0-1,memdev=m0
		-numa node,nodeid=1,memdev=m1'
	MEMORY=1G
	;;
shrink*)
	devices=
	MEMORY=320M
	;;
*)
	echo "boot: no such driver: $driver" >&2
	exit 2
	;;
esac
[ -z "$disk" ] || devices="$devices -device virtio-blk-pci,drive=disk
	-drive if=none,id=disk,format=raw,readonly=on,file=$disk"

# When the picture is there, take it, and tell the machine.
photograph()
{
	while ! grep -q '^client: the picture is shown' "$log" 2>/dev/null; do
		sleep 1
	done
	sleep 2
	echo "screendump $log.ppm" >"$log.monitor.in"
	while ! [ -s "$log.ppm" ]; do
		sleep 1
	done
	sleep 1
	echo taken >"$log.line.in"
}

pipes="$log.monitor.in $log.monitor.out $log.line.in $log.line.out"
# shellcheck disable=SC2086 # a list of words
rm -f "$log" "$log.ppm" $pipes
# shellcheck disable=SC2086 # a list of words
mkfifo $pipes
truncate -s 512M "$log.swap"
photograph &
others=$!
for pipe in monitor line; do
	cat "$log.$pipe.out" >/dev/null &
	others="$others $!"
done

# End the processes that still wait for the machine, which has ended.
clean_up()
{
	for pid in $others; do
		kill "$pid" 2>/dev/null || continue
	done
	# shellcheck disable=SC2086 # a list of words
	rm -f $pipes "$log.swap" "$spice"
}
trap clean_up EXIT

# shellcheck disable=SC2086 # lists of words
timeout "$((${TIMEOUT:-600} * ${TTMPOOL_TIMEOUT_SCALE:-1}))" qemu-system-x86_64 \
	-accel tcg,thread=multi -cpu max,-cx16 -M q35 -m "${MEMORY:-256M}" -smp 2 \
	-nodefaults -display none -no-reboot -serial "file:$log" \
	-serial "pipe:$log.line" -monitor "pipe:$log.monitor" \
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initramfs" \
	-append "$append" -device virtio-blk-pci,drive=swap \
	-drive "if=none,id=swap,format=raw,file=$log.swap" \
	$devices </dev/null
