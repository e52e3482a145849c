#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# cppcheck has no complaint. Debian 13's version does not know _Noreturn in C, and
# complains that it does not check all branches of some functions.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

in_root cppcheck --quiet --std=c11 --error-exitcode=1 -j "$jobs" \
	--enable=warning,performance,portability --inline-suppr \
	--suppress=normalCheckLevelMaxBranches \
	-D__GNUC__ '-D__has_include(x)=0' \
	'-D_Noreturn=__attribute__((noreturn))' \
	-I include -I shim/userspace -I tools/replay \
	lib shim/userspace shim/testing tools/replay
