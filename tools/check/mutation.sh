#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Faults are planted in lib/, one at a time: the suites catch 95 % of a sample, and every
# dropped statement that is there for safety. docs/mutation.md lists the mutants without a
# visible effect, with the reason. MUTATION_SAMPLE=0 tries all mutants, which takes an
# hour; MUTATION_SEED repeats a sample.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
seed=${MUTATION_SEED-}
finding '^mutation: \(.*\)$' /usr/bin/python3 "$root/tools/mutation/run.py" \
	--root "$root" --build "$root/build/mutation" --jobs "$jobs" \
	--suites "$root/build/dev/tests/suites.txt" \
	--reviewed "$root/docs/mutation.md" \
	--sample "${MUTATION_SAMPLE-300}" ${seed:+--seed "$seed"}
