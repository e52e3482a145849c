# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2034,SC2154 # $mode, $loads
#
# The additions of a debug kernel to init.sh, which reads this file, and calls debug_first
# before its own first step, and debug_steps after its last one.
#
# Calls fail in four ways while ttmpool_churn.ko makes traffic (tests/faults):
#
#     each in turn      the k-th call of a tpos_* function, for every k there is;
#                       in vtd-strict only
#     again and again   every call of it, every second, every third, every fifth
#     at random         calls of several functions, while the shrinker is called
#     below them        /proc/self/fail-nth: the n-th allocation of slab or pages
#                       that the kernel makes for us
#
# After each failure no page may be out, and the linear map must be write-back.

fail=/sys/kernel/debug/fail_function
churn=/sys/module/ttmpool_churn/parameters

# FUNCTION:ERROR, as a 64-bit number: -ENOMEM, NULL, -ENOSPC, -EIO, -EOPNOTSUPP
load_faults='tpos_pages_alloc:0xfffffffffffffff4
	tpos_caching_set:0xfffffffffffffff4
	tpos_dma_map:0xfffffffffffffff4
	tpos_dma_map:0xffffffffffffffe4
	tpos_dma_map:0xfffffffffffffffb
	tpos_chunk_alloc:0
	tpos_zalloc:0
	tpos_shrinker_register:0xfffffffffffffff4'
write_faults='tpos_store_create:0xfffffffffffffff4
	tpos_store_create:0xffffffffffffffe4
	tpos_store_adopt:0xfffffffffffffff4
	tpos_store_adopt:0xffffffffffffffa1
	tpos_store_write:0xfffffffffffffff4
	tpos_store_write:0xffffffffffffffe4
	tpos_store_write:0xfffffffffffffffb'
read_faults='tpos_store_read:0xfffffffffffffff4
	tpos_store_read:0xfffffffffffffffb'
all_faults="$load_faults $write_faults $read_faults"

# A module gets a new address each time it is loaded, and KASAN keeps for ever the
# backtraces of what is allocated and freed there.
loads=20
load_slack=1024

