# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $dir, $packages, $unused: who sources this
#
# A disk with programs from Debian's packages, as apt resolves them for a machine without
# any. They are fetched and unpacked, not installed, and none of their scripts runs. To be
# sourced, with these set:
#
#     dir       the directory of the disk and of what belongs to it
#     packages  what is wanted
#     unused    a pattern for the beginnings of names that are not needed, though others
#               depend on them
#
# APT_CONFIG in the environment has the packages of another index (kernel/suite.sh).
#
# An existing disk is used as long as apt would take the same packages, or cannot tell
# which.

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
		awk -v unused="^($(echo "$unused" | tr -d ' \t\n'))" '$2 !~ unused' |
		sort
}

update_lists()
{
	as_root=
	[ "$(id -u)" -eq 0 ] || [ -n "${APT_CONFIG-}" ] || as_root=sudo
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

# What no package contains: a shell, mount points, and a user.
furnish()
{
	tree=$dir/tree
	mkdir -p "$tree/dev" "$tree/proc" "$tree/sys" "$tree/tmp" \
		"$tree/var/log" "$tree/run" "$tree/etc" "$tree/root"
	cp "$(command -v busybox)" "$tree/usr/bin/busybox"
	ln -sf busybox "$tree/usr/bin/sh"
	ln -sf busybox "$tree/usr/bin/cat"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$tree/etc/passwd"
}

# collect: unpack the packages under $dir/tree, if they are not there already. Prints
# nothing; the number of packages is that of the lines of $dir/list.
collect()
{
	resolve >"$dir/list.new" || : >"$dir/list.new"
	if ! [ -s "$dir/list.new" ] && ! [ -s "$dir/list" ]; then
		echo "disk: the package index has not all of it; reading it anew" >&2
		update_lists
		resolve >"$dir/list.new"
	fi
	if ! cmp -s "$dir/list" "$dir/list.new" && [ -s "$dir/list.new" ]; then
		echo "disk: $(wc -l <"$dir/list.new") packages" >&2
		rm -f "$dir/list"
		fetch || { update_lists && resolve >"$dir/list.new" && fetch; }
		unpack
		rm -rf "$dir/deb"
		mv "$dir/list.new" "$dir/list"
	fi
	furnish
}

# pack NAME: make $dir/NAME.img of $dir/tree.
pack()
{
	PATH=$PATH:/sbin:/usr/sbin
	size=$(($(du -sk "$dir/tree" | cut -f1) * 5 / 4 + 4096))
	rm -f "$dir/$1.part"
	truncate -s "${size}k" "$dir/$1.part" &&
		mke2fs -q -F -t ext2 -d "$dir/tree" "$dir/$1.part" &&
		mv "$dir/$1.part" "$dir/$1.img"
}
