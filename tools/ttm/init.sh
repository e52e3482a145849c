#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2154 # $driver, $pool, $mem_free...
#
# The first program of a machine with one GPU, and mostly the only one. The kernel's
# command line says which driver, and whose pool is in ttm.ko (stock, ours). Modules are
# loaded in the order of the file "order", and unloaded in the opposite one.
#
# Probes on TTM's functions count what TTM does; the functions are the same for both
# pools. A step about eviction or swapping passes only if that really happened.

# shellcheck source=tools/kernel/machine.sh
. /machine.sh

echo "KTAP version 1"

# No mode may be set on this radeon, because the kernel fails at that. On the others the
# kernel's console is one more client.
options_of()
{
	case $driver:$1 in
	radeon:drm_kms_helper.ko) echo fbdev_emulation=0 ;;
	shrink-faults:ttm.ko) echo backup_fault_inject=23 ;;
	esac
}

load()
{
	while read -r ko; do
		# shellcheck disable=SC2046 # none is none
		insmod "$ko" $(options_of "$ko") || return 1
	done <order
	case $driver in
	ways | fill | shrink*) ;;
	*) [ -c /dev/dri/card0 ] ;;
	esac
}

unload()
{
	tac order | while read -r ko; do
		rmmod "${ko%.ko}" || return 1
	done
}

# The functions that handle a buffer.
probes='alloc=ttm_pool_alloc free=ttm_pool_free
	swapout=ttm_tt_swapout swapin=ttm_tt_swapin'
card=${driver%-xorg}
case $card in
qxl) probes="$probes evict=qxl_evict_flags" ;;
bochs) probes="$probes evict=bo_driver_evict_flags" ;;
radeon) probes="$probes evict=radeon_evict_flags" ;;
esac

add_probes()
{
	for probe in $probes; do
		echo "p:${probe%=*} ${probe#*=}" \
			>>/sys/kernel/tracing/kprobe_events || return 1
	done
	echo 1 >/sys/kernel/tracing/events/kprobes/enable
}

remove_probes()
{
	echo 0 >/sys/kernel/tracing/events/kprobes/enable &&
		echo >/sys/kernel/tracing/kprobe_events
}

hits()
{
	awk -v name="$1" '$1 == name { print $2 }' \
		/sys/kernel/tracing/kprobe_profile
}

# Is the loaded pool the requested one?
right_pool()
{
	if [ "$pool" = ours ]; then
		grep -q ' ttmpool_pool_take.*\[ttm\]' /proc/kallsyms
	else
		! grep -q ' ttmpool_' /proc/kallsyms
	fi
}

rows_of()
{
	grep -c ",$1," /recording
}

# recorded COMMAND...: record the requests to TTM while the command runs, and replay the
# recording without a fault on any pool. A step has to run in this shell.
recorded()
{
	rm -f /recording
	ttmpool-record -q --source ttm -o /recording &
	recorder=$!
	until [ -s /recording ]; do
		kill -0 $recorder || return 1
		usleep 100000
	done
	held=0
	"$@" || held=1
	kill -TERM $recorder
	wait $recorder && [ "$held" = 0 ] || return 1
	echo "recorded: $(rows_of alloc) alloc, $(rows_of free) free," \
		"$(rows_of swapout) swapout, $(rows_of swapin) swapin"
	ttmpool-replay --brief --no-baseline --ram 1024 /recording
}

counted_churn()
{
	first=$(hits alloc)
	churn || return 1
	last=$(hits alloc)
}

# This test's own probes count what the recorder sees. A driver may allocate by itself,
# like qxl when the console draws: what it does while the recorder starts or stops may be
# recorded or not.
a_recording_counts_as_the_probes_do()
{
	before=$(hits alloc)
	recorded counted_churn || return 1
	after=$(hits alloc)
	rows=$(rows_of alloc)
	echo "probes: $((last - first)) alloc while recorded, $((after - before)) around it"
	[ "$rows" -gt 0 ] && [ "$rows" -ge $((last - first)) ] &&
		[ "$rows" -le $((after - before)) ]
}

a_recording_has_what_is_swapped()
{
	recorded swap && [ "$(rows_of swapout)" -gt 0 ] &&
		[ "$(rows_of swapin)" -gt 0 ]
}

client()
{
	/bin/client "$card" "$@"
}

traffic()
{
	client churn 16 100
}

churn()
{
	client churn 32 600 && [ "$(hits alloc)" -gt 0 ]
}

evict()
{
	client evict 40 && [ "$(hits evict)" -gt 0 ]
}

# How many pages were read from the swap disk.
from_disk()
{
	awk '/^pswpin / { print $2 }' /proc/vmstat
}

# Use more than all of memory, since otherwise the kernel may swap out these pages instead
# of the buffers. Not zeroes: such pages never get to a disk.
hog()
{
	mkdir -p /hog && mount -t tmpfs -o size=280m tmpfs /hog
	yes | head -c 1048576 >/hog/piece
	i=0
	while [ "$i" -lt 256 ]; do
		cat /hog/piece || return 1
		i=$((i + 1))
	done >/hog/pages
}

