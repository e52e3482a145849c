#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev trixie COMMAND...: run another command of ./dev in a Debian 13, with its compiler,
# libraries and tools. It is the folder in which modules for 7.x kernels are built
# (tools/kernel/suite.sh). The tree has the same path there as here, except for build/,
# which is build/trixie/build there.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd -P)
here=$root/tools/kernel

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"
# shellcheck source=tools/kernel/suite.sh
. "$here/suite.sh"

case ${1-help} in
help | --help | -h)
	echo "usage: ./dev trixie COMMAND..., for example: ./dev trixie test --unit"
	exit 0
	;;
esac
{ need debootstrap && suite_folder; } || fail "trixie: there is no Debian 13 to run it in"
mkdir -p "$root/build" "$suite_dir/build"
say "in Debian 13: ./dev $*"
exec "$here/enter.sh" "$suite_dir/root" "$root" "$suite_dir/build=$root/build" -- \
	"$root/dev" "$@"
