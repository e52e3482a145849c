#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The cost of each hardening policy.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

finding '^hardening: \(.*\)$' "$root/build/dev/tests/hardening"