# TTM's limit is so low that most of the buffers do not fit, and most of what it swaps out
# does not fit into memory, either. What is read from the disk while the client checks its
# buffers is theirs, with its neighbours on the disk.
swap()
{
	limit=/sys/module/ttm/parameters/pages_limit
	was=$(cat "$limit")
	echo 4096 >"$limit" || return 1
	mkfifo /go
	client swap 64 </go &
	exec 3>/go
	sleep 8
	hog || return 1
	was_back=$(from_disk)
	echo go >&3
	held=0
	wait $! || held=1
	exec 3>&-
	umount /hog
	echo "$was" >"$limit"
	back=$(($(from_disk) - was_back))
	[ "$held" -eq 0 ] && [ "$(hits swapout)" -gt 0 ] &&
		[ "$(hits swapin)" -gt 0 ] && [ "$back" -gt 0 ]
}

pooled()
{
	awk '/^total/ { for (i = 2; i <= NF; i++) if ($i == "of") n += $(i - 1) }
	     END { print n + 0 }' /sys/kernel/debug/ttm/page_pool
}

# Pages of the DMA API, which radeon uses, stay pooled until the shrinker wants them;
# other pages do only in a pool that keeps mappings.
pages_are_pooled()
{
	traffic || return 1
	was=$(pooled)
	[ "$was" -gt 0 ] || return 1
	echo 2 >/proc/sys/vm/drop_caches
	echo "pooled: $was pages, then $(pooled)"
	[ "$(pooled)" -lt "$was" ]
}

count()
{
	echo "trace: alloc=$(hits alloc) free=$(hits free)" \
		"evict=$(hits evict) swapout=$(hits swapout)" \
		"swapin=$(hits swapin) disk=$back"
}

# Everything that was made is gone: the free memory is as before, in kB.
slack=512
memory_is_back()
{
	"$@" && "$@" || return 1
	before=$(mem_free)
	"$@" && "$@" && "$@" && "$@" || return 1
	after=$(mem_free)
	echo "memory free: $before kB before, $after kB after"
	[ $((before - after)) -lt "$slack" ]
}

load_and_unload()
{
	load && traffic && unload
}

# Keep the picture until boot.sh says that it has taken it.
picture()
{
	client picture </dev/ttyS1
}

# No GPU: a module that uses the pool in all ways at once.
ways_show()
{
	grep -q 'total' /sys/kernel/debug/ttm_ways &&
		[ "$(pooled)" -gt 0 ] || return 1
	echo 2 >/proc/sys/vm/drop_caches
	[ "$(pooled)" -eq 0 ]
}

reload()
{
	load && unload
}

# No GPU: a module that shrinks buffer objects and checks every byte. Its lines have the
# results; errors on the kernel's own pool are printed and not judged.
shrunk()
{
	dmesg | grep -q 'shrink: end$' || return 1
	[ "$pool" = stock ] || ! dmesg | grep 'shrink: [a-z]*: shrinks=' |
		grep -vq ' wrong=0 inconsistent=0$'
}

# No GPU: a module whose pool got more than half of a node back. At most half of it stays
# pooled, within the delay of the kernel's counters; and on our pool not less. TTM's pool
# keeps less, because it counts chunks where pages are meant.
kilobytes_of_node()
{
	awk -v what="$1:" '$3 == what { print $4 }' \
		/sys/devices/system/node/node1/meminfo
}

half_of_the_node_is_kept()
{
	all=$(kilobytes_of_node MemTotal)
	pooled=$(kilobytes_of_node GPUReclaim)
	echo "fill: $pooled kB pooled of $all kB"
	least=45
	[ "$pool" = ours ] || least=0
	[ "$pooled" -ge $((all * least / 100)) ] &&
		[ "$pooled" -le $((all * 51 / 100)) ]
}

if [ "$driver" = fill ]; then
	step load load
	step right_pool right_pool
	step half_of_the_node_is_kept half_of_the_node_is_kept
	step unload unload
	echo "end of the test"
	poweroff -f
fi

if [ "$driver" = ways ]; then
	step load load
	step right_pool right_pool
	step ways_show ways_show
	step unload unload
	step loads_leave_nothing memory_is_back reload
	echo "end of the test"
	poweroff -f
fi

add_swap
step load load
step right_pool right_pool
if [ "$driver" != "${driver#shrink}" ]; then
	step shrunk shrunk
	step unload unload
	echo "end of the test"
	poweroff -f
fi
step add_probes add_probes

case $driver in
*-xorg)
	# shellcheck source=tools/ttm/xorg.sh
	. /xorg.sh
	step mount_desktop mount_desktop
	x_steps
	[ "$driver" != bochs-xorg ] || step unload unload
	echo "end of the test"
	poweroff -f
	;;
esac

step churn a_recording_counts_as_the_probes_do
step evict evict
step swap a_recording_has_what_is_swapped
count
[ "$driver" = radeon ] || step picture picture
[ "$driver" != radeon ] || step pages_are_pooled pages_are_pooled
step remove_probes remove_probes
step traffic_leaves_nothing memory_is_back traffic
# radeon cannot take its device down, and qxl never frees its interrupt: neither can be
# loaded again.
[ "$driver" = radeon ] || step unload unload
[ "$driver" != bochs ] ||
	step loads_leave_nothing memory_is_back load_and_unload
echo "end of the test"
poweroff -f
