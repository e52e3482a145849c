/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * The lower half of what the files of lib/pool/ declare for each other: reports, waiting,
 * budgets, accounts, and single chunks. pool_internal.h has the upper half, where chunks
 * are found, and lists all files from the bottom up.
 */

#include <ttmpool/pool.h>
#include <ttmpool/report.h>

static inline enum ttmpool_source
chunk_source(const struct ttmpool_chunk *chunk)
{
	return ttmpool_chunk_is_coherent(chunk) ? TTMPOOL_COHERENT
						: TTMPOOL_PLAIN;
}

static inline uint64_t pool_bytes(const struct ttmpool_pool *pool, size_t pages)
{
	return (uint64_t)pages << pool->info.page_shift;
}

/* Returns how many pages @bytes are, which is no less than the largest page. */
static inline size_t pool_pages_of(const struct ttmpool_pool *pool,
				   uint64_t bytes)
{
	size_t pages = (size_t)(bytes >> pool->info.page_shift);

	tpos_assert(pages);
	return pages;
}

/* Returns the zone that fresh pages must be from, as flags of a struct tpos_alloc. */
static inline unsigned int pool_zone(const struct ttmpool_pool *pool,
				     enum ttmpool_source source)
{
	return source == TTMPOOL_PLAIN && pool->policy.dma32 ? TPOS_ALLOC_DMA32
							     : 0;
}

/* Returns the slot of a node in the manager, counted from 1; 0 for TTMPOOL_NODE_ANY. */
static inline unsigned int node_slot(int node)
{
	return node < 0 ? 0 : 1 + (unsigned int)node % TTMPOOL_NODE_SLOTS;
}

/* Reads a counter in pages, or a limit. Both are unsigned: TTMPOOL_NO_LIMIT is ULONG_MAX. */
static inline unsigned long pages_of(tpos_atomic_t *counter)
{
	return (unsigned long)tpos_atomic_read(counter);
}

/* Returns whether some mappings of the pool may have bounce slots. */
static inline bool pool_may_bounce(struct ttmpool_pool *pool)
{
	return tpos_atomic_read(&pool->bounces);
}

/* Returns whether plain chunks stay mapped while they are pooled. */
static inline bool pool_keeps_mapped(struct ttmpool_pool *pool)
{
	return pool->policy.keep_mapped && !pool_may_bounce(pool);
}

/* Returns whether the device's mask was once wider than it is now, so that pooled chunks
 * may be beyond it. Records the mask if it is wider than before. The caller holds the
 * pool's lock. */
static inline bool pool_is_narrowed(struct ttmpool_pool *pool,
				    enum ttmpool_source source)
{
	uint64_t mask = tpos_device_mask(pool->dev, source == TTMPOOL_COHERENT);

	tpos_assert_held(&pool->lock);
	if (mask > pool->mask[source])
		pool->mask[source] = mask;
	return mask < pool->mask[source];
}

/* Records the mask before the pool gets or maps pages: if the mask becomes narrower later,
 * these pages may be beyond it. */
static inline void pool_note_mask(struct ttmpool_pool *pool,
				  enum ttmpool_source source)
{
	tpos_spin_lock(&pool->lock);
	pool_is_narrowed(pool, source);
	tpos_spin_unlock(&pool->lock);
}

/*
 * Tickets that the pool issues are odd, so they differ from tickets of the caller's own,
 * which are even. A ticket with TICKET_OPTIONAL need not be shown: a caller that may not
 * know of it shows none. Showing another ticket is still an error.
 */
#define TICKET_ISSUED   1u
#define TICKET_OPTIONAL 2u
#define TICKET_FLAGS    (TICKET_ISSUED | TICKET_OPTIONAL)

/* @flags: TICKET_ISSUED, with or without TICKET_OPTIONAL. */
static inline uint32_t pool_issue_ticket(struct ttmpool_pool *pool,
					 uint32_t flags)
{
	return (uint32_t)tpos_atomic_add_return(1, &pool->tickets) *
		       (TICKET_FLAGS + 1) +
	       flags;
}

