#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# desktop.sh DIR: make a disk with an X server and its clients, DIR/desktop.img: programs,
# libraries, and the keyboard's tables (tools/disk.sh).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
# shellcheck disable=SC2034 # tools/disk.sh reads it
packages='xserver-xorg-core xserver-xorg-video-qxl x11-xkb-utils x11-utils
	x11-xserver-utils x11-apps xterm'

# Dependencies that are not needed here: OpenGL on a card that has it, manual pages, a
# preprocessor for resources, package installers.
# shellcheck disable=SC2034 # tools/disk.sh reads it
unused='libllvm|libz3|libgl1-mesa-dri|libicu|libxml2|cpp|libisl|libmpc|libmpfr
	|libgmp|man-db|groff|libpipeline|libuchardet|dpkg|tar_|adduser|debconf
	|perl|liblocale|libpam|libsemanage|libsepol|passwd|libdb5|libgdbm'

# shellcheck source=tools/disk.sh
. "$here/../disk.sh"

# The text that is shown, and the screen's configuration.
collect
cp "$here/../../LICENSE" "$dir/tree/etc/text"
cp "$here"/xorg-*.conf "$dir/tree/etc/"
pack desktop
echo "desktop: $dir/desktop.img has $(wc -l <"$dir/list") packages"
