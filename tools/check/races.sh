#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The threaded suites under ThreadSanitizer.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build tsan test_threads
build tsan test_threads_swap
in_root ctest --preset tsan -R '^unit/test_threads' --no-tests=error
