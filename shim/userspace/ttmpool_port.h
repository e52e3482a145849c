/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_PORT_H
#define TTMPOOL_PORT_H

/*
 * The userspace port: the library runs on a simulated machine (tpsim.h). This header has
 * the part of the contract in ttmpool/os.h that is called often.
 *
 * Locks are pthread mutexes behind functions. So helgrind, DRD and TSan understand them,
 * and every use checks rank, owner and "no call with a spinlock held", as lockdep and
 * DEBUG_ATOMIC_SLEEP would.
 */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef TPOS_CHECK_LEVEL
#define TPOS_CHECK_LEVEL 1
#endif

/*
 * The public headers declare their functions between these two. Such a function has C
 * linkage in C++, too, and a shared library exports it; the library is compiled with
 * -fvisibility=hidden, so it exports no other function. The headers use anonymous
 * structures, which C++ has only as an extension: gcc and clang know it, and warn of
 * it with -Wpedantic.
 */
#ifdef __cplusplus
#define TPOS_API_BEGIN                                                         \
	extern "C" {                                                           \
	_Pragma("GCC visibility push(default)") _Pragma("GCC diagnostic push") \
		_Pragma("GCC diagnostic ignored \"-Wpedantic\"")
#define TPOS_API_END                                                \
	_Pragma("GCC diagnostic pop") _Pragma("GCC visibility pop") \
	}
#else
#define TPOS_API_BEGIN _Pragma("GCC visibility push(default)")
#define TPOS_API_END   _Pragma("GCC visibility pop")
#endif

/* The compiler warns a caller that ignores the result of such a function. */
#define TPOS_MUST_CHECK __attribute__((warn_unused_result))

TPOS_API_BEGIN

struct tpsim_machine;
struct tpsim_device;
struct tpsim_page;
struct tpsim_store;
struct ttmpool_chunk;

typedef struct tpsim_machine tpos_system_t;
typedef struct tpsim_device tpos_device_t;
typedef struct tpsim_page tpos_page_t;
typedef struct tpsim_store tpos_store_t;
typedef uint64_t tpos_dma_addr_t;

/*
 * What Linux keeps of a mapping, too: the address, and what dma_free_attrs() needs.
 */
struct tpos_dma {
	tpos_dma_addr_t addr;
	void *cookie;
};

static inline tpos_dma_addr_t tpos_dma_address(const struct tpos_dma *dma)
{
	return dma->addr;
}

/*
 * The descriptor of a page frame. All members except @chunk belong to the simulated
 * machine. As in Linux's struct page, the words that link a free block have another use
 * while the block is allocated, and zeroes describe a page that nobody has touched yet. So
 * memory that the machine has, and nobody has asked for, costs nothing.
 */
struct tpsim_page {
	struct ttmpool_chunk *chunk;
	union {
		struct {
			struct tpsim_page *next_free;
			struct tpsim_page *prev_free;
		};
		struct { /* while its block is allocated */
			struct tpsim_mapping *mapping;
			struct tpsim_machine *machine; /* in each page */
		};
	};
	uint8_t heads;   /* 1 + order of the free block that it begins, or 0 */
	uint8_t order;   /* of the allocated block that it is in */
	uint8_t use;     /* enum page_use */
	uint8_t pte;     /* its caching, xor TTMPOOL_CACHED */
	uint8_t exposed; /* a caller has a pointer to its bytes */
	uint8_t parked;  /* in the first page of a block */
	uint8_t split;   /* also there: the block is freed page by page */
	uint8_t poisoned;
};

static inline tpos_page_t *tpos_page_nth(tpos_page_t *page, size_t n)
{
	return page + n;
}

static inline bool tpos_page_is_poisoned(const tpos_page_t *page)
{
	return __atomic_load_n(&page->poisoned, __ATOMIC_RELAXED);
}

tpos_dma_addr_t tpos_device_mask(tpos_device_t *dev, bool coherent);
bool tpos_may_be_poisoned(tpos_device_t *dev);
int tpos_page_node(tpos_device_t *dev, const tpos_page_t *page);
bool tpos_node_has_pages(tpos_device_t *dev, int node);
void tpos_note_spare(tpos_device_t *dev, int node, long pages);
struct ttmpool_chunk *tpos_page_chunk(tpos_device_t *dev, tpos_page_t *page);
void tpos_page_set_chunk(tpos_page_t *page, struct ttmpool_chunk *chunk);
void tpos_device_get(tpos_device_t *dev);
void tpos_device_put(tpos_device_t *dev);
bool tpos_dma_bounces(tpos_device_t *dev, const struct ttmpool_chunk *chunk);
bool tpos_device_reaches(tpos_device_t *dev, const tpos_page_t *page, size_t n);

/* Valgrind, ASan and the machine itself use the notes: see notes.c. */
#define TPOS_WATCHED true

void tpos_note_parked(tpos_device_t *dev, struct ttmpool_chunk *chunk);
void tpos_note_issued(tpos_device_t *dev, struct ttmpool_chunk *chunk);

