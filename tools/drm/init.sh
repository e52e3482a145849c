#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2154 # $alloc, $wc, $dma...
#
# The first program of a machine with two displays, and the only one except for the
# client. The kernel's command line says whose buffers the driver has (ttmpool, shmem),
# whether clients write through write-combining mappings (wc), and whether buffers are
# mapped for the device (dma). With race=1 the client works without being tested, and the
# cost of that is printed; with rounds=..., IGT's tests of these rounds run. With
# desktop=1 an X server is the client.
#
# A step about swapping passes only if that really happened.

# shellcheck source=tools/kernel/machine.sh
. /machine.sh

echo "KTAP version 1"

card=bochs_shmem
[ "$alloc" = shmem ] || card=bochs_pool

load_driver()
{
	[ "$alloc" = shmem ] ||
		{ insmod ttmpool.ko && insmod drm_gem_ttmpool.ko; } || return 1
	options="wc=$wc"
	[ -z "$dma" ] || options="$options dma=$dma"
	# The kernel warns if a frame takes 100 ms, which an emulator that is busy may take.
	# IGT's machine has a clock that does not run meanwhile.
	[ -n "$rounds" ] || options="$options frames=0"
	# shellcheck disable=SC2086 # a list of words
	insmod $card.ko $options
}

# The X server's configuration names the first card.
load()
{
	while read -r ko; do
		[ "$ko$desktop" = vgem.ko1 ] || insmod "$ko" || return 1
	done <order
	load_driver
}

# The cases print their own results; nothing of them stays.
cases()
{
	insmod ttmpool_drm_cases.ko && rmmod ttmpool_drm_cases
}

unload_driver()
{
	rmmod $card || return 1
	[ "$alloc" = shmem ] || { rmmod drm_gem_ttmpool && rmmod ttmpool; }
}

client()
{
	/bin/client $card "$@"
}

stat_of()
{
	awk -v name="$1" '$2 == name { n += $3 } END { print n + 0 }' \
		/sys/kernel/debug/ttmpool/stats
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

# held COMMAND...: the client has its buffers while the command runs, and checks them
# afterwards.
held()
{
	rm -f /go
	mkfifo /go
	# shellcheck disable=SC2086 # a list of words
	client $scenario </go >/client.out &
	exec 3>/go
	until grep -q '^client: ' /client.out; do
		usleep 100000
	done
	status=0
	"$@" || status=1
	echo go >&3
	wait $! || status=1
	exec 3>&-
	cat /client.out
	return "$status"
}

# shmem pages that are mapped for a process stay in memory; so its client unmaps them.
swap()
{
	scenario='swap 64'
	[ "$alloc" != shmem ] || scenario='swap 64 unmapped'
	held hog || return 1
	umount /hog
	awk '/^pswp/ { print "swap:", $1, $2; n += $2 > 0 } END { exit n < 2 }' \
		/proc/vmstat || return 1
	[ "$alloc" = shmem ] || [ "$(stat_of bytes_stored)" -gt 0 ]
}

# Remove the display that the client has open.
remove_display()
{
	for dir in "/sys/bus/pci/drivers/$card"/0000:*; do
		echo 1 >"$dir/remove"
		return
	done
}

unplug()
{
	scenario='unplug vgem'
	held remove_display || return 1
	if [ "$alloc" != shmem ] && [ "$(stat_of pages_in_use)" -ne 0 ]; then
		cat /sys/kernel/debug/ttmpool/stats
		return 1
	fi
	echo 1 >/sys/bus/pci/rescan
	client churn 60
}

# Steps that the kernel's own helper cannot pass are printed, and not judged: a mapping
# whose first part was unmapped shows other pages, and none of its objects counts as
# resident.
told()
{
	client "$@" || [ "$alloc" = shmem ]
}

# Everything that was made is gone: the free memory is as before, in kB.
slack=1024
memory_is_back()
{
	"$@" && "$@" || return 1
	before=$(mem_free)
	"$@" && "$@" && "$@" && "$@" || return 1
	after=$(mem_free)
	echo "memory free: $before kB before, $after kB after"
	[ $((before - after)) -lt "$slack" ]
}

traffic()
{
	client churn 200 && client modes 4
}

reload()
{
	load_driver && client churn 40 && unload_driver
}

# Keep the picture until boot.sh says that it has taken it.
picture()
{
	client picture </dev/ttyS1
}

# The kernel's functions whose calls are counted, by probes.
probed='cpa_flush flush_tlb_all flush_tlb_kernel_range vmap clear_page_erms
	drm_mode_create_dumb'
tracing=/sys/kernel/tracing

# A function that the compiler has inlined, or that this kernel does not have, is not
# counted.
add_probes()
{
	for symbol in $probed; do
		! awk -v name="$symbol" '$3 == name { found = 1 }
			END { exit !found }' /proc/kallsyms ||
			echo "p:race/$symbol $symbol" >>$tracing/kprobe_events || return 1
	done
}

enable_probes()
{
	echo "$1" >$tracing/events/race/enable
}

# What was counted until now: the probes' calls, and the pages that ttmpool has cleared.
counted()
{
	awk '{ print $1, $2 }' $tracing/kprobe_profile
	[ "$alloc" = shmem ] || echo "ours_cleared $(($(stat_of bytes_cleared) / 4096))"
}

# counts WORK: what was counted between the two files.
counts()
{
	awk -v work="$1" 'NR == FNR { before[$1] = $2; next }
		{ print "race:", work, $1, $2 - before[$1] }' /before /after
}

# race WORK TIMES: twice without probes, where the second time counts; and with them.
race()
{
	client "$@" && client "$@" >/spent || return 1
	awk -v work="$1" '/^spent: / { for (i = 2; i < NF; i += 2)
			print "race:", work, $i, $(i + 1) }' /spent
	counted >/before
	enable_probes 1
	client "$@" || return 1
	enable_probes 0
	counted >/after
	counts "$1"
}

