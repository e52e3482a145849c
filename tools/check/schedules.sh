#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Schedules of threads, explored: each pair of operations in all orders that matter; two
# threads of eight operations with all sets of two and of three preemptions; and a million
# schedules of three and four threads by random priorities (or TTMPOOL_SCHEDULES of them).
# A failure is printed with the schedule that leads to it.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

build=$root/build/simulation
in_root cmake --preset release -B "$build" -DTTMPOOL_CHECK=1
in_root cmake --build "$build" -j "$jobs" --target schedules
schedules=$build/tests/schedules/schedules

explore()
{
	finding '^schedules: \(.*\)$' "$schedules" "$@"
}

explore pairs
explore all pc/t
explore bounded 2 20 1
explore bounded 3 2 1
explore random "${TTMPOOL_SCHEDULES:-1000000}" 1
