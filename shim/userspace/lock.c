// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Locks and atomics. Underneath is a pthread mutex, which helgrind, DRD and TSan
 * understand. On top are the checks that a kernel with PROVE_LOCKING and
 * DEBUG_ATOMIC_SLEEP would make. They are made at each use, not only when threads collide:
 *
 *     ranks rise          kernel/locking/lockdep.c, check_prev_add(). Two locks of one
 *                         rank are the same class taken twice, check_deadlock()
 *     try-locks are       they cannot deadlock: lockdep records no dependency for
 *     exempt              hlock->trylock
 *     no long hold        kernel/rcu/tree_stall.c and kernel/watchdog.c complain after
 *                         seconds; a reviewer, and latency tracers
 *                         (CONFIG_PREEMPT_TRACER), after some hundred steps along a
 *                         list with preemption off
 *     nothing sleeps      kernel/sched/core.c, __might_sleep(): no mutex and no tpos_*
 *     under a spinlock    call while a spinlock is held
 *     the holder unlocks  lockdep's print_unlock_imbalance_bug()
 *     readers do not      __might_sleep(), too: rcu_preempt_depth()
 *     sleep
 *
 * Each thread has a list of the locks that it holds, and looks at no other thread's.
 *
 * On a machine without threads, one thread plays several: while it waits, it does what
 * other threads would do (tpsim_thread_turn_begin()). These play threads hold none of its
 * locks, and if one of them takes such a lock, that is a deadlock: it would wait for a
 * thread that waits for it.
 */

#include "machine.h"

/* What Linux keeps in task_struct. */
static _Thread_local struct {
	struct tpsim_lock *held; /* the last one taken; the others by ->outer */
	enum reclaims reclaims;  /* PF_MEMALLOC, and PF_MEMALLOC_NOFS */
	struct thread_turn *turns; /* turns that wait meanwhile */
	unsigned long steps;       /* along lists, since its first spinlock */
	unsigned int spins;        /* number of spinlocks that it holds */
	bool may_be_long;          /* tpsim_lock_hold_long() was called */
	unsigned int reading;      /* rcu_read_lock_nesting */
	struct tpsim_machine *machine;
} self;

void tpsim_thread_turn_begin(struct thread_turn *turn)
{
	turn->held = self.held;
	turn->reclaims = self.reclaims;
	turn->machine = self.machine;
	turn->outer = self.turns;
	self.turns = turn;
	self.held = NULL;
	self.reclaims = RECLAIMS_NOT;
}

void tpsim_thread_turn_end(struct thread_turn *turn)
{
	if (self.held)
		tpsim_complain("what runs meanwhile keeps a lock", "rank %d",
			       self.held->rank);
	self.held = turn->held;
	self.reclaims = turn->reclaims;
	self.machine = turn->machine;
	self.turns = turn->outer;
}

void tpsim_thread_work_on(struct tpsim_machine *machine)
{
	self.machine = machine;
}

struct tpsim_machine *tpsim_thread_machine(void)
{
	return self.machine;
}

void tpsim_thread_may_sleep(const char *call)
{
	for (struct tpsim_lock *lock = self.held; lock; lock = lock->outer)
		if (lock->spins)
			tpsim_complain("sleeping while atomic",
				       "%s with a spinlock of rank %d held",
				       call, lock->rank);
	if (self.reading)
		tpsim_complain("sleeping while atomic",
			       "%s between tpos_read_lock() and unlock", call);
}

/*
 * The number of threads that read. The count is relaxed on purpose: if it ordered anything,
 * TSan would believe that a reader waits for a writer, and would see no race between them.
 */
static unsigned long readers;

bool tpsim_readers(void)
{
	return __atomic_load_n(&readers, __ATOMIC_RELAXED);
}

void tpos_read_lock(void)
{
	if (!self.reading++)
		__atomic_fetch_add(&readers, 1, __ATOMIC_RELAXED);
}

void tpos_read_unlock(void)
{
	if (!self.reading)
		tpsim_complain("unlock of a lock that is not held",
			       "tpos_read_unlock()");
	if (!--self.reading)
		__atomic_fetch_sub(&readers, 1, __ATOMIC_RELAXED);
}

/*
 * Returns the locks that this thread holds. A callback must leave this unchanged.
 */
const struct tpsim_lock *tpsim_thread_locks(void)
{
	return self.held;
}

enum reclaims tpsim_thread_reclaims(void)
{
	return self.reclaims;
}

void tpsim_thread_set_reclaims(enum reclaims reclaims)
{
	self.reclaims = reclaims;
}

/* A thread that waits for swap-outs in reclaim may wait for its own. */
void tpos_assert_not_reclaiming(void)
{
	if (self.reclaims)
		tpsim_complain("deadlock", "a shrinker waits for swap-outs");
}

