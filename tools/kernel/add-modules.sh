# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $kernel, $release, $tree: who sources this
#
# For the initramfs.sh of tools/drm and tools/ttm, which source this file.

# add_modules ORDER NAME...: add modules of the kernel, and all that they need, to
# $tree/ko; the file ORDER in $tree/part/modules gets their order.
add_modules()
{
	order=$1
	shift
	for module in "$@"; do
		modprobe -d "$kernel" -S "$release" --show-depends "$module" |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | awk '!seen[$0]++' >"$tree/list"
	while read -r ko; do
		name=$(basename "$ko" .xz)
		echo "$name" >>"$tree/part/modules/$order"
		case $ko in
		*.xz) xz -dc "$ko" >"$tree/ko/$name" ;;
		*) cp "$ko" "$tree/ko/$name" ;;
		esac
	done <"$tree/list"
}
