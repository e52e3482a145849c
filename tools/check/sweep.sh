#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Each fallible call of each scene fails once, and for good.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

finding '^[0-9]*: *\(.*points tried\)$' \
	in_root ctest --preset dev -R '^unit/.*sweep' -V --no-tests=error
