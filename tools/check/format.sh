#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Every C file is formatted as by clang-format 14, Debian 12's version. A newer one would
# format some macros and casts in another way, and is not used here.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

version=$(clang-format --version | sed 's/.*version \([0-9]*\).*/\1/')
if [ "$version" -ne 14 ]; then
	echo "found: skipped, the tree is written by clang-format 14, and here is $version"
	exit 0
fi
in_root find . -path ./build -prune -o -name '*.[ch]' \
	-exec clang-format --dry-run -Werror {} +
