# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash
#
# The additions of a PREEMPT_RT kernel to init.sh, which reads this file, and calls
# debug_first before its own first step, and debug_steps after its last one.
#
# In such a kernel a spinlock is a lock that sleeps (Documentation/locking/locktypes.rst),
# and so may every allocation. Code that takes one with interrupts or preemption disabled
# may hang the machine, but only if the lock is held just then; and Debian's kernels have
# no DEBUG_ATOMIC_SLEEP, which would complain each time. So a kprobe checks every call of
# a function that may sleep, and counts it by its stack if preemption (the low four bits
# of the count) or interrupts (bit 0 of the flags) were disabled. The probes themselves
# stay disabled, and so leave the trace to others: a trigger is enough.

probes=/sys/kernel/tracing/events/kprobes
sleepers='rt_spin_lock rt_read_lock rt_write_lock mutex_lock down_write down_read
	__alloc_pages __alloc_pages_noprof __kmalloc __kmalloc_noprof
	kmem_cache_alloc kmem_cache_alloc_noprof'

count_stacks='hist:keys=common_stacktrace if common_flags & 1 || common_preempt_count & 15'

# Not every kernel has all these functions.
watch_sleepers()
{
	watched=0
	for sleeper in $sleepers; do
		echo "p:atomic_$sleeper $sleeper" >>/sys/kernel/tracing/kprobe_events \
			2>/dev/null || continue
		echo "$count_stacks" >"$probes/atomic_$sleeper/trigger" ||
			return 1
		watched=$((watched + 1))
	done
	echo "rt: $watched functions that may sleep are watched"
	[ -e $probes/atomic_rt_spin_lock ] && [ "$watched" -ge 6 ]
}

# The stacks of all calls in atomic context since the last time, and their number.
atomic_sleepers()
{
	cat $probes/atomic_*/hist 2>/dev/null | sed -n '/^{/,/^}/p'
}

forget_sleepers()
{
	for place in "$probes"/atomic_*; do
		echo "!$count_stacks" >"$place/trigger" &&
			echo "$count_stacks" >"$place/trigger" || return 1
	done
}

# A check that finds nothing must first show that it can find something: a module takes a
# spinlock with preemption disabled while it is loaded. It does not stay loaded, so its
# own functions have no names any more.
a_sleeper_is_told()
{
	insmod ttmpool_rt_canary.ko
	atomic_sleepers >/found
	grep -q 'hitcount: *[1-9]' /found && grep -q do_one_initcall /found || return 1
	forget_sleepers && [ -z "$(atomic_sleepers)" ]
}

debug_first()
{
	step watch_sleepers watch_sleepers
	step a_sleeper_is_told a_sleeper_is_told
}

nothing_sleeps_in_atomic_context()
{
	atomic_sleepers >/found
	sed 's/^/rt: /' /found | head -n 200
	[ ! -s /found ]
}

# The canary is still found: nothing has turned the check off.
debug_steps()
{
	step nothing_sleeps_in_atomic_context nothing_sleeps_in_atomic_context
	step a_sleeper_is_told_at_the_end a_sleeper_is_told
}
