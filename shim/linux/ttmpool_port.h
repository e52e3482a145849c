/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_PORT_H
#define TTMPOOL_PORT_H

/*
 * The Linux port: the part of the contract in ttmpool/os.h that is called often. The files
 * beside this one have the rest.
 *
 * Differences between kernel versions are in the compat_*.c files, from which Kbuild
 * chooses by looking at the headers. Differences between architectures are in the
 * caching_*.c files. This header has no conditionals for either.
 */

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/errno.h>
#include <linux/kconfig.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/page-flags.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

/*
 * 1 makes the checks that are cheap. A kernel that is built to find bugs may set it
 * to 2.
 */
#ifndef TPOS_CHECK_LEVEL
#define TPOS_CHECK_LEVEL 1
#endif

/* A module exports only by EXPORT_SYMBOL, and the kernel has no C++. */
#define TPOS_API_BEGIN
#define TPOS_API_END
#define TPOS_MUST_CHECK __must_check

struct file;
struct shrinker;
struct ttmpool_chunk;
struct ttmpool_system;

typedef struct ttmpool_system tpos_system_t; /* see ttmpool_system.h */
typedef struct device tpos_device_t;
typedef struct page tpos_page_t;
typedef dma_addr_t tpos_dma_addr_t;
typedef struct file tpos_store_t; /* of shmem: see store.c */

/*
 * @cookie says how the mapping is ended: for a coherent chunk see coherent.c; for any other
 * chunk it is the range of addresses that the chunk shares (compat_iova_link.c), or NULL.
 */
struct tpos_dma {
	dma_addr_t addr;
	void *cookie;
};

static inline dma_addr_t tpos_dma_address(const struct tpos_dma *dma)
{
	return dma->addr;
}

static inline void tpos_device_get(struct device *dev)
{
	get_device(dev);
}

static inline void tpos_device_put(struct device *dev)
{
	put_device(dev);
}

/*
 * Coherent pages and mappings each have a mask of their own
 * (dma_set_coherent_mask()).
 */
static inline u64 tpos_device_mask(struct device *dev, bool coherent)
{
	u64 mask = coherent ? dev->coherent_dma_mask : dma_get_mask(dev);

	return min_not_zero(mask, dev->bus_dma_limit);
}

/* device.c */
bool tpos_dma_bounces(struct device *dev, const struct ttmpool_chunk *chunk);
bool tpos_device_reaches(struct device *dev, struct page *page, size_t n);

/*
 * The frame number is only needed if each section of memory has its struct pages by itself
 * (include/asm-generic/memory_model.h). nth_page() did this until Linux 6.18, and does not
 * exist any more.
 */
static inline struct page *tpos_page_nth(struct page *page, size_t n)
{
	if (IS_ENABLED(CONFIG_SPARSEMEM) &&
	    !IS_ENABLED(CONFIG_SPARSEMEM_VMEMMAP))
		return pfn_to_page(page_to_pfn(page) + n);
	return page + n;
}

static inline bool tpos_page_is_poisoned(struct page *page)
{
	return PageHWPoison(page);
}

/* compat_poison_*.c */
bool tpos_may_be_poisoned(struct device *dev);

static inline int tpos_page_node(struct device *dev, const struct page *page)
{
	return page_to_nid(page);
}

static inline bool tpos_node_has_pages(struct device *dev, int node)
{
	return node >= 0 && node < MAX_NUMNODES && node_state(node, N_MEMORY);
}

/* statistics.c */
void tpos_note_spare(struct device *dev, int node, long pages);

/* index.c */
struct ttmpool_chunk *tpos_page_chunk(struct device *dev, struct page *page);
void tpos_page_set_chunk(struct page *page, struct ttmpool_chunk *chunk);

/*
 * KASAN's functions for whole pages are not exported to modules, so parked pages are not
 * poisoned. A built-in port would do it here.
 */
#define TPOS_WATCHED false

static inline void tpos_note_parked(struct device *dev,
				    struct ttmpool_chunk *chunk)
{
}

static inline void tpos_note_issued(struct device *dev,
				    struct ttmpool_chunk *chunk)
{
}

