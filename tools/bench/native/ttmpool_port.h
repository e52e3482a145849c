/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_PORT_H
#define TTMPOOL_PORT_H

/*
 * A port for timing: pages are memory of this process, a lock is a spinlock like a
 * kernel's, and nothing is simulated or checked. So what remains is the native cost of
 * the library itself. It serves only ./dev bench: there is no device, no store, and no
 * report of a shortage of memory.
 */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TPOS_CHECK_LEVEL 0
#define TPOS_WATCHED     false

#define TPOS_API_BEGIN
#define TPOS_API_END
#define TPOS_MUST_CHECK __attribute__((warn_unused_result))

struct native_system;
struct native_device;
struct native_store;
struct ttmpool_chunk;

/* A page's descriptor; the pages themselves are in the system's arena. */
struct native_page {
	struct ttmpool_chunk *chunk;
	struct native_page *next_free;
#ifdef NATIVE_LOOKS /* as large as a kernel's */
	unsigned long flags;
	unsigned long others[5];
#endif
};

typedef struct native_system tpos_system_t;
typedef struct native_device tpos_device_t;
typedef struct native_page tpos_page_t;
typedef struct native_store tpos_store_t;
typedef uint64_t tpos_dma_addr_t;

struct tpos_dma {
	tpos_dma_addr_t addr;
	void *cookie;
};

static inline tpos_dma_addr_t tpos_dma_address(const struct tpos_dma *dma)
{
	return dma->addr;
}

static inline tpos_dma_addr_t tpos_device_mask(tpos_device_t *dev,
					       bool coherent)
{
	(void)dev;
	(void)coherent;
	return UINT64_MAX;
}

static inline tpos_page_t *tpos_page_nth(tpos_page_t *page, size_t n)
{
	return page + n;
}

static inline int tpos_page_node(tpos_device_t *dev, const tpos_page_t *page)
{
	(void)dev;
	(void)page;
	return 0;
}

static inline void tpos_note_spare(tpos_device_t *dev, int node, long pages)
{
	(void)dev;
	(void)node;
	(void)pages;
}

static inline bool tpos_node_has_pages(tpos_device_t *dev, int node)
{
	(void)dev;
	return node == 0;
}

static inline struct ttmpool_chunk *tpos_page_chunk(tpos_device_t *dev,
						    tpos_page_t *page)
{
	(void)dev;
	return page->chunk;
}

static inline void tpos_page_set_chunk(tpos_page_t *page,
				       struct ttmpool_chunk *chunk)
{
	page->chunk = chunk;
}

/*
 * No page is ever poisoned here. With NATIVE_LOOKS the code does not know that, as in a
 * kernel with CONFIG_MEMORY_FAILURE, and checks each page.
 */
#ifdef NATIVE_LOOKS
static inline bool tpos_page_is_poisoned(const tpos_page_t *page)
{
	return *(const volatile unsigned long *)&page->flags & 1ul << 22;
}

static inline bool tpos_may_be_poisoned(tpos_device_t *dev)
{
	(void)dev;
	return true;
}
#else
static inline bool tpos_page_is_poisoned(const tpos_page_t *page)
{
	(void)page;
	return false;
}

static inline bool tpos_may_be_poisoned(tpos_device_t *dev)
{
	(void)dev;
	return false;
}
#endif

/* Devices exist as long as the program. */
static inline void tpos_device_get(tpos_device_t *dev)
{
	(void)dev;
}

static inline void tpos_device_put(tpos_device_t *dev)
{
	(void)dev;
}

static inline bool tpos_dma_bounces(tpos_device_t *dev,
				    const struct ttmpool_chunk *chunk)
{
	(void)dev;
	(void)chunk;
	return false;
}

static inline bool tpos_device_reaches(tpos_device_t *dev,
				       const tpos_page_t *page, size_t n)
{
	(void)dev;
	(void)page;
	(void)n;
	return true;
}

static inline void tpos_note_parked(tpos_device_t *dev,
				    struct ttmpool_chunk *chunk)
{
	(void)dev;
	(void)chunk;
}

static inline void tpos_note_issued(tpos_device_t *dev,
				    struct ttmpool_chunk *chunk)
{
	(void)dev;
	(void)chunk;
}

