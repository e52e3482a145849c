#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What each policy costs that believes nobody.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

finding '^hardening: \(.*\)$' "$root/build/dev/tests/hardening"