/* Adds to a counter, for callers that need the lock for nothing else. */
static inline void pool_tally(struct ttmpool_pool *pool, uint64_t *counter,
			      uint64_t by)
{
	tpos_spin_lock(&pool->lock);
	*counter += by;
	tpos_spin_unlock(&pool->lock);
}

/* Counts one batch of @n items. */
static inline void pool_tally_batch(struct ttmpool_pool *pool,
				    uint64_t *batches, uint64_t *items,
				    uint64_t n)
{
	tpos_spin_lock(&pool->lock);
	++*batches;
	*items += n;
	tpos_spin_unlock(&pool->lock);
}

/* An assertion that costs something for each chunk, or that is on a warm path. It is
 * checked only at the level at which whole objects are walked. @cond must not contain && or
 * ||, because they would be counted as branches. */
#define assert_deep(cond)                  \
	do {                               \
		if (TPOS_CHECK_LEVEL > 1)  \
			tpos_assert(cond); \
	} while (0)

void ttmpool_chunk_check_change(const struct ttmpool_chunk *chunk,
				enum ttmpool_chunk_state state);

/* Whether the change is legal is checked only at the level at which whole objects are
 * walked, because the state of a chunk changes twice for each page of a fragmented buffer. */
static inline void chunk_set_state(struct ttmpool_chunk *chunk,
				   enum ttmpool_chunk_state state)
{
	if (TPOS_CHECK_LEVEL > 1)
		ttmpool_chunk_check_change(chunk, state);
	tpos_write_once(&chunk->state, (uint8_t)state);
}

/*
 * A thread that finds a descriptor by a page may read it if it holds its own pool's lock
 * and is between tpos_read_lock() and tpos_read_unlock(). The descriptor may have ended, or
 * may describe another chunk by now. So the thread reads these two members first, and reads
 * no other unless both have the values that it expects. This is safe because
 *
 *   - before a chunk becomes @pool's, its state is written, and that state is never IN_USE;
 *   - a chunk becomes IN_USE, and ceases to be, only under its pool's lock;
 *   - a chunk ceases to be @pool's only under @pool's lock (ttmpool_chunks_set_pool()), also
 *     when its descriptor ends.
 *
 * So a chunk that is this pool's and in use stays so as long as the lock is held, and a
 * chunk in use is on one of the pool's lists.
 */
static inline void chunk_publish(struct ttmpool_chunk *chunk,
				 struct ttmpool_pool *pool,
				 enum ttmpool_chunk_state state)
{
	tpos_write_once(&chunk->state, (uint8_t)state);
	tpos_store_release(&chunk->pool, pool);
}

static inline bool chunk_is_in_use_of(const struct ttmpool_chunk *chunk,
				      const struct ttmpool_pool *pool)
{
	return tpos_load_acquire(&chunk->pool) == pool &&
	       tpos_read_once(&chunk->state) == TTMPOOL_CHUNK_IN_USE;
}

/* Returns the larger descriptor of a chunk with TTMPOOL_CHUNK_NAMED, which has room for the
 * name of the last owner. */
static inline struct ttmpool_named_chunk *
chunk_named(const struct ttmpool_chunk *chunk)
{
	return ttmpool_list_entry(chunk, struct ttmpool_named_chunk, chunk);
}

/* A predicate about a chunk. */
typedef bool (*chunk_test)(const struct ttmpool_chunk *chunk);

/* A thread that holds a spinlock works on at most this many chunks of a list. */
#define TTMPOOL_HOLD_CHUNKS 256

/* report.c */
void ttmpool_report_describe(struct ttmpool_pool *pool,
			     const struct ttmpool_chunk *chunk,
			     struct ttmpool_report *report);
void ttmpool_pool_report(struct ttmpool_pool *pool,
			 enum ttmpool_report_kind kind,
			 const struct ttmpool_chunk *chunk,
			 const struct ttmpool_report *where);

/* wait.c */
void ttmpool_queue_init(struct ttmpool_queue *queue);
void ttmpool_queue_fini(struct ttmpool_queue *queue);
void ttmpool_queue_enter(struct ttmpool_queue *queue);
void ttmpool_queue_leave(struct ttmpool_queue *queue);
struct ttmpool_deadline ttmpool_deadline(struct ttmpool_pool *pool,
					 unsigned int wait_ms);