struct tpos_shrinker {
	unsigned long (*count)(struct tpos_shrinker *shrinker, bool swap);
	unsigned long (*scan)(struct tpos_shrinker *shrinker,
			      unsigned long pages, bool swap);
	unsigned long (*count_node)(struct tpos_shrinker *shrinker, int node,
				    bool swap);
	unsigned long (*scan_node)(struct tpos_shrinker *shrinker, int node,
				   unsigned long pages, bool swap);
	struct shrinker *shrinker; /* the kernel's, in compat_shrinker_*.c */
};

struct tpos_work {
	void (*run)(struct tpos_work *work);
	struct delayed_work work;
};

void ttmpool_work_run(struct work_struct *work);

#define tpos_work_init(tpos_work, fn)                                    \
	do {                                                             \
		(tpos_work)->run = (fn);                                 \
		INIT_DELAYED_WORK(&(tpos_work)->work, ttmpool_work_run); \
	} while (0)

/* @woken counts the wake-ups; see wait.c. */
struct tpos_wait {
	wait_queue_head_t queue;
	atomic_long_t woken;
};

#define tpos_wait_init(wait)                         \
	do {                                         \
		init_waitqueue_head(&(wait)->queue); \
		atomic_long_set(&(wait)->woken, 0);  \
	} while (0)
#define tpos_wait_fini(wait)  ((void)(wait))
#define tpos_wait_count(wait) atomic_long_add_return(0, &(wait)->woken)

static inline bool tpos_signal_pending(void)
{
	return signal_pending(current);
}

static inline bool tpos_fatal_signal_pending(void)
{
	return fatal_signal_pending(current);
}

static inline u64 tpos_now_ms(struct ttmpool_system *system)
{
	return ktime_to_ms(ktime_get());
}

/* Lockdep learns the order of the locks by itself, so the ranks are not needed. */
typedef spinlock_t tpos_spinlock_t;
typedef struct mutex tpos_mutex_t;

#define tpos_spin_init(lock, system, rank) spin_lock_init(lock)
#define tpos_spin_fini(lock)               ((void)(lock))
#define tpos_spin_lock(lock)               spin_lock(lock)
#define tpos_spin_unlock(lock)             spin_unlock(lock)
#define tpos_assert_held(lock)             lockdep_assert_held(lock)

#define tpos_mutex_init(mutex, system, rank) mutex_init(mutex)
#define tpos_mutex_fini(mutex)               mutex_destroy(mutex)
#define tpos_mutex_lock(mutex)               mutex_lock(mutex)
#define tpos_mutex_trylock(mutex)            mutex_trylock(mutex)
#define tpos_mutex_unlock(mutex)             mutex_unlock(mutex)
#define tpos_mutex_assert_held(mutex)        lockdep_assert_held(mutex)

typedef atomic_long_t tpos_atomic_t;

#define tpos_atomic_read(a)          atomic_long_read(a)
#define tpos_atomic_set(a, n)        atomic_long_set(a, n)
#define tpos_atomic_add_return(n, a) atomic_long_add_return(n, a)

static inline bool tpos_atomic_add_unless_above(unsigned long n,
						atomic_long_t *a,
						unsigned long limit)
{
	long now = atomic_long_read(a);

	do {
		if ((unsigned long)now > limit ||
		    n > limit - (unsigned long)now)
			return false;
	} while (!atomic_long_try_cmpxchg(a, &now, now + (long)n));
	return true;
}

#define tpos_read_once(p)            READ_ONCE(*(p))
#define tpos_write_once(p, value)    WRITE_ONCE(*(p), value)
#define tpos_load_acquire(p)         smp_load_acquire(p)
#define tpos_store_release(p, value) smp_store_release(p, value)
#define tpos_read_lock()             rcu_read_lock()
#define tpos_read_unlock()           rcu_read_unlock()

#define tpos_list_step()     ((void)0)
#define tpos_long_hold(lock) ((void)(lock))
#define tpos_cond_resched()  cond_resched()
#define tpos_assert(cond)    ((void)WARN_ON(TPOS_CHECK_LEVEL > 0 && !(cond)))
#define tpos_assert_not_reclaiming() \
	tpos_assert(!(current->flags & PF_MEMALLOC))

#endif
