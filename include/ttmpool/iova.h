/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_IOVA_H
#define TTMPOOL_IOVA_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_queue - those who wait until something comes back
 * @wait: where they sleep
 * @waiting: how many they are; who brings something back and sees nobody wakes nobody
 *
 * All members are private.
 */
struct ttmpool_queue {
	struct tpos_wait wait;
	tpos_atomic_t waiting;
};

/**
 * struct ttmpool_deadline - until when a call may sleep
 * @wait_ms: how long it was to be, from when the call began; or 0, or
 *	TTMPOOL_WAIT_FOREVER
 * @at_ms: when it is over, if it is over
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
 * What the pools of one device share: whatever each of them has mapped, in use
 * and pooled, counts. Pools for which the driver has none share one, without a limit,
 * by themselves. All members are private. Embed it; its address must not
 * change.
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
 *	are never more, not even for a moment, and nobody is refused for what
 *	others ask for in vain. A request for more is refused, and no mapping is
 *	given up for it.
 * @low: the low mark: when the limit is reached, mappings that are only kept go
 *	until no more than so many bytes are mapped, or none is left. One
 *	invalidation serves them all, so the further below @limit it is, the
 *	rarer that is.
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
