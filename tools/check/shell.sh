#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Every script is clean under shellcheck.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

in_root shellcheck -x dev .ci/run debian/tests/consumers debian/tests/replay \
	debian/tests/dkms debian/tests/dkms-ttm
in_root find . -path ./build -prune -o -name '*.sh' -exec shellcheck -x {} +
