#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# A million random steps against a model, with all assertions of the library. For a
# failure the few necessary steps are printed, and how to repeat them.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

finding '^model: \(.*\)$' \
	"$root/build/dev/tests/model/test_model" --jobs "$jobs" \
	--steps 1000000 --seed 1
