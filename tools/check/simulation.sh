#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# A hundred million random steps against a model, or TTMPOOL_SIMULATION_STEPS of them
# (from seed TTMPOOL_SIMULATION_SEED on), on all processors. The library is compiled as
# for release, but with its cheap assertions. For a failure the few necessary steps are
# printed, and how to repeat them.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build=$root/build/simulation
in_root cmake --preset release -B "$build" -DTTMPOOL_CHECK=1
in_root cmake --build "$build" -j "$jobs" --target test_model
begin=$(date +%s)
finding '^model: \(.*\)$' \
	"$build/tests/model/test_model" --jobs "$jobs" \
	--steps "${TTMPOOL_SIMULATION_STEPS:-100000000}" \
	--seed "${TTMPOOL_SIMULATION_SEED:-1000000}"
echo "found: in $(($(date +%s) - begin)) s, by $jobs processes"
