/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_CHUNK_H
#define TTMPOOL_CHUNK_H

#include <ttmpool/caching.h>
#include <ttmpool/list.h>

TPOS_API_BEGIN

struct ttmpool_pool;
struct ttmpool_owner;

/**
 * enum ttmpool_source - where the pages of a chunk come from
 * @TTMPOOL_PLAIN: the page allocator. Streaming mappings map the pages for the device, and
 *	can end while the chunk lives
 * @TTMPOOL_COHERENT: the coherent allocator. The pages are mapped from birth until they
 *	leave their pool or are cut off from the device, and never again after that
 * @TTMPOOL_SOURCE_COUNT: the number of sources
 */
enum ttmpool_source {
	TTMPOOL_PLAIN,
	TTMPOOL_COHERENT,
	TTMPOOL_SOURCE_COUNT,
};

/**
 * enum ttmpool_chunk_state - where a chunk is
 * @TTMPOOL_CHUNK_FRESH: being made; on the list of one populate
 * @TTMPOOL_CHUNK_POOLED: free, in a bin of its pool, or on its way from a bin to a buffer
 *	or back
 * @TTMPOOL_CHUNK_IN_USE: in use by a buffer, on the in-use list of its pool
 * @TTMPOOL_CHUNK_LEAVING: on its way to a bin, or to the system
 * @TTMPOOL_CHUNK_QUARANTINED: may be neither used nor given back, and is not mapped
 * @TTMPOOL_CHUNK_STATE_COUNT: the number of states
 */
enum ttmpool_chunk_state {
	TTMPOOL_CHUNK_FRESH,
	TTMPOOL_CHUNK_POOLED,
	TTMPOOL_CHUNK_IN_USE,
	TTMPOOL_CHUNK_LEAVING,
	TTMPOOL_CHUNK_QUARANTINED,
	TTMPOOL_CHUNK_STATE_COUNT,
};

/*
 * TTMPOOL_CHUNK_MAPPED: the device can reach the chunk; @dma is valid.
 * TTMPOOL_CHUNK_CLEAN: every byte is zero.
 * TTMPOOL_CHUNK_FAR: the pages are on another node than the pool wants.
 * TTMPOOL_CHUNK_FROM_COHERENT: the source is TTMPOOL_COHERENT.
 * TTMPOOL_CHUNK_ANONYMOUS: a buffer uses the chunk, and its pages are ordinary ones at present:
 *	plain, write-back, not mapped.
 * TTMPOOL_CHUNK_SPLIT: the chunk is a part of a larger allocation, and its pages are freed
 *	one by one.
 * TTMPOOL_CHUNK_DMA32: the pages were requested below 4 GiB.
 * TTMPOOL_CHUNK_HELD: the chunk is in use, and the user holds it as a chunk (runs, a
 *	magazine) instead of in arrays of pages.
 * TTMPOOL_CHUNK_NAMED: the descriptor is a struct ttmpool_named_chunk.
 * TTMPOOL_CHUNK_REMEMBERS: the chunk has no owner, and @last_owner names the last one.
 */
#define TTMPOOL_CHUNK_MAPPED        0x01u
#define TTMPOOL_CHUNK_CLEAN         0x02u
#define TTMPOOL_CHUNK_FAR           0x04u
#define TTMPOOL_CHUNK_FROM_COHERENT 0x08u
#define TTMPOOL_CHUNK_ANONYMOUS     0x10u
#define TTMPOOL_CHUNK_SPLIT         0x20u
#define TTMPOOL_CHUNK_DMA32         0x40u
#define TTMPOOL_CHUNK_HELD          0x80u
#define TTMPOOL_CHUNK_REMEMBERS     0x100u
#define TTMPOOL_CHUNK_NAMED         0x200u