race_all()
{
	step probes add_probes
	step draw race draw 20
	step sets race sets 20
}

test_all()
{
	[ "$alloc" = shmem ] || step cases cases
	step new_buffers_are_zero client zero
	step churn client churn 600
	step a_divided_mapping told split
	step bounds client bounds
	step fdinfo told fdinfo
	step prime_self client self
	step prime_vgem client prime vgem
	step prime_pair client prime $card 1
	step modes client modes 12
	step swap swap
	step picture picture
	step traffic_leaves_nothing memory_is_back traffic
	step unplug unplug
	step unload unload_driver
	step loads_leave_nothing memory_is_back reload
}

# For the X server: it and its clients are all that ask for buffers.
hits()
{
	awk '$1 == "drm_mode_create_dumb" { print $2 }' $tracing/kprobe_profile
}

# What it costs to start the X server.
start_counted()
{
	counted >/before
	start_xorg || return 1
	counted >/after
	counts x-start
	echo "race: x-start faults $(awk '{ print $10 }' "/proc/$xorg/stat")"
	stop_xorg
}

count()
{
	[ "$alloc" = shmem ] || grep -E ' (pages_in_use|bytes_stored) ' \
		/sys/kernel/debug/ttmpool/stats
}

# The X server loses its display while it and its clients draw.
unplug_under_x()
{
	start_xorg && start_scene && remove_display || return 1
	kill "$xorg" 2>/dev/null || echo "the X server has ended by itself"
	wait "$xorg"
	[ "$alloc" = shmem ] || [ "$(stat_of pages_in_use)" -eq 0 ]
}

desktop_all()
{
	step probes add_probes
	step enable_probes enable_probes 1
	step mount_desktop mount_desktop
	step start_counted start_counted
	x_steps
	step unplug_under_x unplug_under_x
	step unload unload_driver
}

# shellcheck source=tools/drm/init-igt.sh
. /igt.sh
# shellcheck source=tools/ttm/xorg.sh
. /xorg.sh

# The race needs no disk, and IGT's disk is for reading.
[ -n "$race$rounds" ] || add_swap
step load load
if [ -n "$race" ]; then
	race_all
elif [ -n "$rounds" ]; then
	igt_all
elif [ -n "$desktop" ]; then
	desktop_all
else
	test_all
fi
echo "end of the test"
poweroff -f