/**
 * struct asking - when a request that waits for addresses asks the machine for some
 * @next: not before that moment
 * @every: and then not before this many milliseconds have passed
 */
struct asking {
	uint64_t next;
	unsigned int every;
};

void ttmpool_asking_begin(struct asking *asking, struct ttmpool_pool *pool);
bool ttmpool_asking_is_due(struct asking *asking, struct ttmpool_pool *pool);
void ttmpool_asking_was_told(struct asking *asking);
int ttmpool_queue_wait(struct ttmpool_pool *pool, struct ttmpool_queue *queue,
		       long seen, const struct ttmpool_deadline *until);
int ttmpool_ask_check(struct ttmpool_manager *mgr,
		      const struct ttmpool_ask *ask);
int ttmpool_ask_sleep(struct ttmpool_manager *mgr, struct tpos_wait *wait,
		      long seen, const struct ttmpool_ask *ask);
int ttmpool_queue_follow(struct ttmpool_manager *mgr,
			 struct ttmpool_queue *queue, long seen,
			 const struct ttmpool_ask *ask);

/* A waiting thread looks this often, in ms, for what wakes nobody. */
#define TTMPOOL_NAP_MS 100

/*
 * Wakes the waiters, because pages or addresses may have come free. No wake is lost: a
 * waiter counts itself in @queue->waiting before it looks for pages or addresses, and the
 * caller has put them where the waiter looks, under a lock or by a full barrier, before
 * this call. So either the waiter finds them, or this function finds the waiter.
 */
static inline void queue_wake(struct ttmpool_queue *queue)
{
	if (tpos_atomic_read(&queue->waiting))
		tpos_wake(&queue->wait);
}

/*
 * Errors after which a request with time left waits. Other requests fail with -ENOMEM or
 * -ENOSPC instead. If the device itself has no addresses, the port returns -ENOSPC.
 */
#define NO_PAGES  (-EAGAIN) /* the page budget has no room */
#define NO_MAPPED (-EDQUOT) /* a limit for mapped bytes has no room */

static inline int error_of(int err)
{
	if (err == NO_PAGES)
		return -ENOMEM;
	return err == NO_MAPPED ? -ENOSPC : err;
}

/* budget.c */
bool ttmpool_budget_take_pages(struct ttmpool_manager *mgr, size_t pages);
bool ttmpool_budget_has(struct ttmpool_manager *mgr, size_t pages);
void ttmpool_budget_return_pages(struct ttmpool_manager *mgr, size_t pages);
unsigned long ttmpool_budget_lacks(struct ttmpool_manager *mgr, size_t pages);
bool ttmpool_budget_may_pool(struct ttmpool_manager *mgr, size_t pages);
int ttmpool_budget_admits(struct ttmpool_pool *pool, enum ttmpool_source source,
			  size_t pages, size_t mapped);
bool ttmpool_budget_has_room(struct ttmpool_manager *mgr, size_t pages);
bool ttmpool_budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes,
				unsigned long below);
void ttmpool_budget_return_mapped(struct ttmpool_pool *pool, size_t pages,
				  size_t back);
uint64_t ttmpool_budget_pool_excess(struct ttmpool_pool *pool, uint64_t bytes);
uint64_t ttmpool_budget_device_excess(struct ttmpool_pool *pool, uint64_t bytes,
				      unsigned long below);

/* space.c: for pools to which the driver has given no address budget */
int ttmpool_space_join(struct ttmpool_pool *pool);
void ttmpool_space_leave(struct ttmpool_pool *pool);

/* account.c: pages, by enum ttmpool_account */
struct account {
	long pages[TTMPOOL_ACCOUNT_COUNT];
};
void ttmpool_account_add(struct ttmpool_pool *pool,
			 const struct ttmpool_list *chunks,
			 struct account *sums);
void ttmpool_account_charge(struct ttmpool_owner *owner,
			    const struct account *more);
void ttmpool_account_book(struct ttmpool_pool *pool,
			  const struct account *more);
void ttmpool_account_change(struct ttmpool_pool *pool,
			    struct ttmpool_owner *owner,
			    const struct account *before,
			    const struct account *after);
