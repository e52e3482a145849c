#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# source.sh SERIES OUT [TAR]: TTM as it is in Debian's package linux-source-SERIES, which
# has TAR, with the drop-in in the place of ttm_pool.o, in OUT/ours, to be made as an
# external module. What is not ours lies in OUT/linux-source-SERIES; OUT/ours has links.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
series=$1
mkdir -p "$2"
out=$(cd "$2" && pwd)
tar=${3-/usr/src/linux-source-$series.tar.xz}
source=$out/linux-source-$series

unpack_source()
{
	[ -n "$(find "$source/Makefile" -newer "$tar" 2>/dev/null)" ] &&
		return 0
	rm -rf "$source"
	tar -C "$out" -xJf "$tar" \
		"linux-source-$series/drivers/gpu/drm/ttm" \
		"linux-source-$series/scripts/extract-vmlinux" \
		"linux-source-$series/Makefile" && touch "$source/Makefile"
}

# TTM's own Makefile, but for one object.
link_ours()
{
	mkdir -p "$out/ours"
	ln -sf "$source"/drivers/gpu/drm/ttm/*.[ch] "$out/ours/"
	rm -f "$out/ours/ttm_pool.c"
	"$here/../kernel/link-tree.sh" "$out/ours/ttmpool" \
		include lib shim/linux
	makefile=$source/drivers/gpu/drm/ttm/Makefile
	# shellcheck disable=SC2016 # make's variables
	{
		echo 'ttmpool-dir := ttmpool/'
		echo 'include $(src)/ttmpool/shim/linux/ttm/ttm.mk'
		sed 's/ttm_pool\.o/$(ttmpool-ttm-objs)/' "$makefile"
		echo 'ccflags-y += $(ttmpool-ttm-ccflags)'
	} >"$out/ours/Makefile"
	grep -q 'ttmpool-ttm-objs' "$out/ours/Makefile"
}

unpack_source
link_ours
