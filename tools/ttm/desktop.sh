#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# desktop.sh DIR: make a disk with an X server and its clients, DIR/desktop.img, from
# Debian's packages as apt resolves them for a machine without any. They are fetched and
# unpacked, not installed, and none of their scripts runs, since only programs, libraries,
# and the keyboard's tables are needed.
#
# An existing disk is used as long as apt would take the same packages, or cannot tell
# which.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
packages='xserver-xorg-core xserver-xorg-video-qxl x11-xkb-utils x11-utils
	x11-xserver-utils x11-apps xterm'

# Dependencies that are not needed here: OpenGL on a card that has it, manual pages, a
# preprocessor for resources, package installers.
unused='libllvm|libz3|libgl1-mesa-dri|libicu|libxml2|cpp|libisl|libmpc|libmpfr
	|libgmp|man-db|groff|libpipeline|libuchardet|dpkg|tar_|adduser|debconf
	|perl|liblocale|libpam|libsemanage|libsepol|passwd|libdb5|libgdbm'
unused=$(echo "$unused" | tr -d ' \t\n')

apt_for_none()
{
	apt-get -qq -y --no-install-recommends -o APT::Sandbox::User=root \
		-o Dir::State::status=/dev/null -o Debug::NoLocking=1 \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o Dir::Cache::archives="$dir/none" "$@"
}

# Lines of "'URL' FILE SIZE HASH".
resolve()
{
	mkdir -p "$dir/none/partial"
	# shellcheck disable=SC2086 # a list of words
	apt_for_none --print-uris install $packages |
		awk -v unused="^($unused)" '$2 !~ unused' | sort
}

update_lists()
{
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	$as_root apt-get -qq update >&2
}

# Names and versions as in apt's lists, so that apt fetches and checks them itself.
fetch()
{
	rm -rf "$dir/deb" && mkdir -p "$dir/deb" || return 1
	names=$(awk '{ print $2 }' "$dir/list.new" |
		sed 's/_[^_]*\.deb$//; s/%3a/:/; s/_/=/')
	# shellcheck disable=SC2086 # a list of words
	(cd "$dir/deb" &&
		apt-get -qq -o APT::Sandbox::User=root download $names >&2)
}

# In older packages /lib and /bin are directories.
unpack()
{
	rm -rf "$dir/tree"
	mkdir -p "$dir/tree"
	for name in bin sbin lib lib64; do
		mkdir -p "$dir/tree/usr/$name"
		ln -s "usr/$name" "$dir/tree/$name"
	done
	for deb in "$dir"/deb/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" |
			tar -x -C "$dir/tree" --keep-directory-symlink \
				--no-same-owner --exclude='./usr/share/doc/*' \
				--exclude='./usr/share/man/*' || return 1
	done
}

# What no package contains: a shell for the keyboard's compiler, mount points, the
# screen's configuration, and the text to be shown on it.
furnish()
{
	tree=$dir/tree
	mkdir -p "$tree/dev" "$tree/proc" "$tree/sys" "$tree/tmp" \
		"$tree/var/log" "$tree/run" "$tree/etc" "$tree/root"
	cp "$(command -v busybox)" "$tree/usr/bin/busybox"
	ln -sf busybox "$tree/usr/bin/sh"
	ln -sf busybox "$tree/usr/bin/cat"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
	cp "$here/../../LICENSE" "$tree/etc/text"
	cp "$here"/xorg-*.conf "$tree/etc/"
}

pack()
{
	PATH=$PATH:/sbin:/usr/sbin
	size=$(($(du -sk "$dir/tree" | cut -f1) * 5 / 4 + 4096))
	rm -f "$dir/desktop.part"
	truncate -s "${size}k" "$dir/desktop.part" &&
		mke2fs -q -F -t ext2 -d "$dir/tree" "$dir/desktop.part" &&
		mv "$dir/desktop.part" "$dir/desktop.img"
}

resolve >"$dir/list.new" || : >"$dir/list.new"
if ! [ -s "$dir/list.new" ] && ! [ -s "$dir/list" ]; then
	echo "desktop: the package index has no X server; reading it anew" >&2
	update_lists
	resolve >"$dir/list.new"
fi
if ! cmp -s "$dir/list" "$dir/list.new" && [ -s "$dir/list.new" ]; then
	echo "desktop: $(wc -l <"$dir/list.new") packages" >&2
	rm -f "$dir/list"
	fetch || { update_lists && resolve >"$dir/list.new" && fetch; }
	unpack
	rm -rf "$dir/deb"
	mv "$dir/list.new" "$dir/list"
fi
furnish
pack
echo "desktop: $dir/desktop.img has $(wc -l <"$dir/list") packages"
