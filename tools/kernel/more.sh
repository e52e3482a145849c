#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# more.sh FILE FLAVOUR: the initial file system FILE has init-FLAVOUR.sh, too, which init.sh
# reads. Such a file may have parts: this one comes after the others.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
cp "$here/init-$2.sh" "$tree/debug.sh"
(cd "$tree" && echo debug.sh | cpio -o -H newc --quiet | gzip -1) >>"$1"
