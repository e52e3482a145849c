#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# source.sh SERIES OUT [TAR]: make a TTM with the drop-in in place of ttm_pool.o, in
# OUT/ours, to be built as an external module, from Debian's package linux-source-SERIES,
# which has TAR. The files that are not ours are in OUT/linux-source-SERIES; OUT/ours has
# links. If this TTM has points of failure of its own, OUT/ours-faults and
# OUT/stock-faults have the same TTM, and the original one, to be built with them.
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

link_stock()
{
	mkdir -p "$out/$1"
	ln -sf "$source"/drivers/gpu/drm/ttm/*.[ch] "$out/$1/"
	cp "$source/drivers/gpu/drm/ttm/Makefile" "$out/$1/"
}

# TTM's own Makefile, except for one object.
link_ours()
{
	mkdir -p "$out/$1"
	ln -sf "$source"/drivers/gpu/drm/ttm/*.[ch] "$out/$1/"
	rm -f "$out/$1/ttm_pool.c"
	"$here/../kernel/link-tree.sh" "$out/$1/ttmpool" \
		include lib shim/linux
	makefile=$source/drivers/gpu/drm/ttm/Makefile
	# shellcheck disable=SC2016 # make's variables
	{
		echo 'ttmpool-dir := ttmpool/'
		echo 'include $(src)/ttmpool/shim/linux/ttm/ttm.mk'
		sed 's/ttm_pool\.o/$(ttmpool-ttm-objs)/' "$makefile"
		echo 'ccflags-y += $(ttmpool-ttm-ccflags)'
	} >"$out/$1/Makefile"
	grep -q 'ttmpool-ttm-objs' "$out/$1/Makefile"
}

# Files with a point of failure are compiled with the header that implements it.
add_faults()
{
	for object in ttm_pool ttm_backup ttmpool/shim/linux/ttm/compat_backup_faults; do
		echo "CFLAGS_$object.o := -include $here/../../tests/ttm/fault_inject.h"
	done >>"$out/$1/Makefile"
}

unpack_source
link_ours ours
[ -e "$source/drivers/gpu/drm/ttm/ttm_backup.c" ] || exit 0
link_ours ours-faults
link_stock stock-faults
add_faults ours-faults
add_faults stock-faults
