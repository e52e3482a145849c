#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# enter.sh FOLDER DIR[=PLACE]... -- COMMAND...: run a command in the system in FOLDER,
# with each DIR at PLACE, or at the same path as here. The mounts for it end with the
# command.
set -eu

folder=$1
shift
dirs=
while [ "$1" != -- ]; do
	real=$(cd "${1%%=*}" && pwd -P)
	case $1 in
	*=*) dirs="$dirs $real=${1#*=}" ;;
	*) dirs="$dirs $real=$real" ;;
	esac
	shift
done
shift

# shellcheck disable=SC2086 # a list of words
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$folder" $dirs -- "$@"
# shellcheck disable=SC2016 # for the inner shell
DIRS=$dirs exec unshare --mount sh -c '
	folder=$1
	shift
	for dir in $DIRS; do
		mkdir -p "$folder${dir#*=}"
		mount --bind "${dir%%=*}" "$folder${dir#*=}"
	done
	mount -t proc proc "$folder/proc"
	exec chroot "$folder" "$@"' - "$folder" "$@"
