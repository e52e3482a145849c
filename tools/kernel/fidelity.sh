#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# fidelity.sh PROGRAM MODE CONSOLE: compare the log of the operation script in a booted
# kernel with its log on the simulated machine behind the same kind of IOMMU. Prints how
# many lines are equal, or the first ones that differ. TPSIM_IOVA=shared in the
# environment: that kernel's DMA API has dma_iova_link().
set -eu

program=$1
mode=$2
console=$3

case $mode in
vtd-lazy | smmu-lazy) export TPSIM_IOMMU=lazy ;;
vtd-strict | smmu-strict | amd) export TPSIM_IOMMU=strict ;;
smmu-noncoherent) export TPSIM_IOMMU=strict TPSIM_CACHES=1 ;;
noncoherent) export TPSIM_IOMMU=off TPSIM_CACHES=1 ;;
swiotlb) export TPSIM_IOMMU=off TPSIM_SWIOTLB=force ;;
*) export TPSIM_IOMMU=off ;;
esac

sed -n 's/\r$//; s/^ *# log: //p' "$console" >"$console.script"
"$program" 2>/dev/null | sed -n 's/^log: //p' >"$console.simulated"
if [ ! -s "$console.script" ]; then
	echo "fidelity: the kernel wrote no log" >&2
	exit 1
fi
if ! diff "$console.script" "$console.simulated" >"$console.diff"; then
	echo "fidelity: kernel (<) and simulated machine (>) differ:" >&2
	head -n 10 "$console.diff" >&2
	exit 1
fi
wc -l <"$console.script"
