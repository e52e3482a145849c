#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# abi.sh SYMVERS DIR: may Debian's own drivers run on DIR/ours/ttm.ko? SYMVERS is the
# kernel's Module.symvers; build.sh has filled DIR.
# abi.sh --structures DIR: check only the third point, against DIR/layout.stock.
#
# These are compared, and any difference is a refusal:
#
#     exports      every symbol of Debian's ttm.ko is there, with the same CRC.
#                  The CRC is made of the types of all arguments, including what
#                  they point to.
#     imports      every symbol that ours needs is in the kernel or in drm.ko,
#                  which is loaded before it, with the same CRC
#     structures   size, and offset, size and type of each member, of the structures
#                  that TTM shares with drivers, in every object of ours that has
#                  them: from its debug information, and from the type information
#                  (BTF) in Debian's binary
#
# The CRC depends on the headers with which the exporting file was compiled; the last
# point checks all other files. A kernel without CRCs (CONFIG_MODVERSIONS, which Debian's
# 7.3 lacks) has 0 for each: then names are compared, the string that the kernel compares
# before it loads a module (vermagic), and structures.
set -eu

tab=$(printf '\t')
structures=ttm_pool,ttm_pool_type,ttm_device,ttm_tt,ttm_buffer_object
structures=$structures,ttm_resource,ttm_resource_manager,ttm_operation_ctx
# Other structures that a driver embeds, fills in or follows; not every kernel has all of
# them.
others=ttm_device_funcs,ttm_place,ttm_placement,ttm_bus_placement,ttm_lru_bulk_move
others=$others,ttm_lru_bulk_move_pos,ttm_resource_manager_func,ttm_resource_cursor
others=$others,ttm_range_mgr_node,ttm_validate_buffer,ttm_kmap_iter_ops,ttm_global
others=$others,ttm_bo_kmap_obj,ttm_lru_item,ttm_lru_walk,ttm_lru_walk_arg,ttm_lru_walk_ops
others=$others,ttm_backup_flags,ttm_bo_lru_cursor,ttm_bo_shrink_flags

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

# shellcheck source=tools/kernel/suite.sh
. "$root/tools/kernel/suite.sh"

refuse()
{
	echo "abi: REFUSED: $*" >&2
	exit 1
}

# Lines of "CRC NAME": the exports of Debian's ttm.ko, and of ours.
exports_of()
{
	awk -F "$tab" '$3 ~ /(^|\/)ttm$/ { print $1, $2 }' "$1" | sort
}

check_exports()
{
	exports_of "$symvers" >"$dir/exports.stock"
	exports_of "$dir/ours/Module.symvers" >"$dir/exports.ours"
	[ -s "$dir/exports.stock" ] || refuse "the kernel exports nothing of TTM"
	missing=$(comm -23 "$dir/exports.stock" "$dir/exports.ours")
	[ -z "$missing" ] || refuse "not exported, or with another CRC:" \
		"$(echo "$missing" | cut -d' ' -f2 | paste -sd' ')"
	exports=$(wc -l <"$dir/exports.stock")
}

# Lines of "CRC NAME": all symbols that are available.
offered()
{
	awk -F "$tab" '$3 == "vmlinux" || $3 ~ /\/drm$/ { print $1, $2 }' \
		"$symvers" | sort
}

# Does this kernel have CRCs?
has_crcs()
{
	! awk '$1 != "0x00000000" { exit 1 }' "$dir/exports.stock"
}

# Lines of "CRC NAME": the symbols that ours needs.
imported()
{
	if has_crcs; then
		modprobe --dump-modversions "$dir/ours/ttm.ko" | tr '\t' ' '
	else
		nm -u "$dir/ours/ttm.ko" | awk '{ print "0x00000000", $2 }'
	fi | sort
}

