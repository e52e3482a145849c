/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COOP_H
#define COOP_H

/*
 * Threads that run one at a time, and give way only where they would meet
 * others: before each lock, each atomic access, each wait and wake, and each
 * call into the machine. What runs between two such points is a step, and the
 * order of steps is a schedule. Who runs next is asked of the explorer, so a
 * schedule can be played again, and all of them can be tried.
 *
 * The linker puts our own locks and atomics before those of the simulated
 * machine. Steps are seen in one order by all (sequential consistency): what a
 * weaker machine may do to an access without a lock is for TSan, helgrind and
 * DRD to find.
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
	POINT_READ,  /* an atomic */
	POINT_WRITE, /* of an atomic, or a wake */
	POINT_WAIT,
	POINT_CALL, /* of the machine */
};

/**
 * struct point - what a thread is about to do
 * @kind: to
 * @object: this
 * @seen: the count of a wait, that must be another for the wait to end
 */
struct point {
	enum point_kind kind;
	const void *object;
	long seen;
};

/** points_depend() - may it matter which of two comes first? */
bool points_depend(const struct point *a, const struct point *b);

/**
 * struct coop_run - threads, from their beginning to their end
 * @n: how many
 * @run: what thread @i does
 * @choose: which of the threads in the mask @enabled goes on; @current has been
 *	running, and @pending is what each is about to do
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

/** coop_play() - play it; false if all who are left wait for each other. */
bool coop_play(const struct coop_run *run);

/** coop_point() - the running thread gives way, if it is one of ours. */
void coop_point(enum point_kind kind, const void *object);

/* A lock of the driver's, for a buffer. */
void coop_lock(const void *lock);
bool coop_trylock(const void *lock);
void coop_unlock(const void *lock);

/**
 * enum coop_plant - a fault that the explorer must find
 * @PLANT_TRYLOCK: the lock of a buffer seems free when it is not
 * @PLANT_MUTEX: the library's mutexes let everybody in
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

/* Is an unlock a point, too? Only who leaves out what commutes needs it. */
extern bool coop_unlock_is_point;

/* coop.c to wrap.c */
bool coop_is_running(void);
bool coop_is_locked(const void *lock);
void coop_take(const void *lock);
void coop_release(const void *lock);
bool coop_holds(const void *lock);
void coop_wait(const void *wait, long seen);
int *coop_reclaims(void);

#endif
