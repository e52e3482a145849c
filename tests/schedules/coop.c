// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that run one at a time: contexts with their own stacks, in one thread of the
 * host. See coop.h.
 *
 * A thread whose next step is not possible yet (because a lock is taken, or no thread has
 * woken it) is not enabled. A wait with a time-out also ends when no other thread can do
 * anything: that is when time passes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#include <ttmpool/ttmpool.h>

#include "coop.h"

#define STACK_BYTES ((size_t)256 * 1024)
#define MOST_LOCKS  64

struct thread {
	ucontext_t context;
	struct point pending;
	bool done;
	bool late; /* its wait ends without a wake-up */
	int reclaims;
	char *stack;
};

static struct {
	const struct coop_run *run;
	struct thread threads[MOST_THREADS];
	ucontext_t outside;
	unsigned int current;
	bool running;
	bool stuck;
	struct {
		const void *lock;
		unsigned int owner;
	} locks[MOST_LOCKS];
	size_t nr_locks;
} coop;

enum coop_plant coop_plant;
bool coop_unlock_is_point;

bool points_depend(const struct point *a, const struct point *b)
{
	return a->object == b->object &&
	       !(a->kind == POINT_READ && b->kind == POINT_READ);
}

bool coop_is_running(void)
{
	return coop.running;
}

int *coop_reclaims(void)
{
	static int outside;

	return coop.running ? &coop.threads[coop.current].reclaims : &outside;
}

bool coop_is_locked(const void *lock)
{
	for (size_t i = 0; i < coop.nr_locks; i++)
		if (coop.locks[i].lock == lock)
			return true;
	return false;
}

bool coop_holds(const void *lock)
{
	for (size_t i = 0; i < coop.nr_locks; i++)
		if (coop.locks[i].lock == lock)
			return coop.locks[i].owner == coop.current;
	return false;
}

void coop_take(const void *lock)
{
	if (coop.nr_locks == MOST_LOCKS)
		abort();
	coop.locks[coop.nr_locks].lock = lock;
	coop.locks[coop.nr_locks++].owner = coop.current;
}

/* If several threads seem to hold the lock, because of a planted fault, the last entry
 * goes. */
void coop_release(const void *lock)
{
	for (size_t i = coop.nr_locks; i--;) {
		if (coop.locks[i].lock != lock)
			continue;
		coop.locks[i] = coop.locks[--coop.nr_locks];
		return;
	}
	fputs("schedules: unlock of a lock that is not held\n", stderr);
	abort();
}

static bool is_woken(const struct thread *thread)
{
	return tpos_wait_count(
		       (struct tpos_wait *)(uintptr_t)thread->pending.object) !=
	       thread->pending.seen;
}

static bool is_enabled(const struct thread *thread)
{
	if (thread->done)
		return false;
	if (thread->pending.kind == POINT_LOCK)
		return !coop_is_locked(thread->pending.object);
	if (thread->pending.kind == POINT_WAIT)
		return thread->late || is_woken(thread);
	return true;
}

static unsigned int enabled_threads(void)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < coop.run->n; i++)
		mask |= (unsigned int)is_enabled(&coop.threads[i]) << i;
	return mask;
}

/* No thread can go on, so the time of a waiting thread is over. Returns false if none
 * waits. */
static bool pass_time(void)
{
	for (unsigned int i = 0; i < coop.run->n; i++) {
		struct thread *thread = &coop.threads[i];

		if (thread->done || thread->pending.kind != POINT_WAIT)
			continue;
		thread->late = true;
		return true;
	}
	return false;
}

static bool all_done(void)
{
	for (unsigned int i = 0; i < coop.run->n; i++)
		if (!coop.threads[i].done)
			return false;
	return true;
}

/* Returns the thread that goes on; MOST_THREADS if there is none, because it is over. */
static unsigned int next_thread(void)
{
	struct point pending[MOST_THREADS];
	unsigned int enabled;

	if (all_done())
		return MOST_THREADS;
	enabled = enabled_threads();
	if (!enabled && pass_time())
		enabled = enabled_threads();
	coop.stuck = !enabled;
	if (coop.stuck)
		return MOST_THREADS;
	for (unsigned int i = 0; i < coop.run->n; i++)
		pending[i] = coop.threads[i].pending;
	return coop.run->choose(coop.run->arg, enabled, coop.current, pending);
}

/* Switch from the running thread to the next one, which may be the same. */
static void give_way(void)
{
	unsigned int before = coop.current, next = next_thread();
	struct thread *thread = &coop.threads[before];

	if (next == before)
		return;
	if (next == MOST_THREADS) {
		swapcontext(&thread->context, &coop.outside);
		return;
	}
	coop.current = next;
	swapcontext(&thread->context, &coop.threads[next].context);
}

void coop_point(enum point_kind kind, const void *object)
{
	if (!coop.running)
		return;
	coop.threads[coop.current].pending =
		(struct point){ .kind = kind, .object = object };
	give_way();
}

void coop_wait(const void *wait, long seen)
{
	struct thread *thread = &coop.threads[coop.current];

	thread->late = false;
	thread->pending = (struct point){ POINT_WAIT, wait, seen };
	give_way();
}

void coop_lock(const void *lock)
{
	coop_point(POINT_LOCK, lock);
	if (coop.running)
		coop_take(lock);
}

bool coop_trylock(const void *lock)
{
	coop_point(POINT_TRYLOCK, lock);
	if (coop_is_locked(lock) && coop_plant != PLANT_TRYLOCK)
		return false;
	coop_take(lock);
	return true;
}

void coop_unlock(const void *lock)
{
	if (!coop.running)
		return;
	if (coop_unlock_is_point)
		coop_point(POINT_UNLOCK, lock);
	coop_release(lock);
}

static void thread_main(void)
{
	unsigned int i = coop.current;

	coop.run->run(coop.run->arg, i);
	coop.threads[i].done = true;
	give_way();
}

static void thread_create(struct thread *thread)
{
	char *stack = thread->stack ? thread->stack : malloc(STACK_BYTES);

	if (!stack || getcontext(&thread->context))
		abort();
	thread->stack = stack;
	thread->pending = (struct point){ .kind = POINT_BEGIN };
	thread->done = false;
	thread->late = false;
	thread->reclaims = 0;
	thread->context.uc_stack.ss_sp = stack;
	thread->context.uc_stack.ss_size = STACK_BYTES;
	thread->context.uc_link = NULL;
	makecontext(&thread->context, thread_main, 0);
}

bool coop_play(const struct coop_run *run)
{
	unsigned int first;

	coop.run = run;
	coop.nr_locks = 0;
	coop.stuck = false;
	for (unsigned int i = 0; i < run->n; i++)
		thread_create(&coop.threads[i]);
	coop.current = 0;
	coop.running = true;
	first = next_thread();
	coop.current = first;
	swapcontext(&coop.outside, &coop.threads[first].context);
	coop.running = false;
	return !coop.stuck;
}
