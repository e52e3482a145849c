#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# patched.sh WORK TAR: compile TTM and its KUnit suites with allmodconfig's options, with
# either pool, in a whole tree: TAR, unpacked to WORK/tree, with the files that patch.sh
# has put into WORK/am. Nothing else of the kernel is compiled, so only the modules'
# objects are linked, not the modules; a warning is an error, as with allmodconfig.
set -eu

work=$1
tar=$2
tree=$work/tree
out=$work/allmodconfig

fail()
{
	echo "patched: $*" >&2
	exit 1
}

unpack_tree()
{
	[ -z "$(find "$tree/COPYING" -newer "$tar" 2>/dev/null)" ] || return 0
	rm -rf "$tree"
	mkdir -p "$tree"
	tar -C "$tree" --strip-components=1 -xJf "$tar" && touch "$tree/COPYING"
}

# All files of ours, and those that the patches change.
patch_tree()
{
	for part in MAINTAINERS Documentation/gpu drivers/gpu/drm/Kconfig \
		drivers/gpu/drm/ttm; do
		cp -RT "$work/am/$part" "$tree/$part" || return 1
	done
}

compile()
{
	make -C "$tree" O="$out" -j"$(getconf _NPROCESSORS_ONLN)" "$@" \
		>>"$work/allmodconfig.log" 2>&1 || {
		tail -n 40 "$work/allmodconfig.log" >&2
		return 1
	}
}

# allmodconfig does not say which of the two pools is chosen.
choose()
{
	"$tree/scripts/config" --file "$out/.config" -d DRM_TTM_POOL_SHARED \
		-d DRM_TTM_POOL_TTMPOOL -e "$1"
	compile olddefconfig && grep -q "^CONFIG_$1=y" "$out/.config"
}

: >"$work/allmodconfig.log"
unpack_tree || fail "$tar cannot be unpacked"
patch_tree || fail "the patches do not fit the tree"
mkdir -p "$out"
[ -e "$out/.config" ] || compile allmodconfig || fail "no allmodconfig"
for pool in DRM_TTM_POOL_SHARED DRM_TTM_POOL_TTMPOOL; do
	choose $pool || fail "$pool cannot be chosen"
	compile prepare || fail "the tree cannot be prepared"
	compile drivers/gpu/drm/ttm/ || fail "$pool does not compile"
	! grep -E 'warning:|WARNING:' "$work/allmodconfig.log" >&2 ||
		fail "$pool: there are warnings"
done
grep -E '^CONFIG_(DRM_TTM|AGP|FAULT_INJECTION|KASAN|MEMORY_FAILURE|DMA_API_DEBUG)[A-Z_]*=' \
	"$out/.config" >&2
