#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Other machines: the suites that need no cmocka, compiled by Debian's cross compilers for
# 32 bits, for big-endian and for other processors, linked statically and run by
# qemu-user; with pages of 4, 16 and 64 KiB, as everywhere. And one log of random
# operations, which must be the same on each of them, byte for byte, at each page size.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

steps=${TTMPOOL_LOG_STEPS:-20000}
work=$root/build/elsewhere
mkdir -p "$work"

# log_of NAME COMMAND...: the operation log at each page size, in work/NAME-SHIFT.log.
log_of()
{
	name=$1
	shift
	for shift in 12 14 16; do
		"$@" --log --steps "$steps" --page-shift "$shift" \
			>"$work/$name-$shift.log" ||
			fail "elsewhere: $name: the model fails"
	done
}

# configure NAME COMPILER EMULATOR
configure()
{
	in_root cmake -B "$work/$1" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR="$1" \
		-DCMAKE_C_COMPILER="$2" -DCMAKE_EXE_LINKER_FLAGS=-static \
		-DCMAKE_CROSSCOMPILING_EMULATOR="$3" -DTTMPOOL_CHECK=2 \
		-DTTMPOOL_CMOCKA=OFF -DTTMPOOL_TOOLS=OFF
}

# suites NAME COMPILER EMULATOR: build, run, and compare the log with the one made here.
suites()
{
	say "elsewhere: $1"
	quietly "$work/$1-configure.log" configure "$@"
	quietly "$work/$1-build.log" \
		cmake --build "$work/$1" -j "$jobs" --target all
	(cd "$work/$1" && ctest -j "$jobs" -L unit -E 'schedules|planted' \
		--no-tests=error) >"$work/$1-tests.log" 2>&1 || {
		tail -n 60 "$work/$1-tests.log"
		fail "elsewhere: $1: a suite fails"
	}
	log_of "$1" "$3" "$work/$1/tests/model/test_model"
	for shift in 12 14 16; do
		cmp "$work/here-$shift.log" "$work/$1-$shift.log" ||
			fail "elsewhere: $1: pages of 1 << $shift: another log"
	done
	tests=$(sed -n 's/^100% tests passed, 0 tests failed out of //p' \
		"$work/$1-tests.log")
	echo "found: $1: $tests tests passed; $steps operations, the same log"
}

log_of here "$root/build/dev/tests/model/test_model"
suites i386 i686-linux-gnu-gcc qemu-i386-static
suites aarch64 aarch64-linux-gnu-gcc qemu-aarch64-static
suites armhf arm-linux-gnueabihf-gcc qemu-arm-static
suites s390x s390x-linux-gnu-gcc qemu-s390x-static
