#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# boot-arm64.sh KERNEL_DIR INITRAMFS MODE LOG: like boot.sh, for a kernel of arm64.
# boot.sh says why the machine's clock counts instructions.
#
# In the modes with "noncoherent" in their names, the bridge of all PCI devices is marked
# as not coherent with the CPU's caches: this is the machine's own device tree, without
# one word. The emulator has no caches, so such a run shows what the kernel does for these
# devices, and not what they would read.
#
# The kernel's log must be large enough to keep what a case has written until a step looks
# for it, after all faults of the SMMU.
#
# A Cortex-A72 has no pages of 16 KiB, and a kernel with such pages prints nothing on it.
set -eu

kernel=$1
initramfs=$2
mode=$3
log=$4
release=$(cat "$kernel/release")
append='console=ttyAMA0 panic=-1 oops=panic loglevel=5 printk.time=0 panic_on_warn=1'
append="$append random.trust_cpu=on log_buf_len=4M mode=$mode"
board=virt
cpu=cortex-a72
case $release in
*-16k) cpu=cortex-a76 ;;
esac

case $mode in
none | noncoherent) ;;
smmu-lazy) append="$append iommu.strict=0" board=virt,iommu=smmuv3 ;;
smmu-strict | smmu-noncoherent)
	append="$append iommu.strict=1"
	board=virt,iommu=smmuv3
	;;
*)
	echo "boot: no such mode: $mode" >&2
	exit 2
	;;
esac

emulate()
{
	timeout "$((${TIMEOUT:-900} * ${TTMPOOL_TIMEOUT_SCALE:-1}))" qemu-system-aarch64 \
		-accel tcg,thread=single -icount shift=0,sleep=off -cpu "$cpu" -m 1G \
		-smp 2 -nodefaults -display none -no-reboot "$@" </dev/null
}

tree=
case $mode in
*noncoherent)
	emulate -M "$board,dumpdtb=$log.dtb"
	fdtput -d "$log.dtb" /pcie@10000000 dma-coherent
	tree="-dtb $log.dtb"
	;;
esac

# shellcheck disable=SC2086 # a list of words
emulate -M "$board" $tree -serial "file:$log" \
	-kernel "$kernel/boot/vmlinuz-$release" -initrd "$initramfs" -append "$append" \
	-device edu,dma_mask=0xffffffffffffffff -device edu,dma_mask=0xffffffffffffffff
