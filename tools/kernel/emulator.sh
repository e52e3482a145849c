# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh
#
# Whether a machine ended because of its emulated processor: then the run says nothing about
# the kernel, and the machine is booted again. The run.sh of tools/kernel, tools/ttm and
# tools/drm read this file.

# Flags with a bit above the 21st, which no processor has: boot.sh explains why.
has_impossible_flags()
{
	grep -aqE 'EFLAGS: ([1-9a-f]|0[1-9a-f]|00[4-9a-f])' "$1"
}

# Linux changes its own code by putting a breakpoint there for a moment. With a thread for
# each CPU, QEMU may still run the code with the breakpoint when the kernel does not expect
# it any more. If no module is loaded yet, it was not one of ours.
met_a_stale_breakpoint()
{
	grep -aq 'Oops: int3' "$1" &&
		tr -d '\r' <"$1" | grep -aq '^Modules linked in: *$'
}

# emulator_broke LOG
emulator_broke()
{
	has_impossible_flags "$1" || met_a_stale_breakpoint "$1"
}
