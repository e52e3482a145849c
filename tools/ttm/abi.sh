#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# abi.sh SYMVERS DIR: may Debian's own drivers run on DIR/ours/ttm.ko? SYMVERS is
# Module.symvers of the kernel, DIR has what build.sh puts there.
#
# Three things are compared, and any difference is a refusal:
#
#     exports      every symbol of Debian's ttm.ko is there, with the same CRC.
#                  It is made of the types of all arguments, whatever they
#                  point to included.
#     imports      every symbol that ours asks for is in the kernel or in drm.ko,
#                  which is loaded before it, with the same CRC
#     structures   size, and offset, size and type of each member, of those that
#                  TTM shares with drivers, in every object of ours that knows
#                  them: from its debug information, and from the type
#                  information (BTF) that Debian's binary carries
#
# The CRC says what the headers were when the exporting file was compiled; the
# last point says what every other file was compiled with.
set -eu

symvers=$1
dir=$2
tab=$(printf '\t')
structures=ttm_pool,ttm_pool_type,ttm_device,ttm_tt,ttm_buffer_object
structures=$structures,ttm_resource,ttm_resource_manager,ttm_operation_ctx

refuse()
{
	echo "abi: REFUSED: $*" >&2
	exit 1
}

# Lines of "CRC NAME": what Debian's ttm.ko exports, and what ours does.
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

# Lines of "CRC NAME" of what may be asked for.
offered()
{
	awk -F "$tab" '$3 == "vmlinux" || $3 ~ /\/drm$/ { print $1, $2 }' \
		"$symvers" | sort
}

check_imports()
{
	modprobe --dump-modversions "$dir/ours/ttm.ko" | tr '\t' ' ' |
		sort >"$dir/imports"
	[ -s "$dir/imports" ] || refuse "ours/ttm.ko carries no CRCs"
	offered >"$dir/offered"
	missing=$(comm -23 "$dir/imports" "$dir/offered")
	[ -z "$missing" ] || refuse "not offered, or with another CRC:" \
		"$(echo "$missing" | cut -d' ' -f2 | paste -sd' ')"
	imports=$(wc -l <"$dir/imports")
}

# A line for each structure. DWARF has attributes that BTF has not; of comments
# only the numbers are kept.
layout()
{
	pahole -C "$structures" "$@" 2>/dev/null | awk '
		/^struct [a-z_]+ \{/ { line = "" }
		/^[ \t]*(\/\*.*\*\/)?$/ && !/size:/ { next }
		{
			gsub(/ __attribute__\(\([a-z_]*\([0-9]*\)\)\)/, "")
			gsub(/[ \t]+/, " ")
			line = line $0
		}
		/^}/ { print line }'
}

check_structures()
{
	layout -F btf --btf_base "$dir/vmlinux" "$dir/stock.ko" |
		sort >"$dir/layout.stock"
	[ "$(wc -l <"$dir/layout.stock")" -eq \
		"$(echo "$structures" | tr ',' '\n' | wc -l)" ] ||
		refuse "Debian's ttm.ko does not say what its structures are"
	objects=0
	for object in $(find "$dir/ours" -name '*.o' ! -name 'ttm.o' \
		! -name '*.mod.o' | sort); do
		layout -F dwarf "$object" | sort >"$dir/layout.object"
		[ -s "$dir/layout.object" ] || continue
		other=$(comm -23 "$dir/layout.object" "$dir/layout.stock")
		[ -z "$other" ] || refuse "${object#"$dir/"} has another" \
			"$(echo "$other" | sed 's/ {.*//' | paste -sd,)"
		objects=$((objects + 1))
	done
	[ -s "$dir/ours/ttmpool/shim/linux/ttm/pool.o" ] ||
		refuse "the drop-in was not built"
	[ "$objects" -gt 1 ] || refuse "ours/ttm.ko has no debug information"
}

check_exports
check_imports
check_structures
echo "abi: $exports exports and $imports imports have the kernel's CRCs;" \
	"structures are alike in $objects objects"
