#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The suites under AddressSanitizer and UndefinedBehaviorSanitizer.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build asan
in_root ctest --preset asan -j "$jobs"
