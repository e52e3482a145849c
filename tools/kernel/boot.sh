#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot.sh KERNEL_DIR INITRAMFS MODE LOG: boot a machine, and keep its console.
#
# The machine is emulated (TCG), its clock counts instructions, and time is skipped while
# it waits: the 100 ms of each DMA cost nothing, and two runs are the same. Such a machine
# has one thread for all CPUs, and switches between them when a timer is due; 6.1 starts
# its second CPU before it has any timer, and so takes minutes. It gets one CPU, or the
# usual clock if a mode needs two CPUs, and with it more time, because it really waits. A
# kernel that looks for races gets the usual clock, too, because two CPUs must run at the
# same time.
#
# A warning ends the machine, so that nothing comes after it; except in a kernel that
# looks for races, which reports each race as a warning.
#
# The CPU has no cmpxchg16b: QEMU before 8.0 leaves an operand in the flags after it,
# until the next instruction that sets them. An interrupt just then saves that, and the
# return from it fails ("double fault"). Linux has another way, except for AMD-Vi, whose
# driver needs the instruction.
set -eu

kernel=$1
initramfs=$2
mode=$3
log=$4
release=$(cat "$kernel/release")
append='console=ttyS0 panic=-1 oops=panic loglevel=5 printk.time=0'
append="$append random.trust_cpu=on mode=$mode part=${RACE_PART:-all}"
panic_on_warn=1
memory=${RACE_MEMORY:-1G}
devices=
cpu=max,-cx16
cpus=2
accel='tcg,thread=single -icount shift=0,sleep=off'
limit=600
case $release:$mode in
6.1.*:pressure)
	accel=tcg,thread=multi
	limit=1800
	;;
6.1.*) cpus=1 ;;
*-kcsan:*)
	accel=tcg,thread=multi
	append="$append kcsan.early_enable=0"
	panic_on_warn=0
	;;
esac
append="$append panic_on_warn=$panic_on_warn"

case $mode in
none) append="$append iommu=off" ;;
large-pages)
	append="$append iommu=off debug_pagealloc=off"
	memory=${LARGE_MEMORY:-8G}
	;;
vtd-lazy)
	append="$append intel_iommu=on iommu.strict=0"
	devices='-device intel-iommu,intremap=off'
	;;
vtd-strict)
	append="$append intel_iommu=on iommu.strict=1"
	devices='-device intel-iommu,intremap=off'
	;;
amd)
	append="$append amd_iommu=on"
	cpu=max
	devices='-device amd-iommu'
	;;
swiotlb) append="$append iommu=off swiotlb=force" ;;
numa)
	append="$append iommu=off"
	devices="-object memory-backend-ram,id=m0,size=512M
		-object memory-backend-ram,id=m1,size=512M
		-numa node,nodeid=0,cpus=0-$((cpus - 1)),memdev=m0
		-numa node,nodeid=1,memdev=m1"
	;;
pressure)
	append="$append iommu=off"
	memory=${PRESSURE_MEMORY:-192M}
	# The clock leaps forward while the machine waits for the disk.
	append="$append sysctl.kernel.hung_task_timeout_secs=0"
	truncate -s 256M "$log.swap"
	devices="-device virtio-blk-pci,drive=swap
		-drive if=none,id=swap,format=raw,file=$log.swap"
	;;
*)
	echo "boot: no such mode: $mode" >&2
	exit 2
	;;
esac

# If TTM backs up buffers, it needs swap space.
if [ -n "${RACE_TTM-}" ]; then
	truncate -s 256M "$log.swap"
	devices="$devices -device virtio-blk-pci,drive=swap
		-drive if=none,id=swap,format=raw,file=$log.swap"
fi

# shellcheck disable=SC2086 # lists of words
timeout "$((${TIMEOUT:-$limit} * ${TTMPOOL_TIMEOUT_SCALE:-1}))" qemu-system-x86_64 \
	-accel $accel -cpu "$cpu" -M q35 -m "$memory" -smp "$cpus" \
	-nodefaults -display none -serial "file:$log" -no-reboot \
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initramfs" \
	-append "$append" $devices \
	-device edu,dma_mask=0xffffffffffffffff \
	-device edu,dma_mask=0xffffffffffffffff </dev/null
