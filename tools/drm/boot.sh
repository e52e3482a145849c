#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot.sh KERNEL_DIR INITRAMFS VARIANT LOG: boot a machine with two displays and a disk
# for swapping; keep its console in LOG, and a picture of its first display, if there is
# one, in LOG.ppm. VARIANT is an allocator and the kind of its buffers: ttmpool-wc,
# shmem-wb, or ttmpool-wc-dma, which has an IOMMU.
#
# tools/kernel/boot.sh says why the CPU has no cmpxchg16b.
#
# A machine that shows a picture waits until it is taken, through QEMU's monitor, and gets
# a line on its second serial port then. Both are pairs of pipes.
set -eu

kernel=$1
initramfs=$2
variant=$3
log=$4
release=$(cat "$kernel/release")
append='console=ttyS0 panic=-1 oops=panic panic_on_warn=1 loglevel=5 printk.time=0'
append="$append random.trust_cpu=on alloc=${variant%%-*}"
devices=
case $variant in
*-wc*) append="$append wc=1" ;;
*) append="$append wc=0" ;;
esac
case $variant in
*-dma)
	append="$append dma=1 intel_iommu=on iommu.strict=1"
	devices='-device intel-iommu,intremap=off'
	;;
*) append="$append iommu=off" ;;
esac
# When the picture is there, take it, and tell the machine.
photograph()
{
	while ! grep -q '^client: the picture is shown' "$log" 2>/dev/null; do
		sleep 1
	done
	sleep 1
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
	rm -f $pipes "$log.swap"
}
trap clean_up EXIT

# shellcheck disable=SC2086 # lists of words
timeout "$((${TIMEOUT:-600} * ${TTMPOOL_TIMEOUT_SCALE:-1}))" qemu-system-x86_64 \
	-accel tcg,thread=multi -cpu max,-cx16 -M q35 -m 256M -smp 2 \
	-nodefaults -display none -no-reboot -serial "file:$log" \
	-serial "pipe:$log.line" -monitor "pipe:$log.monitor" \
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initramfs" \
	-append "$append" -device bochs-display,vgamem=16M \
	-device bochs-display,vgamem=16M -device virtio-blk-pci,drive=swap \
	-drive "if=none,id=swap,format=raw,file=$log.swap" \
	$devices </dev/null