/**
 * struct ttmpool_chunk - 2^order contiguous pages, and everything that is known of them
 * @link: in a bin, in the in-use list of its pool, in the quarantine, or in a batch
 * @page: the first page; set by the port when it makes the pages
 * @dma: the port's own record of the mapping; the library only gets the address from it, by
 *	tpos_dma_address()
 * @pool: the pool that made the chunk, until it is quarantined
 * @dev: after that, the device instead of @pool. It is held (tpos_device_get()), so the
 *	pool may go then, and the device, too
 * @owner: the account that a chunk in use is charged to, or NULL
 * @age: instead of @owner, in a bin and on the way from there: when the chunk was pooled,
 *	as the number of gives to all pools of the manager until then. It has 64 bits, so
 *	the oldest chunks leave first for ever: at a million gives a second it lasts for
 *	half a million years.
 * @ticket: while the chunk is in use: the ticket that it was taken with, which has to be
 *	shown when it is given back; see struct ttmpool_request
 * @order: the chunk has 1 << @order pages
 * @caching: an enum ttmpool_caching; the actual caching of the pages, not the wanted one.
 *	Only the port writes it, in tpos_caching_set().
 * @state: an enum ttmpool_chunk_state
 * @flags: TTMPOOL_CHUNK_*
 * @kind: @order, @caching, @state and @flags in one word; chunks of the same kind can be
 *	treated alike
 * @like: @ticket and @kind in one word, for chunks in use
 *
 * This is the only record of the facts about a page. Error paths read it, and infer nothing
 * from how far a loop had come: Linux's TTM has leaked write-combined pages through such a
 * cursor three times (commits 379989e7, 58f72256, and again since 6.15).
 *
 * The descriptor is made together with the pages and freed together with them, so giving
 * pages back never allocates. It has 64 bytes on a 64-bit kernel, which is 1.6 % of a
 * single page.
 */
struct ttmpool_chunk {
	struct ttmpool_list link;
	tpos_page_t *page;
	struct tpos_dma dma;
	union {
		struct ttmpool_pool *pool;
		tpos_device_t *dev;
	};
	union {
		struct ttmpool_owner *owner;
		uint64_t age;
	};
	union {
		struct {
			uint32_t ticket;
			union {
				struct {
					uint8_t order : 4;
					uint8_t caching : 4;
					uint8_t state;
					uint16_t flags;
				};
				uint32_t kind;
			};
		};
		uint64_t like;
	};
};

/**
 * struct ttmpool_named_chunk - a chunk that records its last owner
 * @chunk: the first member, so that a pointer to one is a pointer to the other; its flag
 *	TTMPOOL_CHUNK_NAMED is set for life
 * @last_owner: if TTMPOOL_CHUNK_REMEMBERS is set: the name of the account that the chunk
 *	was last charged to; the account may be gone by now
 *
 * Pools with policy.verify make such descriptors. A chunk that another pool hands over to
 * such a pool (ttmpool_handover()) keeps the descriptor that the other pool made.
 */
struct ttmpool_named_chunk {
	struct ttmpool_chunk chunk;
	const char *last_owner;
};

/**
 * ttmpool_chunk_may_become() - check whether a chunk may change from one state to another
 * @from: the present state
 * @to: the next state
 *
 * Return: whether a chunk may go from @from to @to.
 */
bool ttmpool_chunk_may_become(enum ttmpool_chunk_state from,
			      enum ttmpool_chunk_state to);

static inline struct ttmpool_chunk *ttmpool_chunk_of(struct ttmpool_list *link)
{
	return ttmpool_list_entry(link, struct ttmpool_chunk, link);
}

static inline size_t ttmpool_chunk_pages(const struct ttmpool_chunk *chunk)
{
	return (size_t)1 << chunk->order;
}

/** ttmpool_chunk_is_coherent() - check whether the pages of a chunk come from the coherent
 * allocator. */
static inline bool ttmpool_chunk_is_coherent(const struct ttmpool_chunk *chunk)
{
	return chunk->flags & TTMPOOL_CHUNK_FROM_COHERENT;
}

/** ttmpool_for_each_chunk() - iterate over a list of chunks. */
#define ttmpool_for_each_chunk(chunk, head)            \
	for ((chunk) = ttmpool_chunk_of((head)->next); \
	     &(chunk)->link != (head);                 \
	     (chunk) = ttmpool_chunk_of(ttmpool_list_next(&(chunk)->link)))

/** ttmpool_for_each_chunk_safe() - iterate over a list of chunks; @chunk may be removed. */
#define ttmpool_for_each_chunk_safe(chunk, after, head)     \
	for ((chunk) = ttmpool_chunk_of((head)->next),      \
	    (after) = ttmpool_chunk_of((chunk)->link.next); \
	     &(chunk)->link != (head); (chunk) = (after),   \
	    (after) = ttmpool_chunk_of(ttmpool_list_next(&(chunk)->link)))

TPOS_API_END

#endif