struct tpos_shrinker {
	unsigned long (*count)(struct tpos_shrinker *shrinker, bool swap);
	unsigned long (*scan)(struct tpos_shrinker *shrinker,
			      unsigned long pages, bool swap);
	unsigned long (*count_node)(struct tpos_shrinker *shrinker, int node,
				    bool swap);
	unsigned long (*scan_node)(struct tpos_shrinker *shrinker, int node,
				   unsigned long pages, bool swap);
};

struct tpos_work {
	void (*run)(struct tpos_work *work);
};

#define tpos_work_init(work, fn) ((work)->run = (fn))

struct tpos_wait {
	atomic_long count;
};

#define tpos_wait_init(wait)  atomic_init(&(wait)->count, 0)
#define tpos_wait_fini(wait)  ((void)(wait))
#define tpos_wait_count(wait) atomic_load(&(wait)->count)

static inline bool tpos_signal_pending(void)
{
	return false;
}

static inline bool tpos_fatal_signal_pending(void)
{
	return false;
}

/* tpos_wait() does not sleep, and its time is over at once: so this clock jumps. */
static inline uint64_t tpos_now_ms(tpos_system_t *system)
{
	static atomic_ulong calls;

	(void)system;
	return atomic_fetch_add(&calls, 1);
}

/* How many locks this thread has taken. */
extern _Thread_local unsigned long native_locks;

typedef pthread_spinlock_t tpos_spinlock_t;
typedef pthread_mutex_t tpos_mutex_t;

static inline void native_spin_lock(pthread_spinlock_t *lock)
{
	native_locks++;
	pthread_spin_lock(lock);
}

#define tpos_spin_init(lock, system, rank)   pthread_spin_init(lock, 0)
#define tpos_spin_fini(lock)                 pthread_spin_destroy(lock)
#define tpos_spin_lock(lock)                 native_spin_lock(lock)
#define tpos_spin_unlock(lock)               pthread_spin_unlock(lock)
#define tpos_assert_held(lock)               ((void)(lock))
#define tpos_mutex_init(mutex, system, rank) pthread_mutex_init(mutex, NULL)
#define tpos_mutex_fini(mutex)               pthread_mutex_destroy(mutex)
#define tpos_mutex_lock(mutex)               pthread_mutex_lock(mutex)
#define tpos_mutex_trylock(mutex)            (!pthread_mutex_trylock(mutex))
#define tpos_mutex_unlock(mutex)             pthread_mutex_unlock(mutex)
#define tpos_mutex_assert_held(mutex)        ((void)(mutex))

typedef atomic_long tpos_atomic_t;

static inline long native_add_return(long n, atomic_long *a)
{
	return atomic_fetch_add(a, n) + n;
}

static inline bool tpos_atomic_add_unless_above(unsigned long n, atomic_long *a,
						unsigned long limit)
{
	long now = atomic_load(a);

	do {
		if ((unsigned long)now > limit ||
		    n > limit - (unsigned long)now)
			return false;
	} while (!atomic_compare_exchange_weak(a, &now,
					       (long)((unsigned long)now + n)));
	return true;
}

#define tpos_atomic_read(a)          atomic_load_explicit(a, memory_order_relaxed)
#define tpos_atomic_set(a, n)        atomic_store(a, n)
#define tpos_atomic_add_return(n, a) native_add_return(n, a)

#define tpos_read_once(p)         __atomic_load_n(p, __ATOMIC_RELAXED)
#define tpos_write_once(p, value) __atomic_store_n(p, value, __ATOMIC_RELAXED)
#define tpos_load_acquire(p)      __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define tpos_store_release(p, value) \
	__atomic_store_n(p, value, __ATOMIC_RELEASE)
#define tpos_read_lock()   ((void)0)
#define tpos_read_unlock() ((void)0)

#define tpos_list_step()     ((void)0)
#define tpos_long_hold(lock) ((void)(lock))
#define tpos_cond_resched()  ((void)0)
#define tpos_assert(cond)    ((void)sizeof(cond))

#define tpos_assert_not_reclaiming() ((void)0)

#endif
