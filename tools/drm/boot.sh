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
# In the environment: with DISK the machine has one display, and that disk to read: with
# ROUNDS it runs these rounds of the tests on it, with DESKTOP=1 the X server. RACE=1 has it
# race. With ROUNDS or RACE its clock counts instructions, as in tools/kernel/boot.sh, and
# no picture is shown.
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
accel=tcg,thread=multi
[ -z "${RACE-}" ] || append="$append race=1"
[ -z "${RACE-}${ROUNDS-}" ] || accel='tcg,thread=single -icount shift=0,sleep=off'
disk="-device virtio-blk-pci,drive=disk
	-drive if=none,id=disk,format=raw,readonly=on,file=${DISK-}"
swap="-device virtio-blk-pci,drive=swap
	-drive if=none,id=swap,format=raw,file=$log.swap"
display='-device bochs-display,vgamem=16M'
memory=256M
case ${ROUNDS-}:${DESKTOP-} in
:)
	devices="$display $display $swap"
	;;
:1)
	append="$append desktop=1"
	devices="$display $swap $disk"
	;;
*)
	append="$append rounds=$ROUNDS"
	memory=1G
	devices="$display $disk"
	;;
esac
case $variant in
*-wc*) append="$append wc=1" ;;
*) append="$append wc=0" ;;
esac
case $variant in
*-dma)
	append="$append dma=1 intel_iommu=on iommu.strict=1"
	devices="-device intel-iommu,intremap=off $devices"
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
	-accel $accel -cpu max,-cx16 -M q35 -m $memory -smp 2 \
	-nodefaults -display none -no-reboot -serial "file:$log" \
	-serial "pipe:$log.line" -monitor "pipe:$log.monitor" \
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initramfs" \
	-append "$append" $devices </dev/null
