/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_IOVA_H
#define TTMPOOL_IOVA_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_queue - threads that wait until pages or addresses come back
 * @wait: where they sleep
 * @waiting: how many there are; if there are none, a thread that gives something back
 *	need not wake anybody
 *
 * All members are private.
 */
struct ttmpool_queue {
	struct tpos_wait wait;
	tpos_atomic_t waiting;
};

/**
 * struct ttmpool_deadline - until when a call may sleep
 * @wait_ms: the longest time, counted from the beginning of the call; or 0, or
 *	TTMPOOL_WAIT_FOREVER
 * @at_ms: the moment at which that time is over
 *
 * All members are private.
 */
struct ttmpool_deadline {
	unsigned int wait_ms;
	uint64_t at_ms;
};

/**
 * struct ttmpool_iova - the address space of one device, as a budget
 *
 * The pools of one device share it. All pages that they have mapped, in use and pooled,
 * count. If the driver gives its pools no budget, they share one that the library makes,
 * without a limit. All members are private. Embed it; its address must not change.
 */
struct ttmpool_iova {
	uint64_t limit;
	uint64_t low;
	tpos_atomic_t pages;
	tpos_atomic_t pools; /* which share it */
	struct ttmpool_queue queue;
};

/**
 * ttmpool_iova_init() - start a budget
 * @iova: uninitialised memory
 * @limit: the high mark: bytes that may be mapped at any time; 0 for no limit. There
 *	are never more, not even for a moment. A request for which there is room is not
 *	refused because of other requests that fail. A request for more than @limit is
 *	refused, and no mapping is given up for it.
 * @low: the low mark: when the limit is reached, kept mappings of pooled pages end until
 *	no more than so many bytes are mapped, or no kept mapping is left. One
 *	invalidation serves them all, so it happens less often, the further @low is
 *	below @limit.
 *
 * Return: 0, or -EINVAL if @low is above @limit and there is a limit.
 */
int ttmpool_iova_init(struct ttmpool_iova *iova, uint64_t limit, uint64_t low);

/**
 * ttmpool_iova_fini() - end a budget
 * @iova: the budget, of which no pool is left
 */
void ttmpool_iova_fini(struct ttmpool_iova *iova);

/** ttmpool_iova_pages() - how many pages are mapped on this budget now, or held: see
 * @bytes_held of struct ttmpool_pool_stats. */
unsigned long ttmpool_iova_pages(struct ttmpool_iova *iova);

TPOS_API_END

#endif
