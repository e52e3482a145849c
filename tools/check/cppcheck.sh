#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# cppcheck has no complaint.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

in_root cppcheck --quiet --std=c11 --error-exitcode=1 -j "$jobs" \
	--enable=warning,performance,portability --inline-suppr \
	-D__GNUC__ '-D__has_include(x)=0' \
	-I include -I shim/userspace -I tools/replay \
	lib shim/userspace tools/replay