struct tpos_shrinker {
	unsigned long (*count)(struct tpos_shrinker *shrinker, bool swap);
	unsigned long (*scan)(struct tpos_shrinker *shrinker,
			      unsigned long pages, bool swap);
	unsigned long (*count_node)(struct tpos_shrinker *shrinker, int node,
				    bool swap);
	unsigned long (*scan_node)(struct tpos_shrinker *shrinker, int node,
				   unsigned long pages, bool swap);
	struct tpos_shrinker *next; /* in the machine's list */
	unsigned int running;       /* number of its callbacks that run now */
};

struct tpos_work {
	void (*run)(struct tpos_work *work);
	struct tpos_work *next; /* in the machine's queue */
	bool queued;
};

static inline void tpos_work_init(struct tpos_work *work,
				  void (*run)(struct tpos_work *work))
{
	work->run = run;
	work->next = NULL;
	work->queued = false;
}

/* A queue to sleep on: Linux's wait_queue_head_t, and a count beside it. */
struct tpos_wait {
	pthread_mutex_t mutex;
	pthread_cond_t woken;
	long count; /* atomic */
	unsigned int sleepers;
};

void tpos_wait_init(struct tpos_wait *wait);
void tpos_wait_fini(struct tpos_wait *wait);
long tpos_wait_count(struct tpos_wait *wait);
bool tpos_signal_pending(void);
bool tpos_fatal_signal_pending(void);
uint64_t tpos_now_ms(tpos_system_t *system);

typedef struct tpsim_lock {
	pthread_mutex_t mutex;
	struct tpsim_machine *machine;
	struct tpsim_lock *outer; /* the lock that its holder took before */
	int rank;
	bool spins;
	bool held;
} tpos_spinlock_t, tpos_mutex_t;

void tpsim_lock_init(struct tpsim_lock *lock, struct tpsim_machine *machine,
		     int rank, bool spins);
void tpsim_lock_fini(struct tpsim_lock *lock);
void tpsim_lock_acquire(struct tpsim_lock *lock);
bool tpsim_lock_try(struct tpsim_lock *lock);
void tpsim_lock_release(struct tpsim_lock *lock);
void tpsim_lock_assert_held(struct tpsim_lock *lock);
void tpsim_lock_step(void);
void tpsim_lock_hold_long(struct tpsim_lock *lock);
void tpos_assert_not_reclaiming(void);

#define tpos_spin_init(lock, system, rank) \
	tpsim_lock_init(lock, system, rank, true)
#define tpos_spin_fini(lock)   tpsim_lock_fini(lock)
#define tpos_spin_lock(lock)   tpsim_lock_acquire(lock)
#define tpos_spin_unlock(lock) tpsim_lock_release(lock)
#define tpos_assert_held(lock) tpsim_lock_assert_held(lock)

#define tpos_mutex_init(mutex, system, rank) \
	tpsim_lock_init(mutex, system, rank, false)
#define tpos_mutex_fini(mutex)        tpsim_lock_fini(mutex)
#define tpos_mutex_lock(mutex)        tpsim_lock_acquire(mutex)
#define tpos_mutex_trylock(mutex)     tpsim_lock_try(mutex)
#define tpos_mutex_unlock(mutex)      tpsim_lock_release(mutex)
#define tpos_mutex_assert_held(mutex) tpsim_lock_assert_held(mutex)

/* A plain long, because C++ has no atomic_long. */
typedef struct {
	long value;
} tpos_atomic_t;

long tpos_atomic_read(tpos_atomic_t *a);
void tpos_atomic_set(tpos_atomic_t *a, long n);
long tpos_atomic_add_return(long n, tpos_atomic_t *a);
bool tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
				  unsigned long limit);

/*
 * As weak as READ_ONCE() and its relatives, so that TSan reports a race here
 * exactly if it is one in Linux.
 */
#define tpos_read_once(p)         __atomic_load_n(p, __ATOMIC_RELAXED)
#define tpos_write_once(p, value) __atomic_store_n(p, value, __ATOMIC_RELAXED)
#define tpos_load_acquire(p)      __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define tpos_store_release(p, value) \
	__atomic_store_n(p, value, __ATOMIC_RELEASE)

void tpos_read_lock(void);
void tpos_read_unlock(void);

/* The most steps along lists that a thread may take while it holds a spinlock. */
#define TPSIM_HOLD_STEPS 512

/*
 * Steps are counted in builds that walk whole objects, and in those that ask for
 * it.
 */
#if TPOS_CHECK_LEVEL > 1 || defined(TPSIM_COUNTS_STEPS)
#define tpos_list_step() tpsim_lock_step()
#else
#define tpos_list_step() ((void)0)
#endif
#define tpos_long_hold(lock) tpsim_lock_hold_long(lock)

#define tpos_cond_resched() ((void)0)

__attribute__((noreturn)) void tpsim_assert_failed(const char *cond,
						   const char *file, int line);

/*
 * An assertion has a branch that is never taken. A build that counts branches must
 * not have any.
 */
#if TPOS_CHECK_LEVEL > 0 && !defined(TPSIM_NO_ASSERTIONS)
#define tpos_assert(cond) \
	((cond) ? (void)0 : tpsim_assert_failed(#cond, __FILE__, __LINE__))
#else
#define tpos_assert(cond) ((void)sizeof(cond))
#endif

TPOS_API_END

#endif
