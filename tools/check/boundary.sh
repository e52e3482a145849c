#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# lib/ contains nothing of any system, and uses only tpos_*.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

in_root ctest --preset dev -R '/boundary$' --no-tests=error
