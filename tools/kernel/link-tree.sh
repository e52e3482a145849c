#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# link-tree.sh TO DIR...: make links under TO, with the same paths, to the files of some
# directories of the source tree that a build of kernel objects needs. The links are
# compiled, so the source tree stays clean.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
to=$1
shift
mkdir -p "$to"
to=$(cd "$to" && pwd)
(cd "$root" && find "$@" -name '*.[ch]' -o -name '*.mk' -o -name 'Kbuild*') |
	while read -r file; do
		mkdir -p "$to/$(dirname "$file")"
		[ -e "$to/$file" ] || ln -sf "$root/$file" "$to/$file"
	done
find "$to" -xtype l -delete
