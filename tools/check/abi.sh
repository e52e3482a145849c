#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The shared library offers what libttmpool.abi records: functions, their arguments, and
# the structures that they take. A program that was linked to an older library needs that.
#
#   abi.sh             compare
#   abi.sh --record    write libttmpool.abi anew
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
build=$root/build/abi
record=$here/libttmpool.abi

# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

if [ "$(uname -m)" != x86_64 ]; then
	echo "found: skipped, the record is of x86-64, and here is $(uname -m)"
	exit 0
fi

# describe LIBRARY FILE: write what the library offers. Types that no public header
# defines are its own.
describe()
{
	abidw --headers-dir "$build/public" --drop-private-types \
		--drop-undefined-syms --exported-interfaces-only \
		--no-elf-needed --no-parameter-names --no-show-locs \
		--no-comp-dir-path --no-corpus-path --out-file "$2" "$1"
}

# shellcheck disable=SC2154 # $jobs is set in build.sh
build_libraries()
{
	quietly "$root/build/abi-configure.log" in_root cmake -B "$build" \
		-DCMAKE_BUILD_TYPE=RelWithDebInfo -DTTMPOOL_TESTS=OFF \
		-DTTMPOOL_TOOLS=OFF &&
		quietly "$root/build/abi-build.log" \
			cmake --build "$build" -j "$jobs" \
			--target ttmpool_shared ttmpool_pool_shared
}

build_libraries
rm -rf "$build/public"
mkdir "$build/public"
cp "$root"/include/ttmpool/*.h "$root/shim/userspace/ttmpool_port.h" \
	"$root/shim/userspace/tpsim.h" "$build/public"

if [ "${1-}" = --record ]; then
	describe "$build/libttmpool.so" "$record"
	exit 0
fi

# The library without buffers is a separate one: anything that it lacks must be noticed.
describe "$build/libttmpool-pool.so" "$build/pool.abi"
describe "$build/libttmpool.so" "$build/now.abi"
if abidiff "$record" "$build/pool.abi" >/dev/null; then
	fail "abi: a library without buffers seems to be the same"
fi
abidiff "$record" "$build/now.abi" ||
	fail "abi: changed. If that is wanted, run tools/check/abi.sh --record"
echo "found: $(grep -c '<elf-symbol' "$record") symbols are what the record says"