check_imports()
{
	imported >"$dir/imports"
	[ -s "$dir/imports" ] || refuse "ours/ttm.ko carries no CRCs"
	offered >"$dir/offered"
	missing=$(comm -23 "$dir/imports" "$dir/offered")
	[ -z "$missing" ] || refuse "not offered, or with another CRC:" \
		"$(echo "$missing" | cut -d' ' -f2 | paste -sd' ')"
	imports=$(wc -l <"$dir/imports")
}

check_vermagic()
{
	stock=$(modinfo -F vermagic "$dir/stock.ko")
	ours=$(modinfo -F vermagic "$dir/ours/ttm.ko")
	if [ -z "$stock" ] || [ "$stock" != "$ours" ]; then
		refuse "the vermagic is \"$ours\", the kernel's is \"$stock\""
	fi
}

# One line for each structure of pahole's output, if it is compared. DWARF has attributes
# that BTF lacks, and arrays of arrays where BTF has one array; of comments only the
# numbers are kept.
lines()
{
	awk -v names="$structures,$others" '
		BEGIN {
			n = split(names, name, ",")
			while (n)
				wanted[name[n--]] = 1
		}
		function flat(s, n) {
			while (match(s, /\[[0-9]+\]\[[0-9]+\]/)) {
				split(substr(s, RSTART + 1, RLENGTH - 2), n, /\]\[/)
				s = substr(s, 1, RSTART) n[1] * n[2] \
					substr(s, RSTART + RLENGTH - 1)
			}
			return s
		}
		/^[a-z].*\{$/ { line = ""; shown = $1 == "struct" && wanted[$2] }
		!shown { next }
		/^[ \t]*(\/\*.*\*\/)?$/ && !/size:/ { next }
		{
			gsub(/ __attribute__\(\([a-z_]*\([0-9]*\)\)\)/, "")
			gsub(/[ \t]+/, " ")
			line = line flat($0)
		}
		/^}/ { print line; shown = 0 }'
}

# If pahole does not find a structure, it prints none of the following ones.
read_stock()
{
	for structure in $(echo "$structures,$others" | tr ',' ' '); do
		there pahole -F btf --btf_base "$dir/vmlinux" -C "$structure" \
			"$dir/stock.ko" 2>/dev/null || continue
	done | lines | sort >"$dir/layout.stock"
	for structure in $(echo "$structures" | tr ',' ' '); do
		grep -q "^struct $structure {" "$dir/layout.stock" ||
			refuse "Debian's ttm.ko does not say what $structure is"
	done
}

# Structures that are not in Debian's binary cannot be compared.
known_to_stock()
{
	cut -d' ' -f2 "$dir/layout.stock" >"$dir/layout.names"
	awk 'NR == FNR { known[$1] = 1; next } known[$2]' "$dir/layout.names" -
}

check_structures()
{
	objects=0
	for object in $(find "$dir/ours" -name '*.o' ! -name 'ttm.o' \
		! -name '*.mod.o' | sort); do
		there pahole -F dwarf "$object" 2>/dev/null | lines |
			known_to_stock | sort -u >"$dir/layout.object"
		[ -s "$dir/layout.object" ] || continue
		other=$(comm -23 "$dir/layout.object" "$dir/layout.stock")
		[ -z "$other" ] || refuse "${object#"$dir/"} has another" \
			"$(echo "$other" | sed 's/ {.*//' | paste -sd,)"
		objects=$((objects + 1))
	done
	[ -s "$dir/ours/ttmpool/shim/linux/ttm/pool.o" ] ||
		refuse "the drop-in was not built"
}

work=$(cd "$2" && pwd)
if [ "$1" = --structures ]; then
	dir=$work
	check_structures
	exit 0
fi
symvers=$1
dir=$work
check_exports
check_imports
check_vermagic
read_stock
check_structures
[ "$objects" -gt 1 ] || refuse "ours/ttm.ko has no debug information"
how="have the kernel's CRCs"
has_crcs || how="are the kernel's names, and the vermagic is alike (it has no CRCs)"
echo "abi: $exports exports and $imports imports $how;" \
	"$(wc -l <"$dir/layout.stock") structures are alike in $objects objects"
