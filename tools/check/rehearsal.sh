#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Can the long steps begin? They do not run for every change, so this step checks what a
# change could break in them: docs/mutation.md names places of lib/ that exist, the faults
# of tests/planted apply, and the fuzz targets link, including the one with a planted
# fault.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
places=$(/usr/bin/python3 "$root/tools/mutation/run.py" --places \
	--root "$root" --build "$root/build/mutation" \
	--reviewed "$root/docs/mutation.md") || {
	echo "$places" | grep '^mutation: '
	exit 1
}
echo "found: $(echo "$places" | wc -l) places for a mutation"

held=0
for patch in "$root"/tests/planted/*.patch; do
	patch -s -p1 -d "$root" --dry-run <"$patch" >/dev/null 2>&1 || {
		echo "$(basename "$patch") does not apply any more"
		held=1
	}
done
[ "$held" -eq 0 ]

build fuzz fuzz_ops fuzz_trace fuzz_planted
