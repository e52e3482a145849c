#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev package: see run.py. This script installs what that one needs.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd -P)

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
need python3 debootstrap apt dpkg-dev git || exit 1
exec python3 -B "$root/tools/package/run.py" "$@"
