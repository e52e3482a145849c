# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2034,SC2154 # $mode, $loads
#
# The additions of a kernel that looks for data races to init.sh, which reads this file,
# and calls debug_first before its own first step, and debug_steps after its last one. The
# kernel prints its findings on the console; kcsan.awk judges them.

races=/sys/module/ttmpool_races/parameters

# An instrumented kernel, on a clock that does not wait for it.
loads=10
load_slack=1024

# Watch only from now on, not while the machine boots. The kernel watches one of so many
# accesses, for so many microseconds.
watch_closely()
{
	echo on >/sys/kernel/debug/kcsan || return 1
	echo 400 >/sys/module/kcsan/parameters/skip_watch &&
		echo 200 >/sys/module/kcsan/parameters/udelay_task
}

# A kernel that finds nothing must first show that it can find a race.
a_race_is_told()
{
	insmod ttmpool_canary.ko && rmmod ttmpool_canary || return 1
	dmesg | grep -q 'BUG: KCSAN: data-race in canary_sing'
}

# All operations at once on every processor, while the kernel's shrinker is called.
f35_all_at_once_under_reclaim()
{
	insmod ttmpool.ko && insmod ttmpool_races.ko || return 1
	# From now on the kernel does not log each write to this file.
	echo 4 >/proc/sys/vm/drop_caches
	while :; do
		echo 2 >/proc/sys/vm/drop_caches
		usleep 1000
	done &
	reclaim=$!
	held=0
	echo 20 >$races/run || held=1
	kill "$reclaim"
	wait "$reclaim"
	buffers=$(cat $races/rounds)
	echo "races: $mode $buffers buffers"
	rmmod ttmpool_races && rmmod ttmpool || return 1
	[ "$buffers" -gt 100 ] && return "$held"
}

debug_first()
{
	step watch_closely watch_closely
	step a_race_is_told a_race_is_told
	step f35_all_at_once_under_reclaim f35_all_at_once_under_reclaim
}

debug_steps()
{
	step f35_all_at_once_at_the_end f35_all_at_once_under_reclaim
}
