#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2154 # $mode
#
# The first and only program of a test machine. judge.awk reads its console: KTAP lines of
# the cases, and "step:" lines of the steps here. $mode comes from the kernel's command
# line.

# shellcheck source=tools/kernel/machine.sh
. /machine.sh

edu_devices()
{
	grep -l 0x11e8 /sys/bus/pci/devices/*/device | xargs -n 1 dirname
}

# ask FILE LEAST: read that attribute of every device, all at once. Each device must have
# made at least LEAST transfers, without a wrong byte.
ask()
{
	rm -f /found.*
	for dev in $(edu_devices); do
		cat "$dev/$1" >"/found.$(basename "$dev")" &
	done
	wait
	for file in /found.*; do
		found=$(cat "$file")
		echo "edu: $mode ${file#/found.} $found"
		transfers=${found#*transfers=}
		[ "${transfers%% *}" -ge "$2" ] || return 1
		[ "${found#*wrong=}" = 0 ] || return 1
	done
}

# While the driver's buffers are idle, something needs more memory than there is: the
# buffers go to the store, and return with every byte. Pages of zeroes would never get to
# a disk.
buffers_survive_pressure()
{
	ask fill 0 || return 1
	mkdir -p /hog && mount -t tmpfs -o size=200m tmpfs /hog
	yes | head -c $((120 << 20)) >/hog/pages
	ask check 48 || return 1
	umount /hog
	! grep -h swapped=0 /found.*
}

run_cases()
{
	insmod ttmpool.ko && insmod ttmpool_ktap.ko mode="$mode" || return 1
	rmmod ttmpool_ktap && rmmod ttmpool
}

quarantined()
{
	sed -n 's/^manager pages_quarantined //p' /sys/kernel/debug/ttmpool/stats
}

unplug_all()
{
	for dev in $(edu_devices); do
		echo 1 >"$dev/remove"
	done
}

# leave FIRST SECOND: a driver forgets 42 pages of each device, plain and coherent.
# Devices and driver go, in the given order; the shrinker runs; all files are read; and
# when the last module goes, it gives the pages back.
leave()
{
	insmod ttmpool.ko && insmod ttmpool_stray.ko || return 1
	echo 1 >/sys/kernel/tracing/events/ttmpool/enable
	forgotten=$(($(edu_devices | wc -l) * 42))
	"$1" && [ "$(quarantined)" -eq "$forgotten" ] || return 1
	echo 2 >/proc/sys/vm/drop_caches
	"$2" && [ "$(quarantined)" -eq "$forgotten" ] || return 1
	echo 2 >/proc/sys/vm/drop_caches
	cat /sys/kernel/debug/ttmpool/* >/told
	grep -q "ttmpool_unmap: " /sys/kernel/tracing/trace || return 1
	rmmod ttmpool && cat /sys/kernel/tracing/trace >/told
	echo 1 >/sys/bus/pci/rescan
	[ -n "$(edu_devices)" ]
}

forget_driver()
{
	rmmod ttmpool_stray
}

devices_go_before_their_pages()
{
	leave unplug_all forget_driver && leave forget_driver unplug_all
}

# Unplug a device while a buffer is bound, and plug it in again.
remove_and_rescan()
{
	unplug_all
	[ -z "$(edu_devices 2>/dev/null)" ] || return 1
	[ "$(sed -n 's/^manager pages //p' /sys/kernel/debug/ttmpool/stats)" \
		-eq 0 ] || return 1
	echo 1 >/sys/bus/pci/rescan
	ask screen 4
}

# Buffers stay bound while everything is suspended to idle. An emulated clock that stands
# still cannot wake a machine, so the kernel is told to turn back when all devices sleep.
suspend_and_resume()
{
	echo 0 >/sys/module/suspend/parameters/pm_test_delay || return 1
	echo devices >/sys/power/pm_test || return 1
	echo freeze >/sys/power/state || return 1
	ask screen 4
}

shared_driver()
{
	insmod ttmpool.ko && insmod ttmpool_edu.ko dma_bits="$bits" || return 1
	ask selftest 64 && ask screen 4 || return 1
	# The driver uses the module, so it must not go.
	! rmmod ttmpool 2>/dev/null
}

pooled()
{
	sed -n 's/^manager pages_pooled //p' /sys/kernel/debug/ttmpool/stats
}

# Print the files for ttmpool-top, which is tested on them where there is Python.
show_files()
{
	for file in stats page_pool; do
		sed "s/^/file $file: /" /sys/kernel/debug/ttmpool/$file || return 1
	done
}

# The files show the pooled pages, and each way to shrink releases them.
debugfs_shrinks()
{
	[ "$(pooled)" -gt 0 ] || return 1
	grep -q "^total.*: *$(pooled) of" /sys/kernel/debug/ttmpool/page_pool ||
		return 1
	[ "$(cat /sys/kernel/debug/ttmpool/shrink)" -eq "$(pooled)" ] || return 1
	echo 1000000 >/sys/kernel/debug/ttmpool/shrink || return 1
	[ "$(pooled)" -eq 0 ]
}

limit_acts_at_once()
{
	limit=/sys/module/ttmpool/parameters/page_pool_size
	ask selftest 64 && [ "$(pooled)" -gt 100 ] || return 1
	was=$(cat "$limit")
	echo 100 >"$limit" || return 1
	[ "$(pooled)" -le 100 ] && echo "$was" >"$limit"
}

# All events of a buffer's life are traced, and the kernel's own call of the shrinker.
events_are_traced()
{
	echo 1 >/sys/kernel/tracing/events/ttmpool/enable || return 1
	ask selftest 64 || return 1
	echo 2 >/proc/sys/vm/drop_caches
	echo 0 >/sys/kernel/tracing/events/ttmpool/enable
	events='populate unpopulate take give alloc free caching shrink'
	# Coherent pages are never mapped separately.
	[ "${found%% *}" = coherent ] || events="$events map unmap"
	for event in $events; do
		grep -q "ttmpool_$event: " /sys/kernel/tracing/trace || return 1
	done
	[ "$(pooled)" -eq 0 ]
}

# A case has left a page in use, for three operations of other users
# (f34_teardown_tells_what_was_left): one line tells everything about it. The address is
# not 0, which would have no 0x.
f34_a_leak_is_told()
{
	dmesg | grep -qE "pool-a: still in use at teardown: pages\\[0\\] \
[0-9a-f]+ order 0 caching wc owner leaky dma 0x[0-9a-f]+ age 3$"
}

taken()
{
	awk '$2 == "takes" { n += $3 } END { print n + 0 }' \
		/sys/kernel/debug/ttmpool/stats
}

rows_of()
{
	grep -c ",$1," /recording
}

# recorded COMMAND...: record the driver's buffers while the command runs, and replay the
# recording without a fault. The recorder is no child of this shell, since ask waits for
# all children.
recorded()
{
	rm -f /recording /recorder.status
	(
		{
			ttmpool-record -q --source ttmpool -o /recording
			echo $? >/recorder.status
		} &
	)
	until [ -s /recording ]; do
		[ ! -e /recorder.status ] || return 1
		usleep 100000
	done
	held=0
	"$@" || held=1
	killall ttmpool-record
	# If memory ran out, the waiting program may have been killed, too.
	looks=600
	until [ -s /recorder.status ]; do
		looks=$((looks - 1))
		[ "$looks" -gt 0 ] || return 1
		usleep 100000
	done
	[ "$(cat /recorder.status)" = 0 ] && [ "$held" = 0 ] || return 1
	echo "recorded: $(rows_of alloc) alloc, $(rows_of free) free," \
		"$(rows_of swapout) swapout, $(rows_of swapin) swapin"
	ttmpool-replay --brief --no-baseline --ram 1024 /recording
}

# Each request to the pool for a buffer's pages has one row, and nothing else has.
a_recording_counts_as_the_pool_does()
{
	was=$(taken)
	recorded ask selftest 64 && [ "$(rows_of alloc)" -gt 0 ] &&
		[ "$(rows_of alloc)" -eq $(($(taken) - was)) ]
}

# Each swapout has its rows.
a_recording_has_what_is_swapped()
{
	recorded buffers_survive_pressure &&
		[ "$(rows_of swapout)" -gt 0 ] && [ "$(rows_of swapin)" -gt 0 ]
}

# Neither the log, nor the files, nor the trace contain an address in the kernel; and only
# root can read files about drivers, except for the table.
f45_no_kernel_address_is_told()
{
	files=/sys/kernel/debug/ttmpool
	{
		dmesg | grep ttmpool
		cat $files/page_pool $files/stats $files/shrink
		cat /sys/kernel/tracing/trace
	} >/told
	[ "$(wc -l </told)" -gt 100 ] && ! grep -E 'ffff[0-9a-f]{12}' /told &&
		[ "$(stat -c %a $files/stats)" = 400 ] &&
		[ "$(stat -c %a $files/shrink)" = 600 ] &&
		[ "$(stat -c %a $files/page_pool)" = 444 ]
}

# The limit changes while the drivers' buffers come and go.
f35_the_limit_changes_under_load()
{
	limit=/sys/module/ttmpool/parameters/page_pool_size
	was=$(cat "$limit")
	# No child of this shell, since ask waits for all children.
	(
		while [ ! -e /enough ]; do
			echo 0 >"$limit"
			usleep 20000
			echo "$was" >"$limit"
			usleep 20000
		done &
	)
	held=0
	ask selftest 64 || held=1
	: >/enough
	sleep 1
	[ "$(cat "$limit")" -eq "$was" ] && return "$held"
}

# A processor goes offline and comes back, with buffers bound.
f47_a_processor_comes_and_goes()
{
	echo 0 >/sys/devices/system/cpu/cpu1/online && ask screen 4 &&
		echo 1 >/sys/devices/system/cpu/cpu1/online && ask screen 4
}

unload_driver()
{
	rmmod ttmpool_edu && rmmod ttmpool
}

embedded_driver()
{
	insmod ttmpool_edu_embedded.ko dma_bits="$bits" || return 1
	ask selftest 64 && rmmod ttmpool_edu_embedded
}

# The first driver, alone and on ttmpool.ko: it prints where a page is, and leaves
# nothing.
first_driver()
{
	insmod ttmpool_first_embedded.ko && rmmod ttmpool_first_embedded || return 1
	insmod ttmpool.ko && insmod ttmpool_first.ko || return 1
	[ "$(pooled)" -ge 600 ] || return 1
	rmmod ttmpool_first && rmmod ttmpool || return 1
	[ "$(dmesg | grep -c 'ttmpool_first.*: page 599 is at 0x[0-9a-f]*$')" = 2 ]
}

cycle()
{
	i=0
	while [ "$i" -lt "$1" ]; do
		insmod ttmpool.ko && insmod ttmpool_edu.ko dma_bits=64 &&
			rmmod ttmpool_edu && rmmod ttmpool || return 1
		i=$((i + 1))
	done
}

# Load the modules this many times; then the same memory is free as before, except for the
# kernel's caches, in kB with pages of 4 kB.
loads=50
load_slack=256
load_and_unload()
{
	cycle 5 || return 1
	before=$(mem_free)
	cycle "$loads" || return 1
	after=$(mem_free)
	echo "memory free: $before kB before, $after kB after"
	[ $((before - after)) -lt $((load_slack * page_kb / 4)) ]
}

# The additions of a kernel that finds more: init-debug.sh, init-kcsan.sh, init-rt.sh.
# shellcheck source=tools/kernel/init-debug.sh
if [ -e /debug.sh ]; then
	. /debug.sh
	debug_first
fi

add_swap
before=$(mem_free)
step cases run_cases
step f49_devices_go_before_their_pages devices_go_before_their_pages
# The 28 bits of a real edu device, if the machine can serve such a mask. The memory of
# arm64's machine begins beyond them, at 1 GiB.
bits=28
case $(uname -m)-$mode in
aarch64-none | aarch64-noncoherent) bits=32 ;;
esac
step shared_driver shared_driver
step f34_a_leak_is_told f34_a_leak_is_told
step show_files show_files
step f06_debugfs_shrinks debugfs_shrinks
step f36_limit_acts_at_once limit_acts_at_once
step f35_the_limit_changes_under_load f35_the_limit_changes_under_load
step events_are_traced events_are_traced
# The recorder is compiled for the machine that builds all this.
case $(uname -m) in
aarch64) echo "step: ok a_recording_counts_as_the_pool_does # SKIP no recorder" ;;
*) step a_recording_counts_as_the_pool_does a_recording_counts_as_the_pool_does ;;
esac
step f45_no_kernel_address_is_told f45_no_kernel_address_is_told
[ ! -e /dev/vda ] || step f05_buffers_survive_pressure \
	a_recording_has_what_is_swapped
step f46_remove_and_rescan remove_and_rescan
step f47_suspend_and_resume suspend_and_resume
[ ! -e /sys/devices/system/cpu/cpu1/online ] ||
	step f47_a_processor_comes_and_goes f47_a_processor_comes_and_goes
step unload_driver unload_driver
bits=64
step embedded_driver embedded_driver
step first_driver first_driver
step f07_load_and_unload load_and_unload
after=$(mem_free)
echo "memory free: $before kB at the start, $after kB at the end"
# The kernel keeps the page tables with which it has split its linear map.
step memory_is_back test $((before - after)) -lt $((1024 * page_kb))
[ ! -e /debug.sh ] || debug_steps
echo "end of the test"
poweroff -f
