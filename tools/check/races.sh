#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The threaded suites under ThreadSanitizer, which must also find a planted race.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build tsan test_threads
build tsan test_threads_stale
build tsan test_threads_swap
build tsan test_faults_threads
build tsan canary
in_root ctest --preset tsan -R '^unit/(test_threads|test_faults_threads|canary)' \
	--no-tests=error
