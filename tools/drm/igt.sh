#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# igt.sh DIR: make a disk with IGT's tests, DIR/igt.img. The first Debian that packages
# them is forky, whose index is beside it (tools/kernel/suite.sh, tools/disk.sh).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd -P)
mkdir -p "$1"
dir=$(cd "$1" && pwd)

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/kernel/suite.sh
. "$root/tools/kernel/suite.sh"
suite_name=forky
suite_pockets=
suite_dir=$dir/index
packages=igt-gpu-tools-tests

# Dependencies of tools that are not used: Python, fonts, and what installs packages.
# shellcheck disable=SC2034 # tools/disk.sh reads them
unused='python3|libpython3|media-types|debconf|fonts-|fontconfig-config|tzdata|netbase
	|openssl|libdb5|readline-common|libsqlite3'

# shellcheck source=tools/disk.sh
. "$here/../disk.sh"

suite_index
export APT_CONFIG="$suite_dir/apt/apt.conf"
collect
pack igt
echo "igt: $dir/igt.img has $(wc -l <"$dir/list") packages"
