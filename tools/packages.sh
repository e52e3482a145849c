# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh
#
# need PACKAGE...: install the missing packages, after a message.
#
# To be sourced. Packages have Debian's names. A package counts as installed if a file or
# program of it is there, so a system without dpkg that has the same tools from elsewhere
# works, too. All messages go to stderr.

# shellcheck source=tools/progress.sh disable=SC2154 # $root is for who sources this to set
. "$root/tools/progress.sh"

# The file, or the program in PATH, that shows that a package is installed.
probe_of()
{
	case $1 in
	gcc) echo gcc ;;
	libc6-dev) echo /usr/include/stdio.h ;;
	libcmocka-dev) echo /usr/include/cmocka.h ;;
	pkgconf) echo pkg-config ;;
	gnuplot-nox) echo gnuplot ;;
	binutils) echo nm ;;
	python3-sphinx) echo sphinx-build ;;
	*) echo "$1" ;;
	esac
}

has_package()
{
	probe=$(probe_of "$1")
	case $probe in
	/*) [ -e "$probe" ] && return 0 ;;
	*) command -v "$probe" >/dev/null 2>&1 && return 0 ;;
	esac
	# A package without a program of its name. Debian 13 has renamed some libraries:
	# libelf1t64 provides libelf1, so apt-get takes the old name, and dpkg does not.
	command -v dpkg-query >/dev/null 2>&1 &&
		dpkg-query -W -f='${db:Status-Status}\n' "$1" "$1t64" 2>/dev/null |
		grep -qx installed
}

as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt()
{
	watched "$packages_log" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}

# build_depends [PROFILE]: the packages that debian/control names for a build: those for
# any build, or those that PROFILE leaves out (nocheck: the tests', nodoc: the site's).
# Packages that only packaging needs are left out (debhelper-compat, dh-sequence-*).
build_depends()
{
	# shellcheck disable=SC2154 # $root is for who sources this to set
	awk -v profile="${1-}" '
		/^#/ { next }
		/^[A-Z]/ {
			inside = /^Build-Depends/
			sub(/^[^:]*:/, "")
		}
		inside { text = text $0 "," }
		END {
			n = split(text, entry, /, */)
			for (i = 1; i <= n; i++) {
				of = ""
				if (match(entry[i], /<!.*>/))
					of = substr(entry[i], RSTART + 2, RLENGTH - 3)
				split(entry[i], word, " ")
				sub(/:any$/, "", word[1])
				if (of == profile && word[1] &&
				    word[1] !~ /^(debhelper-compat|dh-)/)
					print word[1]
			}
		}' "$root/debian/control"
}

have_lists()
{
	[ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' \
		2>/dev/null | head -n 1)" ]
}

# apt-get fails if its lists name versions that are gone: get new lists, and try again.
apt_install()
{
	if have_lists && apt install -y --no-install-recommends "$@"; then
		return 0
	fi
	echo "==> reading the package lists anew" >&2
	apt update && apt install -y --no-install-recommends "$@"
}

need()
{
	missing=
	for package in "$@"; do
		has_package "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	if ! command -v apt-get >/dev/null 2>&1; then
		echo "missing, by Debian's names:$missing" >&2
		return 1
	fi
	if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
		echo "missing, and only root can install it:$missing" >&2
		return 1
	fi
	if [ "$(id -u)" -eq 0 ]; then
		echo "==> installing from Debian's packages:$missing" >&2
	else
		echo "==> installing with sudo from Debian's packages:$missing" >&2
	fi
	packages_log=$(mktemp) || return 1
	# shellcheck disable=SC2086 # a list of words
	if ! apt_install $missing; then
		tail -n 20 "$packages_log" >&2
		echo "could not install:$missing" >&2
		rm -f "$packages_log"
		return 1
	fi
	rm -f "$packages_log"
}
