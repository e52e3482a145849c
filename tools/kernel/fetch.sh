#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# fetch.sh SERIES DIR: the newest Debian kernel of a series (6.1, 6.12, 7.3; or one with
# PREEMPT_RT, 6.12-rt; or one for arm64, 6.12-arm64, or 6.12-arm64-16k with pages of 16
# KiB), and the packages with which modules for it are built, unpacked under DIR. Nothing
# is installed. The last line of output is the kernel's release, as uname -r would print
# it. Exits with 3 if this Debian has no such series.
#
# Versions change, and old ones leave the index: an unpacked kernel is used as long as the
# index has no newer one, or has none at all.
#
# APT_CONFIG in the environment has the packages of another index (suite.sh).
set -eu

series=$1
dir=$2
mkdir -p "$dir"

# Up to 6.19 a kernel is one package, linux-image-RELEASE-unsigned; since then it is
# linux-binary-RELEASE, with its modules in another package, and its configuration in a
# third.
base=${series%%-*}
flavour=${series#"$base"}
case $flavour in
-arm64*) ends=${flavour#-} ;;
*) ends=amd64 ;;
esac
escaped=$(echo "$base" | sed 's/\./\\./g')
old="linux-image-$escaped\\.[0-9.+a-z-]*-$ends-unsigned"
new="linux-binary-$escaped\\.[0-9.+a-z-]*-$ends"

# Those names on its input that are of the flavour.
of_flavour()
{
	case $flavour in
	-rt) grep -- '-rt-amd64' ;;
	*) grep -vE -- '-(cloud|rt)-' ;;
	esac
}

# The newest of the flavour among releases like 6.1.0-47-amd64, 6.1.0-56-cloud-amd64.
newest()
{
	{
		apt-cache pkgnames "linux-image-$base."
		apt-cache pkgnames "linux-binary-$base."
	} 2>/dev/null | grep -xE "$old|$new" | of_flavour |
		sed 's/^linux-[a-z]*-//; s/-unsigned$//' | sort -V | tail -n 1
}

release=$(newest)
if [ -z "$release" ] && [ -z "${APT_CONFIG-}" ]; then
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
	exit 3
fi
if [ -z "$release" ] || [ "$release" = "$have" ]; then
	echo "$have"
	exit 0
fi

# Headers are in three packages; the first of them names its kbuild.
depends_on()
{
	apt-cache show --no-all-versions "$1" | sed -n 's/^Depends: //p' |
		tr ',' '\n' | sed 's/^ *//; s/ .*//' | grep "^$2"
}

headers=linux-headers-$release
if apt-cache pkgnames "linux-binary-$release" | grep -qxF "linux-binary-$release"; then
	packages="linux-binary-$release linux-modules-$release linux-base-$release"
else
	packages="linux-image-$release-unsigned"
fi
packages="$packages $headers"
packages="$packages $(depends_on "$headers" linux-headers-.*-common)"
packages="$packages $(depends_on "$headers" linux-kbuild-)"
# Programs in the first file system of another architecture's machine must be of that
# architecture.
case $flavour in
-arm64*) packages="$packages busybox-static:arm64" ;;
esac

rm -rf "$dir"
mkdir -p "$dir/deb"
echo "fetch: $release" >&2
# shellcheck disable=SC2086 # a list of words
(cd "$dir/deb" && apt-get -qq -o APT::Sandbox::User=root download $packages >&2)
for deb in "$dir"/deb/*.deb; do
	dpkg -x "$deb" "$dir"
done
rm -rf "$dir/deb"

# All layouts get the same paths: Debian 13's packages have their modules in usr/lib, and
# since 6.20 the kernel, too.
[ -e "$dir/lib" ] || ln -s usr/lib "$dir/lib"
if [ -e "$dir/usr/lib/modules/$release/vmlinuz" ]; then
	mkdir -p "$dir/boot"
	cp -l "$dir/usr/lib/modules/$release/vmlinuz" "$dir/boot/vmlinuz-$release"
fi

# The headers' Makefile calls this script to test whether the checker works, and Debian's
# package of 7.3 lacks it. build.sh checks itself that the checker ran.
for common in "$dir"/usr/src/linux-headers-*-common*; do
	script=$common/scripts/checker-valid.sh
	if [ ! -e "$script" ] && grep -q checker-valid.sh "$common/Makefile"; then
		# shellcheck disable=SC2016 # for that script
		printf '#!/bin/sh\ncommand -v "$1" >/dev/null && echo 1\n' >"$script"
		chmod +x "$script"
	fi
done

# Correct the absolute paths in it.
abs=$(cd "$dir" && pwd -P)
sed -i "s|\\([ =]\\)/usr/src|\\1$abs/usr/src|" "$dir/usr/src/$headers/Makefile"

echo "$release" >"$dir/release"
echo "$release"
