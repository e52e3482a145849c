// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the library calls in this program, because of the linker: each lock, atomic, wait
 * and call into the machine is a point at which another thread may go on.
 *
 * The locks are those of coop.c: they only exclude other threads. In all other tests, the
 * machine's own locks check ranks, and that no call is made while a spinlock is held.
 */

#include <stdio.h>
#include <stdlib.h>

#include <ttmpool/ttmpool.h>

#include "coop.h"
#include "thread.h"
#include "tpsim.h"

#define REAL(name) __real_##name
#define WRAP(name) __wrap_##name

/* As on the machine: the value of tpsim_thread_set_reclaims() for each thread. */
enum reclaims WRAP(tpsim_thread_reclaims)(void);
void WRAP(tpsim_thread_set_reclaims)(enum reclaims reclaims);

enum reclaims WRAP(tpsim_thread_reclaims)(void)
{
	return (enum reclaims) * coop_reclaims();
}

void WRAP(tpsim_thread_set_reclaims)(enum reclaims reclaims)
{
	*coop_reclaims() = (int)reclaims;
}

void WRAP(tpsim_lock_acquire)(struct tpsim_lock *lock);
bool WRAP(tpsim_lock_try)(struct tpsim_lock *lock);
void WRAP(tpsim_lock_release)(struct tpsim_lock *lock);
void WRAP(tpsim_lock_assert_held)(struct tpsim_lock *lock);
void REAL(tpsim_lock_acquire)(struct tpsim_lock *lock);
bool REAL(tpsim_lock_try)(struct tpsim_lock *lock);
void REAL(tpsim_lock_release)(struct tpsim_lock *lock);

/* Does a planted fault keep this lock from locking? */
static bool is_open(const struct tpsim_lock *lock)
{
	return coop_plant == PLANT_MUTEX && !lock->spins;
}

void WRAP(tpsim_lock_acquire)(struct tpsim_lock *lock)
{
	if (!coop_is_running()) {
		REAL(tpsim_lock_acquire)(lock);
		return;
	}
	if (is_open(lock)) {
		coop_point(POINT_READ, lock);
		return;
	}
	if (coop_holds(lock)) {
		fputs("schedules: recursive locking\n", stderr);
		abort();
	}
	coop_lock(lock);
}

bool WRAP(tpsim_lock_try)(struct tpsim_lock *lock)
{
	if (!coop_is_running())
		return REAL(tpsim_lock_try)(lock);
	coop_point(POINT_TRYLOCK, lock);
	if (is_open(lock))
		return true;
	if (coop_is_locked(lock))
		return false;
	coop_take(lock);
	return true;
}

void WRAP(tpsim_lock_release)(struct tpsim_lock *lock)
{
	if (!coop_is_running())
		REAL(tpsim_lock_release)(lock);
	else if (!is_open(lock))
		coop_unlock(lock);
}

void WRAP(tpsim_lock_assert_held)(struct tpsim_lock *lock)
{
	if (coop_is_running() && !is_open(lock) && !coop_holds(lock)) {
		fputs("schedules: a lock is not held\n", stderr);
		abort();
	}
}

long WRAP(tpos_atomic_read)(tpos_atomic_t *a);
void WRAP(tpos_atomic_set)(tpos_atomic_t *a, long n);
long WRAP(tpos_atomic_add_return)(long n, tpos_atomic_t *a);
long REAL(tpos_atomic_read)(tpos_atomic_t *a);
void REAL(tpos_atomic_set)(tpos_atomic_t *a, long n);
long REAL(tpos_atomic_add_return)(long n, tpos_atomic_t *a);

long WRAP(tpos_atomic_read)(tpos_atomic_t *a)
{
	coop_point(POINT_READ, a);
	return REAL(tpos_atomic_read)(a);
}

void WRAP(tpos_atomic_set)(tpos_atomic_t *a, long n)
{
	coop_point(POINT_WRITE, a);
	REAL(tpos_atomic_set)(a, n);
}

long WRAP(tpos_atomic_add_return)(long n, tpos_atomic_t *a)
{
	long was;

	coop_point(POINT_WRITE, a);
	if (coop_plant != PLANT_ATOMIC)
		return REAL(tpos_atomic_add_return)(n, a);
	was = REAL(tpos_atomic_read)(a);
	coop_point(POINT_WRITE, a);
	REAL(tpos_atomic_set)(a, was + n);
	return was + n;
}

bool WRAP(tpos_atomic_add_unless_above)(unsigned long n, tpos_atomic_t *a,
					unsigned long limit);
bool REAL(tpos_atomic_add_unless_above)(unsigned long n, tpos_atomic_t *a,
					unsigned long limit);

