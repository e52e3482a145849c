#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# build.sh SERIES KERNEL_DIR OUT TAR: build a ttm.ko for a kernel that fetch.sh has put
# into KERNEL_DIR, from what source.sh makes of TTM; TAR has its source. It is
# OUT/ours/ttm.ko afterwards, and has passed abi.sh; beside it are Debian's own,
# OUT/stock.ko, and the client.
#
# Stock is Debian's binary, because that is what users run, and what must be matched. The
# source must be that of the kernel, to the last number of the version.
#
# SUITE_FOLDER in the environment: a system in a folder, in which the compiler runs.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
series=$1
kernel=$2
out=$3
tar=$4
release=$(cat "$kernel/release")
headers=$(cd "$kernel/usr/src/linux-headers-$release" && pwd)
common=$(echo "$kernel"/usr/src/linux-headers-*-common)
mkdir -p "$out"
out=$(cd "$out" && pwd)
source=$out/linux-source-$series
work=$(cd "$kernel" && pwd)

# shellcheck source=tools/kernel/suite.sh
. "$root/tools/kernel/suite.sh"

version_of()
{
	sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' "$1/Makefile" |
		paste -sd.
}

same_version()
{
	[ "$(version_of "$source")" = "$(version_of "$common")" ] && return 0
	echo "build: linux-source-$series is $(version_of "$source")," \
		"the kernel is $(version_of "$common"): install the newest" >&2
	return 1
}

# The files with which abi.sh compares: the kernel and Debian's ttm.ko, uncompressed.
unpack_stock()
{
	sh "$source/scripts/extract-vmlinux" \
		"$kernel/boot/vmlinuz-$release" >"$out/vmlinux"
	ko=$(echo "$kernel"/lib/modules/*/kernel/drivers/gpu/drm/ttm/ttm.ko*)
	case $ko in
	*.xz) xz -dc "$ko" >"$out/stock.ko" ;;
	*) cp "$ko" "$out/stock.ko" ;;
	esac
}

# build_ttm DIR FLAGS [VARIABLE]: build the ttm.ko in DIR.
build_ttm()
{
	log=$out/$1.log
	rm -f "$out/$1/ttm.ko"
	if ! there make -C "$headers" M="$out/$1" \
		-j"$(getconf _NPROCESSORS_ONLN)" KCFLAGS="$2" ${3:+"$3"} modules \
		>"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
	if grep -E 'warning:|WARNING:|: error:' "$log" >&2; then
		echo "build: there are warnings" >&2
		return 1
	fi
}

# Build with TTM's own points of failure, both with our pool and with TTM's.
build_with_faults()
{
	for dir in ours-faults stock-faults; do
		[ ! -d "$out/$dir" ] ||
			build_ttm "$dir" "" CONFIG_FAULT_INJECTION=y || return 1
	done
}

# Modules that call TTM like drivers, for either ttm.ko.
build_ways()
{
	"$here/../kernel/link-tree.sh" "$out/ways" tests/ttm
	log=$out/ways.log
	if ! there make -C "$headers" M="$out/ways/tests/ttm" KCFLAGS=-Werror modules \
		>"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
	cp "$out"/ways/tests/ttm/ttm_*.ko "$out"
}

# A header in which a member of a structure has moved: a module compiled with it must be
# refused. It is included before all others, whose include guards are set then.
build_planted()
{
	planted=$out/planted
	rm -rf "$planted"
	mkdir -p "$planted/ours/ttmpool/shim/linux/ttm"
	sed 's/^\tstruct file \*swap_storage;/\tvoid *planted;\n&/' \
		"$common/include/drm/ttm/ttm_tt.h" >"$planted/ttm_tt_planted.h"
	grep -q planted "$planted/ttm_tt_planted.h"
	printf '#include "ttm_tt_planted.h"\nstruct ttm_tt planted;\n' \
		>"$planted/planted.c"
	echo 'obj-m := planted.o' >"$planted/Makefile"
	there make -C "$headers" M="$planted" planted.o >"$planted/log" 2>&1 || {
		tail -n 20 "$planted/log" >&2
		return 1
	}
	cp "$planted/planted.o" "$planted/ours/ttmpool/shim/linux/ttm/pool.o"
	cp "$out/layout.stock" "$planted"
	if "$here/abi.sh" --structures "$planted" 2>"$planted/refusal"; then
		echo "build: a structure that has another layout was not refused" >&2
		return 1
	fi
	grep -q 'REFUSED.*ttm_tt' "$planted/refusal"
}

# The interface is in the kernel's own headers; __user is only for its checker.
build_client()
{
	gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -O2 -static \
		-D__user= -idirafter "$common/include/uapi" \
		"$root"/tests/ttm-client/*.c -o "$out/client"
}

"$here/source.sh" "$series" "$out" "$tar"
same_version
unpack_stock
build_ttm ours -Werror
# The functions that TTM's other files call, from its headers: one header for all, and
# perhaps one of the pool's own.
{
	cat "$common/include/drm/ttm/ttm_pool.h"
	find "$out/ours/" -maxdepth 1 -name ttm_pool_internal.h -exec cat {} +
} >"$out/interface.h"
# shellcheck disable=SC2046 # a list of files
python3 "$root/tests/floors/floors.py" --kernel \
	--interface "$out/interface.h" \
	--others $(find "$out/ours/ttmpool/" -name '*.o' ! -name '*.mod.o') >&2
build_ways
"$here/abi.sh" "$headers/Module.symvers" "$out"
build_planted
build_with_faults
build_client
