#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Every C file is as clang-format would write it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

in_root find . -path ./build -prune -o -name '*.[ch]' \
	-exec clang-format --dry-run -Werror {} +