# KASAN keeps freed memory until a cache is shrunk.
mem_free()
{
	for cache in /sys/kernel/slab/*/shrink; do
		echo 1 >"$cache"
	done 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^ *nr_free_pages / { n += $2 } /^ *count:/ { n += $2 }
		END { print n * 4 }' /proc/zoneinfo
}

# inject FUNCTION:ERROR...: these functions fail as arm() says, until forget().
inject()
{
	for fault in "$@"; do
		echo "${fault%:*}" >$fail/inject || return 1
		echo "${fault#*:}" >"$fail/${fault%:*}/retval" || return 1
	done
}

# arm TIMES SPACE INTERVAL PROBABILITY
arm()
{
	echo "$1" >$fail/times && echo "$2" >$fail/space &&
		echo "$3" >$fail/interval && echo "$4" >$fail/probability
}

disarm()
{
	echo 0 >$fail/probability
}

forget()
{
	disarm
	echo >$fail/inject
}

run_churn()
{
	echo 1 >$churn/run
}

settle_churn()
{
	echo 1 >$churn/settle
}

# faults_of PREFIX: those whose names begin with it.
faults_of()
{
	for fault in $all_faults; do
		case $fault in
		"$1"*) echo "$fault" ;;
		esac
	done
}

# each_call_fails_in_turn FAULT...
#
# Every call fails in turn, until there is no further one. Each call uses up one of space.
each_call_fails_in_turn()
{
	for fault in "$@"; do
		inject "$fault" || return 1
		k=0
		left=0
		while [ "$left" -eq 0 ]; do
			k=$((k + 1))
			arm 1 "$k" 1 100 && run_churn || return 1
			left=$(cat $fail/times)
			disarm
			settle_churn || return 1
		done
		forget
		echo "points: $mode $((k - 1)) $fault"
		[ "$k" -gt 1 ] || return 1
	done
}

calls_fail_again_and_again()
{
	for fault in $all_faults; do
		inject "$fault" || return 1
		for interval in 1 2 3 5; do
			arm -1 0 "$interval" 100 && run_churn || return 1
			disarm
			settle_churn || return 1
		done
		forget
	done
}

calls_fail_at_random_under_reclaim()
{
	inject tpos_pages_alloc:0xfffffffffffffff4 \
		tpos_caching_set:0xfffffffffffffff4 \
		tpos_dma_map:0xffffffffffffffe4 tpos_chunk_alloc:0 || return 1
	# From now on the kernel does not log each write to this file.
	echo 4 >/proc/sys/vm/drop_caches
	while :; do
		echo 2 >/proc/sys/vm/drop_caches
	done &
	reclaim=$!
	good=true
	for percent in 2 4 6 8 10 12 14 16 18 20; do
		arm -1 0 1 $percent && run_churn || good=false
		disarm
		settle_churn || good=false
	done
	kill "$reclaim"
	wait "$reclaim"
	forget
	$good
}

# Allocations of more than a page fail in this shell: single pages must be enough.
large_blocks_cannot_be_had()
{
	file=/sys/kernel/debug/fail_page_alloc
	echo 1 >$file/min-order && echo Y >$file/task-filter || return 1
	echo 1 >/proc/self/make-it-fail
	echo -1 >$file/times && echo 100 >$file/probability
	held=0
	run_churn || held=1
	echo 0 >$file/probability
	echo 0 >/proc/self/make-it-fail
	echo 0 >$file/min-order
	echo N >$file/task-filter
	settle_churn && return "$held"
}

# All allocations of this shell count, too; so the shell reads the file that says what is
# left, and left is 0 if an allocation has failed. First each allocation fails, then every
# n-th one.
allocations_below_fail()
{
	n=1
	points=0
	left=0
	while [ "$left" -eq 0 ]; do
		left=1
		echo "$n" >/proc/self/fail-nth
		run_churn 2>/dev/null
		read -r left </proc/self/fail-nth
		echo 0 >/proc/self/fail-nth
		settle_churn || return 1
		points=$((points + 1))
		n=$((n + 1 + n / 8))
	done
	echo "points: $mode $((points - 1)) allocations"
	[ "$points" -gt 20 ]
}

# The driver may fail to start, but it can be unloaded, and ttmpool.ko after it.
driver_survives()
{
	for fault in $load_faults; do
		for k in 1 2 3 5 8; do
			insmod ttmpool.ko || return 1
			inject "$fault" && arm 1 "$k" 1 100 || return 1
			insmod ttmpool_edu.ko dma_bits=64 || return 1
			forget
			rmmod ttmpool_edu && rmmod ttmpool || return 1
		done
	done
}

prepare_faults()
{
	for kind in failslab fail_page_alloc fail_function; do
		echo 0 >/sys/kernel/debug/$kind/verbose || return 1
	done
	for kind in failslab fail_page_alloc; do
		echo N >/sys/kernel/debug/$kind/ignore-gfp-wait || return 1
	done
	echo N >/sys/kernel/debug/fail_page_alloc/ignore-gfp-highmem
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
}

# kmemleak does not report memory younger than some seconds. The kernel's own pool, which
# the sweep runs beside ours, leaks the tables of its lists from 7.x on:
# ttm_pool_type_init() calls list_lru_init(), and nothing calls list_lru_destroy().
# ttmpool has no such lists.
kmemleak_finds_nothing()
{
	file=/sys/kernel/debug/kmemleak
	sleep 6
	echo scan >$file || return 1
	sleep 6
	echo scan >$file || return 1
	cat $file >/leaks || return 1
	cat /leaks
	stock_leaks=$(grep -c __list_lru_init /leaks)
	echo "leaked by the kernel's own pool: $stock_leaks"
	[ "$(grep -c '^unreferenced object' /leaks)" -eq "$stock_leaks" ]
}

dma_debug_finds_nothing()
{
	[ "$(cat /sys/kernel/debug/dma-api/disabled)" = N ] &&
		[ "$(cat /sys/kernel/debug/dma-api/error_count)" -eq 0 ]
}

# Lockdep turns itself off when it has found something, or cannot continue.
lockdep_is_still_on()
{
	grep -q '^ debug_locks: *1$' /proc/lockdep_stats
}

# Each allocation of a caching change fails: that of an array, and those of two page
# tables.
a_split_fails_half_way()
{
	insmod ttmpool.ko && insmod ttmpool_churn.ko || return 1
	echo 1 >$churn/split || return 1
	echo "points: $mode $(cat $churn/splits) in a change that splits"
	[ "$(cat $churn/splits)" -ge 3 ] || return 1
	rmmod ttmpool_churn && rmmod ttmpool
}

# Each allocation of each operation fails, on our pool and on the kernel's: which pages
# does the system get back that are not write-back? From ours, none.
f23_a_sweep_loses_nothing()
{
	insmod ttmpool.ko && insmod ttmpool_churn.ko || return 1
	echo 1 >$churn/sweep || return 1
	rmmod ttmpool_churn && rmmod ttmpool
}

# Lockdep compares what it has seen of a caching change in reclaim with what it sees
# anywhere else, before and after.
caching_changes_in_reclaim()
{
	insmod ttmpool.ko && insmod ttmpool_churn.ko || return 1
	echo 1 >$churn/reclaim || return 1
	rmmod ttmpool_churn && rmmod ttmpool
}

# This is the first step, before anything else has split the linear map.
debug_first()
{
	step prepare_faults prepare_faults
	if [ "$mode" = large-pages ]; then
		step f23_a_split_fails_half_way a_split_fails_half_way
		step f23_a_sweep_loses_nothing f23_a_sweep_loses_nothing
	else
		for skipped in f23_a_split_fails_half_way \
			f23_a_sweep_loses_nothing; do
			echo "step: ok $skipped # SKIP DEBUG_PAGEALLOC: all" \
				"entries of the linear map are small"
		done
	fi
}

# sweep NAME FAULT...: a step of its own. It takes half an hour in all, and the results of
# a failure do not depend on the IOMMU: so it runs in one mode, the strictest.
sweep()
{
	name=$1
	shift
	if [ "$mode" = vtd-strict ]; then
		step "$name" each_call_fails_in_turn "$@"
	else
		echo "step: ok $name # SKIP as in vtd-strict"
	fi
}

calls_fail_in_turn()
{
	# shellcheck disable=SC2046,SC2086 # lists of words
	{
		sweep f01_each_allocation_fails $(faults_of tpos_pages_alloc)
		sweep f03_each_descriptor_fails $(faults_of tpos_chunk) \
			$(faults_of tpos_zalloc) \
			$(faults_of tpos_shrinker)
		sweep f10_each_mapping_fails $(faults_of tpos_dma)
		sweep f23_each_caching_change_fails $(faults_of tpos_caching)
		sweep f38_each_write_to_a_store_fails $write_faults
		sweep f39_each_read_from_a_store_fails $read_faults
	}
}

debug_steps()
{
	step f04_caching_changes_in_reclaim caching_changes_in_reclaim
	step driver_survives driver_survives
	insmod ttmpool.ko && insmod ttmpool_churn.ko
	run_churn
	step traffic_settles settle_churn
	calls_fail_in_turn
	step f02_large_blocks_cannot_be_had large_blocks_cannot_be_had
	step calls_fail_again_and_again calls_fail_again_and_again
	step f05_calls_fail_at_random_under_reclaim \
		calls_fail_at_random_under_reclaim
	step f03_allocations_below_fail allocations_below_fail
	echo "refused: $mode $(cat $churn/refused)"
	step unload_churn rmmod ttmpool_churn
	step unload_ttmpool rmmod ttmpool
	step kmemleak_finds_nothing kmemleak_finds_nothing
	step f20_dma_debug_finds_nothing dma_debug_finds_nothing
	step f12_mapping_errors_are_looked_at dma_debug_finds_nothing
	step f04_lockdep_is_still_on lockdep_is_still_on
}
