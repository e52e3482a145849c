/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COOP_H
#define COOP_H

/*
 * Threads that run one at a time, and give way only where they could affect each other:
 * before each lock, each atomic access, each wait and wake, and each call into the
 * machine. What runs between two such points is a step, and the order of the steps is a
 * schedule. The explorer chooses which thread runs next, so a schedule can be played
 * again, and all of them can be tried.
 *
 * The linker puts our locks and atomics in front of those of the simulated machine. All
 * threads see the steps in one order (sequential consistency): TSan, helgrind and DRD
 * look for what a weaker memory order may do to an access without a lock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MOST_THREADS 4
#define MOST_STEPS   8192

enum point_kind {
	POINT_BEGIN,
	POINT_LOCK,
	POINT_TRYLOCK,
	POINT_UNLOCK,
	POINT_READ,  /* of an atomic */
	POINT_WRITE, /* of an atomic; or a wake */
	POINT_WAIT,
	POINT_CALL, /* into the machine */
};

/**
 * struct point - what a thread is about to do
 * @kind: the kind of access
 * @object: the object that it accesses
 * @seen: for a wait: the wait ends when the count differs from this
 */
struct point {
	enum point_kind kind;
	const void *object;
	long seen;
};

/** points_depend() - may the order of these two matter? */
bool points_depend(const struct point *a, const struct point *b);

/**
 * struct coop_run - threads, from their beginning to their end
 * @n: the number of threads
 * @run: what thread @i does
 * @choose: chooses the thread that goes on, from the mask @enabled; @current has been
 *	running, and @pending is what each thread is about to do
 * @arg: for both
 */
struct coop_run {
	unsigned int n;
	void (*run)(void *arg, unsigned int i);
	unsigned int (*choose)(void *arg, unsigned int enabled,
			       unsigned int current,
			       const struct point *pending);
	void *arg;
};

/** coop_play() - run the threads; false if all that are left wait for each other. */
bool coop_play(const struct coop_run *run);

/** coop_point() - the running thread gives way, if it is one of these threads. */
void coop_point(enum point_kind kind, const void *object);

/* A lock of a driver, for a buffer. */
void coop_lock(const void *lock);
bool coop_trylock(const void *lock);
void coop_unlock(const void *lock);

/**
 * enum coop_plant - a fault that the explorer must find
 * @PLANT_TRYLOCK: the lock of a buffer seems free when it is not
 * @PLANT_MUTEX: the library's mutexes do not lock
 * @PLANT_ATOMIC: an addition is a read and a write, with a point between
 */
enum coop_plant {
	PLANT_NONE,
	PLANT_TRYLOCK,
	PLANT_MUTEX,
	PLANT_ATOMIC,
	NR_PLANTS,
};
extern enum coop_plant coop_plant;

/* Is an unlock a point, too? Only an exploration that leaves out orders that commute
 * needs that. */
extern bool coop_unlock_is_point;

/* shared by coop.c and wrap.c */
bool coop_is_running(void);
bool coop_is_locked(const void *lock);
void coop_take(const void *lock);
void coop_release(const void *lock);
bool coop_holds(const void *lock);
void coop_wait(const void *wait, long seen);
int *coop_reclaims(void);

#endif
