// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Locks: pthread mutexes that know the kernel's rules.
 *
 * - Locks are taken in ascending order of rank: what lockdep proves of classes
 *   (Documentation/locking/lockdep-design.rst), this asserts of each instance.
 *   A trylock may go against the order, since it cannot wait.
 * - A lock is released by the thread that holds it, and not taken twice by it.
 * - Nothing that may sleep is called with a spinlock held
 *   (CONFIG_DEBUG_ATOMIC_SLEEP: "sleeping function called from invalid
 *   context"). Every tpos_* function asks lock_assert_none_spins().
 *
 * A thread's locks are a stack, linked through the locks themselves.
 */

#include "annotate.h"
#include "machine.h"

static _Thread_local struct tpsim_lock *innermost;

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
		machine_panic("a lock is destroyed while it is held");
	pthread_mutex_destroy(&lock->mutex);
}

static bool is_held_by_me(const struct tpsim_lock *lock)
{
	for (const struct tpsim_lock *l = innermost; l; l = l->outer)
		if (l == lock)
			return true;
	return false;
}

static void lock_enter(struct tpsim_lock *lock)
{
	lock->holder = pthread_self();
	lock->held = true;
	lock->outer = innermost;
	innermost = lock;
	machine_lock(lock->machine);
	lock->machine->counters.locks_taken++;
	cost_add(lock->machine, COST_LOCK, 1);
	machine_unlock(lock->machine);
}

void tpsim_lock_acquire(struct tpsim_lock *lock)
{
	if (is_held_by_me(lock))
		machine_panic("a lock is taken twice by one thread");
	for (const struct tpsim_lock *l = innermost; l; l = l->outer)
		if (l->machine == lock->machine && l->rank >= lock->rank)
			machine_panic("lock rank %d is taken inside %d",
				      lock->rank, l->rank);
	if (!lock->spins)
		lock_assert_none_spins("mutex_lock");
	pthread_mutex_lock(&lock->mutex);
	lock_enter(lock);
}

bool tpsim_lock_try(struct tpsim_lock *lock)
{
	if (is_held_by_me(lock) || pthread_mutex_trylock(&lock->mutex))
		return false;
	lock_enter(lock);
	return true;
}

void tpsim_lock_release(struct tpsim_lock *lock)
{
	struct tpsim_lock **link = &innermost;

	while (*link && *link != lock)
		link = &(*link)->outer;
	if (!*link)
		machine_panic("a lock is released by a thread without it");
	*link = lock->outer;
	lock->held = false;
	pthread_mutex_unlock(&lock->mutex);
}

void tpsim_lock_assert_held(struct tpsim_lock *lock)
{
	if (!is_held_by_me(lock))
		machine_panic("a lock of rank %d should be held", lock->rank);
}

void lock_assert_none_spins(const char *call)
{
	for (const struct tpsim_lock *l = innermost; l; l = l->outer)
		if (l->spins)
			machine_panic("%s with a spinlock of rank %d held",
				      call, l->rank);
}

/*
 * helgrind knows threads by their mutexes alone; an atomic is told to it as a
 * word that it need not check. What is ordered by one (nothing is) would still
 * be checked.
 */
void tpos_atomic_set(tpos_atomic_t *a, long n)
{
	VALGRIND_HG_DISABLE_CHECKING(&a->value, sizeof(a->value));
	DRD_IGNORE_VAR(a->value);
	atomic_store(&a->value, n);
}

long tpos_atomic_read(tpos_atomic_t *a)
{
	return atomic_load(&a->value);
}

long tpos_atomic_add_return(long n, tpos_atomic_t *a)
{
	return atomic_fetch_add(&a->value, n) + n;
}
