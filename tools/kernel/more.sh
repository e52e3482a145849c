#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# more.sh FILE FLAVOUR: add init-FLAVOUR.sh, which init.sh reads, to the initial file
# system FILE. Such a file may have several parts: this one is appended to the others.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp "$here/init-$2.sh" "$tree/debug.sh"
(cd "$tree" && echo debug.sh | cpio -o -H newc --quiet | gzip -1) >>"$1"