void ttmpool_account_close(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks);
void ttmpool_account_close_run(struct ttmpool_pool *pool,
			       const struct ttmpool_list *chunks, size_t pages,
			       struct account *sums);
void ttmpool_account_swapped(struct ttmpool_pool *pool,
			     struct ttmpool_owner *owner, long pages);

/* condition.c, chunk.c */
bool ttmpool_chunk_is_mapped(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_streaming(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_not_cached(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_ordinary(const struct ttmpool_chunk *chunk);
bool ttmpool_chunks_have_other(const struct ttmpool_list *chunks);
bool ttmpool_chunk_is_within_mask(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_out_of_reach(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_poisoned(const struct ttmpool_chunk *chunk);
bool ttmpool_chunks_are_poisoned(const struct ttmpool_list *chunks);
void ttmpool_chunk_note_node(const struct ttmpool_pool *pool,
			     struct ttmpool_chunk *chunk);
bool ttmpool_chunk_can_be_used(const struct ttmpool_chunk *chunk,
			       const struct ttmpool_pool *pool);
void ttmpool_chunk_fill(const struct ttmpool_pool *pool,
			const struct ttmpool_chunk *chunk, tpos_page_t **pages,
			tpos_dma_addr_t *dma_addr);
void ttmpool_chunk_fill_addresses(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk,
				  tpos_dma_addr_t *dma_addr);
struct ttmpool_chunk *ttmpool_chunk_new(struct ttmpool_pool *pool,
					unsigned int flags);
void ttmpool_chunks_leave(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks);
void ttmpool_chunks_set_pool(struct ttmpool_list *chunks,
			     struct ttmpool_pool *from,
			     struct ttmpool_pool *to);
size_t ttmpool_chunks_count(const struct ttmpool_list *chunks);
size_t ttmpool_chunks_count_pages(const struct ttmpool_list *chunks);
size_t ttmpool_chunks_cut_run(struct ttmpool_list *chunks,
			      struct ttmpool_list *run);
bool ttmpool_chunks_extract(struct ttmpool_list *from, chunk_test test,
			    struct ttmpool_list *to);

/* As ttmpool_chunks_extract(), for chunks with a page that the hardware has poisoned. @to
 * is written only if there are any. Costs nothing as long as no page at all has been
 * poisoned. */
static inline bool chunks_extract_poisoned(const struct ttmpool_pool *pool,
					   struct ttmpool_list *from,
					   struct ttmpool_list *to)
{
	if (!tpos_may_be_poisoned(pool->dev) ||
	    !ttmpool_chunks_are_poisoned(from))
		return false;
	ttmpool_chunks_extract(from, ttmpool_chunk_is_poisoned, to);
	return true;
}

/* Returns whether the bytes of a batch may be read. A read of a page that the hardware has
 * poisoned can stop the machine. */
static inline bool chunks_may_be_read(const struct ttmpool_pool *pool,
				      const struct ttmpool_list *chunks)
{
	return !tpos_may_be_poisoned(pool->dev) ||
	       !ttmpool_chunks_are_poisoned(chunks);
}

static inline bool chunk_may_be_read(const struct ttmpool_pool *pool,
				     const struct ttmpool_chunk *chunk)
{
	return !tpos_may_be_poisoned(pool->dev) ||
	       !ttmpool_chunk_is_poisoned(chunk);
}
void ttmpool_chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from);
void ttmpool_chunks_unmap(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks, bool lazy);
void ttmpool_chunks_unkeep(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks);
int ttmpool_chunks_set_caching(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks,
			       enum ttmpool_caching caching);
void ttmpool_chunks_cut_off(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks, bool lazy);
int ttmpool_chunks_make_cached(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks);
int ttmpool_chunks_strip(struct ttmpool_pool *pool,
			 struct ttmpool_list *chunks);
void ttmpool_chunks_clear(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks);
void ttmpool_chunks_clear_uncounted(struct ttmpool_pool *pool,
				    struct ttmpool_list *chunks);
int ttmpool_chunks_copy(struct ttmpool_pool *pool,
			const struct ttmpool_list *to,
			const struct ttmpool_list *from,
			const struct ttmpool_ask *ask);