static bool is_among(const struct tpsim_lock *lock,
		     const struct tpsim_lock *held)
{
	while (held && held != lock)
		held = held->outer;
	return held;
}

/* Returns whether one of the turns that wait in this thread holds the lock. */
static bool waiter_holds(const struct tpsim_lock *lock)
{
	const struct thread_turn *turn = self.turns;

	while (turn && !is_among(lock, turn->held))
		turn = turn->outer;
	return turn;
}

static void note_taken(struct tpsim_lock *lock)
{
	if (lock->spins && !self.spins++) {
		self.steps = 0;
		self.may_be_long = false;
	}
	lock->outer = self.held;
	lock->held = true;
	self.held = lock;
	self.machine = lock->machine;
	atomic_fetch_add(&lock->machine->locks_taken, 1);
}

void tpsim_lock_init(struct tpsim_lock *lock, struct tpsim_machine *machine,
		     int rank, bool spins)
{
	*lock = (struct tpsim_lock){ .machine = machine,
				     .rank = rank,
				     .spins = spins };
	pthread_mutex_init(&lock->mutex, NULL);
}

void tpsim_lock_fini(struct tpsim_lock *lock)
{
	if (lock->held)
		tpsim_complain("held lock freed", "rank %d", lock->rank);
	pthread_mutex_destroy(&lock->mutex);
}

void tpsim_lock_acquire(struct tpsim_lock *lock)
{
	if (!lock->spins)
		tpsim_thread_may_sleep("a mutex is locked");
	for (struct tpsim_lock *held = self.held; held; held = held->outer) {
		if (held == lock)
			tpsim_complain("recursive locking", "rank %d",
				       lock->rank);
		if (held->rank >= lock->rank)
			tpsim_complain("lock order",
				       "rank %d is taken under rank %d",
				       lock->rank, held->rank);
	}
	if (waiter_holds(lock))
		tpsim_complain("deadlock",
			       "rank %d is held by one who waits for this",
			       lock->rank);
	pthread_mutex_lock(&lock->mutex);
	note_taken(lock);
}

bool tpsim_lock_try(struct tpsim_lock *lock)
{
	self.machine = lock->machine;
	if (pthread_mutex_trylock(&lock->mutex))
		return false;
	note_taken(lock);
	return true;
}

/*
 * Called when the last spinlock is released: notes how many steps it was held for.
 */
static void note_steps(struct tpsim_machine *machine)
{
	unsigned long longest = atomic_load(&machine->longest_hold);

	if (!self.steps || self.may_be_long)
		return;
	atomic_fetch_add(&machine->list_steps, self.steps);
	while (self.steps > longest &&
	       !atomic_compare_exchange_weak(&machine->longest_hold, &longest,
					     self.steps))
		;
}

void tpsim_lock_release(struct tpsim_lock *lock)
{
	struct tpsim_lock **link = &self.held;

	while (*link && *link != lock)
		link = &(*link)->outer;
	if (!*link)
		tpsim_complain("unlock of a lock that is not held", "rank %d",
			       lock->rank);
	*link = lock->outer;
	self.spins -= lock->spins;
	if (lock->spins && !self.spins)
		note_steps(lock->machine);
	lock->held = false;
	pthread_mutex_unlock(&lock->mutex);
}

/*
 * A step along a list. Only code that was compiled to report each step calls this.
 */
void tpsim_lock_step(void)
{
	if (self.spins && ++self.steps > TPSIM_HOLD_STEPS && !self.may_be_long)
		tpsim_complain("a spinlock is held for long",
			       "more than %d steps along lists",
			       TPSIM_HOLD_STEPS);
}

void tpsim_lock_hold_long(struct tpsim_lock *lock)
{
	(void)lock;
	self.may_be_long = true;
}

void tpsim_lock_assert_held(struct tpsim_lock *lock)
{
	if (!is_among(lock, self.held))
		tpsim_complain("lock not held", "rank %d", lock->rank);
}

long tpos_atomic_read(tpos_atomic_t *a)
{
	return __atomic_load_n(&a->value, __ATOMIC_SEQ_CST);
}

void tpos_atomic_set(tpos_atomic_t *a, long n)
{
	__atomic_store_n(&a->value, n, __ATOMIC_SEQ_CST);
}

long tpos_atomic_add_return(long n, tpos_atomic_t *a)
{
	return __atomic_add_fetch(&a->value, n, __ATOMIC_SEQ_CST);
}

/*
 * Linux: a loop of atomic_long_try_cmpxchg(), until no other thread has come in
 * between.
 */
bool tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
				  unsigned long limit)
{
	long now = __atomic_load_n(&a->value, __ATOMIC_SEQ_CST);

	do {
		if ((unsigned long)now > limit ||
		    n > limit - (unsigned long)now)
			return false;
	} while (!__atomic_compare_exchange_n(
		&a->value, &now, (long)((unsigned long)now + n), true,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return true;
}
