/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_PORT_H
#define TTMPOOL_PORT_H

/*
 * A third port, to a machine that does not exist: one CPU, no operating system, no C
 * library. It is compiled with -ffreestanding -nostdinc, and proves that the library
 * needs nothing that its contract does not name. The port needs only the compiler's own
 * types.
 */

typedef __SIZE_TYPE__ size_t;
typedef __INT32_TYPE__ int32_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;

#define bool _Bool
#define true 1
#define false 0
#define NULL                   ((void *)0)
#define LONG_MAX               __LONG_MAX__
#define ULONG_MAX              (__LONG_MAX__ * 2UL + 1)
#define UINT_MAX               (__INT_MAX__ * 2U + 1)
#define offsetof(type, member) __builtin_offsetof(type, member)

#define TPOS_API_BEGIN
#define TPOS_API_END
#define TPOS_MUST_CHECK

enum {
	ENOENT = 2,
	EINTR = 4,
	EIO = 5,
	EBADMSG = 74,
	E2BIG = 7,
	EAGAIN = 11,
	ENOMEM = 12,
	EFAULT = 14,
	EBUSY = 16,
	EINVAL = 22,
	ENOSPC = 28,
	EOPNOTSUPP = 95,
	ETIMEDOUT = 110,
	EDQUOT = 122
};

void *memset(void *to, int byte, size_t n);
void *memcpy(void *to, const void *from, size_t n);

struct ttmpool_chunk;

struct bare_page {
	struct ttmpool_chunk *chunk;
};

typedef struct bare_system tpos_system_t;
typedef struct bare_device tpos_device_t;
typedef struct bare_page tpos_page_t;
typedef struct bare_store tpos_store_t;
typedef uint32_t tpos_dma_addr_t;

struct tpos_dma {
	tpos_dma_addr_t addr;
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
	return (tpos_dma_addr_t)-1;
}

static inline tpos_page_t *tpos_page_nth(tpos_page_t *page, size_t n)
{
	return page + n;
}

static inline bool tpos_page_is_poisoned(const tpos_page_t *page)
{
	(void)page;
	return false;
}

static inline bool tpos_may_be_poisoned(tpos_device_t *dev)
{
	(void)dev;
	return true;
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

/* Devices exist as long as the program. */
static inline void tpos_device_get(tpos_device_t *dev)
{
	(void)dev;
}

static inline void tpos_device_put(tpos_device_t *dev)
{
	(void)dev;
}

/* Every device can reach all memory. */
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

#define TPOS_WATCHED false

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

/* There is no other thread that could wake a sleeper: tpos_wait() decides what a sleep
 * is. */
struct tpos_wait {
	long count;
};

static inline void tpos_wait_init(struct tpos_wait *wait)
{
	wait->count = 0;
}

static inline void tpos_wait_fini(struct tpos_wait *wait)
{
	(void)wait;
}

static inline long tpos_wait_count(struct tpos_wait *wait)
{
	return wait->count;
}

static inline bool tpos_signal_pending(void)
{
	return false;
}

static inline bool tpos_fatal_signal_pending(void)
{
	return false;
}

static inline uint64_t tpos_now_ms(tpos_system_t *system)
{
	(void)system;
	return 0;
}

/* One CPU that is never interrupted: a lock only records that it is held. */
typedef struct {
	bool held;
} tpos_spinlock_t, tpos_mutex_t;

static inline bool bare_lock(bool *held)
{
	bool was = *held;

	*held = true;
	return !was;
}

#define tpos_spin_init(lock, system, rank)   ((lock)->held = false)
#define tpos_spin_fini(lock)                 ((void)(lock))
#define tpos_spin_lock(lock)                 ((void)bare_lock(&(lock)->held))
#define tpos_spin_unlock(lock)               ((lock)->held = false)
#define tpos_assert_held(lock)               ((void)(lock))
#define tpos_mutex_init(mutex, system, rank) ((mutex)->held = false)
#define tpos_mutex_fini(mutex)               ((void)(mutex))
#define tpos_mutex_lock(mutex)               ((void)bare_lock(&(mutex)->held))
#define tpos_mutex_trylock(mutex)            bare_lock(&(mutex)->held)
#define tpos_mutex_unlock(mutex)             ((mutex)->held = false)
#define tpos_mutex_assert_held(mutex)        ((void)(mutex))

typedef struct {
	long value;
} tpos_atomic_t;

static inline long tpos_atomic_read(tpos_atomic_t *a)
{
	return a->value;
}

static inline void tpos_atomic_set(tpos_atomic_t *a, long n)
{
	a->value = n;
}

static inline long tpos_atomic_add_return(long n, tpos_atomic_t *a)
{
	return a->value += n;
}

static inline bool tpos_atomic_add_unless_above(unsigned long n,
						tpos_atomic_t *a,
						unsigned long limit)
{
	unsigned long now = (unsigned long)a->value;

	if (now > limit || n > limit - now)
		return false;
	a->value = (long)(now + n);
	return true;
}

/* There are no concurrent readers and writers. */
#define tpos_read_once(p)            (*(p))
#define tpos_write_once(p, value)    ((void)(*(p) = (value)))
#define tpos_load_acquire(p)         (*(p))
#define tpos_store_release(p, value) ((void)(*(p) = (value)))
#define tpos_read_lock()             ((void)0)
#define tpos_read_unlock()           ((void)0)

#define tpos_list_step()     ((void)0)
#define tpos_long_hold(lock) ((void)(lock))
#define tpos_cond_resched()  ((void)0)
#define TPOS_CHECK_LEVEL     0
#define tpos_assert(cond)    ((void)sizeof(cond))

#define tpos_assert_not_reclaiming() ((void)0)

#endif
