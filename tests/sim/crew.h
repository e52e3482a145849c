/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CREW_H
#define CREW_H

/*
 * Buffers that threads swap out for others at the same time (S7). A thread is held up with the
 * buffer that it has, in vacate, which a driver may have to wait in.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define PAGES   8  /* of each buffer */
#define PARTY   16 /* buffers that leave together */
#define WORKERS 20 /* threads */

/** crew_store_fails - no store has memory. */
extern atomic_bool crew_store_fails;

/** crew_wakes - how often somebody was woken. */
extern atomic_int crew_wakes;

/**
 * struct crew - the buffers of a test, the oldest first
 * @rig: with as many pages as the buffers have
 * @funcs: of the buffers
 * @buf: the buffers
 * @n: how many
 */
struct crew {
	struct rig *rig;
	struct ttmpool_backend_funcs funcs;
	struct buffer *buf[WORKERS * PARTY];
	int n;
};

/** enum crew_disturbance - what happens to a buffer while a round is at work on another one. */
enum crew_disturbance {
	LOCKED,
	USED,
	IN_VAIN,
	NR_DISTURBANCES
};

/** crew_open() - open a rig and @n buffers; false if that failed. */
bool crew_open(struct check *t, struct crew *crew, int n);

/** crew_open_pools() - as crew_open(), but with @pools pools, one or two. With two, buffers that
 * follow each other belong to different pools. A party has buffers of one pool only, so each
 * buffer leaves alone. */
bool crew_open_pools(struct check *t, struct crew *crew, int n, int pools);

/** crew_close() - was nothing lost, and is nothing left? */
bool crew_close(struct check *t, struct crew *crew);

/** crew_trylock(), crew_unlock() - take and release the lock of a buffer. A thread that has
 * taken it sees what the thread before it did to the buffer. */
bool crew_trylock(struct ttmpool_backend *be);
void crew_unlock(struct ttmpool_backend *be);

/** crew_lock(), crew_release() - lock and unlock the buffers from @begin to before @end. */
void crew_lock(struct crew *crew, int begin, int end);
void crew_release(struct crew *crew, int begin, int end);

/** crew_shrink() - a call of the shrinker. */
unsigned long crew_shrink(struct ttmpool_manager *mgr, unsigned long pages);

/** crew_begins() - another thread begins a call. */
bool crew_begins(struct crew *crew, int worker,
		 unsigned long (*call)(struct ttmpool_manager *mgr,
				       unsigned long pages),
		 unsigned long pages);

/** crew_holds() - another thread begins a call, and is held up with the @i-th buffer. */
bool crew_holds(struct crew *crew, int worker, int i,
		unsigned long (*call)(struct ttmpool_manager *mgr,
				      unsigned long pages),
		unsigned long pages);

/** crew_lets_go() - let the thread go on. */
void crew_lets_go(int worker);

/** crew_goes_on() - let the thread go on to its end; the number of pages that it got. */
unsigned long crew_goes_on(int worker);

/** crew_waits() - is the thread still at work after a while? */
bool crew_waits(int worker);

/** crew_ends() - does the thread end? */
bool crew_ends(int worker);

/** crew_until_one_follows() - wait until a thread waits for the buffers of others. */
void crew_until_one_follows(struct crew *crew);

/** crew_stored() - how many pages of the buffer are in its store. */
size_t crew_stored(const struct crew *crew, int i);

/** crew_spoil() - make the array of a buffer one that the library did not leave there, so that
 * the buffer cannot leave; the entry that was changed. */
tpos_page_t *crew_spoil(struct buffer *buf);

/** crew_disturb() - do that to the second buffer; how many pages of it have left. */
unsigned long crew_disturb(struct crew *crew, enum crew_disturbance how);

/** crew_pause_ms() - sleep. */
void crew_pause_ms(long ms);

#endif
