#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Ten million random steps against a model of ten lines. A failure is printed as the
# few steps that it takes.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

finding '^model: \(.*\)$' \
	"$root/build/dev/tests/test_model" --steps 10000000 --seed 1