bool WRAP(tpos_atomic_add_unless_above)(unsigned long n, tpos_atomic_t *a,
					unsigned long limit)
{
	coop_point(POINT_WRITE, a);
	return REAL(tpos_atomic_add_unless_above)(n, a, limit);
}

int WRAP(tpos_wait)(struct tpos_wait *wait, long seen,
		    unsigned int *timeout_ms);
int WRAP(tpos_wait_killable)(struct tpos_wait *wait, long seen,
			     unsigned int *timeout_ms);
void WRAP(tpos_wake)(struct tpos_wait *wait);
void REAL(tpos_wake)(struct tpos_wait *wait);

int WRAP(tpos_wait)(struct tpos_wait *wait, long seen, unsigned int *timeout_ms)
{
	if (coop_is_running())
		coop_wait(wait, seen);
	if (tpos_wait_count(wait) != seen || !timeout_ms)
		return 0;
	tpsim_pass_time(tpsim_thread_machine(), *timeout_ms);
	*timeout_ms = 0;
	return -ETIMEDOUT;
}

int WRAP(tpos_wait_killable)(struct tpos_wait *wait, long seen,
			     unsigned int *timeout_ms)
{
	return WRAP(tpos_wait)(wait, seen, timeout_ms);
}

void WRAP(tpos_wake)(struct tpos_wait *wait)
{
	coop_point(POINT_WRITE, wait);
	REAL(tpos_wake)(wait);
}

/*
 * Calls into the machine. Those that allocate or free memory depend on each other; calls
 * on different batches are independent.
 */
static const char machine;
#define POINT_VOID(name, object, params, args)  \
	void WRAP(name) params;                 \
	void REAL(name) params;                 \
	void WRAP(name) params                  \
	{                                       \
		coop_point(POINT_CALL, object); \
		REAL(name) args;                \
	}
#define POINT_VALUE(type, name, object, params, args) \
	type WRAP(name) params;                       \
	type REAL(name) params;                       \
	type WRAP(name) params                        \
	{                                             \
		coop_point(POINT_CALL, object);       \
		return REAL(name) args;               \
	}
#define POINT_INT(name, object, params, args) \
	POINT_VALUE(int, name, object, params, args)

POINT_INT(tpos_pages_alloc, &machine,
	  (tpos_device_t * dev, const struct tpos_alloc *req,
	   struct ttmpool_chunk *chunk),
	  (dev, req, chunk))
POINT_VOID(tpos_pages_free, &machine,
	   (tpos_device_t * dev, struct ttmpool_list *chunks), (dev, chunks))
POINT_VOID(tpos_pages_clear, chunks->next,
	   (tpos_device_t * dev, struct ttmpool_list *chunks), (dev, chunks))
POINT_VOID(tpos_pages_copy, to->chunk,
	   (const struct tpos_span *to, const struct tpos_span *from),
	   (to, from))
POINT_INT(tpos_caching_set, chunks->next,
	  (tpos_device_t * dev, struct ttmpool_list *chunks,
	   enum ttmpool_caching caching),
	  (dev, chunks, caching))
POINT_INT(tpos_dma_map, chunks->next,
	  (tpos_device_t * dev, struct ttmpool_list *chunks), (dev, chunks))
POINT_VALUE(size_t, tpos_dma_unmap, chunks->next,
	    (tpos_device_t * dev, struct ttmpool_list *chunks, bool lazy),
	    (dev, chunks, lazy))
POINT_INT(tpos_store_create, &machine,
	  (tpos_system_t * system, size_t pages, tpos_store_t **store),
	  (system, pages, store))
POINT_VOID(tpos_store_destroy, &machine, (tpos_store_t * store), (store))
POINT_INT(tpos_store_write, &machine,
	  (tpos_store_t * store, size_t index, const struct tpos_span *from),
	  (store, index, from))
POINT_INT(tpos_store_adopt, &machine,
	  (tpos_store_t * store, size_t index, struct ttmpool_chunk *chunk),
	  (store, index, chunk))
POINT_INT(tpos_store_read, store,
	  (tpos_store_t * store, size_t index, const struct tpos_span *to),
	  (store, index, to))
POINT_VOID(tpos_store_drop, &machine,
	   (tpos_store_t * store, size_t index, size_t pages),
	   (store, index, pages))
POINT_VOID(tpos_work_queue, work,
	   (tpos_system_t * system, struct tpos_work *work), (system, work))
POINT_VOID(tpos_note_parked, chunk,
	   (tpos_device_t * dev, struct ttmpool_chunk *chunk), (dev, chunk))
POINT_VOID(tpos_note_issued, chunk,
	   (tpos_device_t * dev, struct ttmpool_chunk *chunk), (dev, chunk))
