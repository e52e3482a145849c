#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# fetch.sh SERIES DIR: the newest Debian kernel of a series (6.1, 6.12), and what
# modules for it are built with, unpacked under DIR. Nothing is installed. The
# last line of output is the kernel's release, as uname -r would say it.
#
# Versions move, and old ones leave the index: what is there already is used as
# long as the index has nothing newer, or has nothing at all.
set -eu

series=$1
dir=$2
mkdir -p "$dir"

pattern="^linux-image-$(echo "$series" | sed 's/\./\\./g')\\.[0-9.+a-z-]*-amd64-unsigned\$"

# Of the releases 6.1.0-47-amd64, 6.1.0-56-cloud-amd64, ...: the newest plain one.
newest()
{
	apt-cache pkgnames "linux-image-$series." 2>/dev/null |
		grep -E "$pattern" | grep -vE -- '-(cloud|rt)-amd64-' |
		sed 's/^linux-image-//; s/-unsigned$//' | sort -V | tail -n 1
}

release=$(newest)
if [ -z "$release" ]; then
	echo "fetch: the package index has no kernel $series; reading it anew" >&2
	as_root=
	[ "$(id -u)" -eq 0 ] || as_root=sudo
	$as_root apt-get -qq update >&2 ||
		echo "fetch: it cannot be read; is anything here already?" >&2
	release=$(newest)
fi
have=
[ ! -e "$dir/release" ] || have=$(cat "$dir/release")
if [ -z "$release" ] && [ -z "$have" ]; then
	echo "fetch: no kernel of series $series can be had" >&2
	exit 1
fi
if [ -z "$release" ] || [ "$release" = "$have" ]; then
	echo "$have"
	exit 0
fi

# Headers come in three packages; which kbuild it is, the first of them says.
depends_on()
{
	apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' |
		tr ',' '\n' | sed 's/^ *//; s/ .*//' | grep "^$2"
}

headers=linux-headers-$release
packages="linux-image-$release-unsigned $headers"
packages="$packages $(depends_on "$headers" linux-headers-.*-common)"
packages="$packages $(depends_on "$headers" linux-kbuild-)"

rm -rf "$dir"
mkdir -p "$dir/deb"
echo "fetch: $release" >&2
# shellcheck disable=SC2086 # a list of words
(cd "$dir/deb" && apt-get -qq -o APT::Sandbox::User=root download $packages >&2)
for deb in "$dir"/deb/*.deb; do
	dpkg -x "$deb" "$dir"
done
rm -rf "$dir/deb"

# The one absolute path in it.
abs=$(cd "$dir" && pwd)
sed -i "s|include /usr/src|include $abs/usr/src|" "$dir/usr/src/$headers/Makefile"

echo "$release" >"$dir/release"
echo "$release"
