/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_IOVA_H
#define TTMPOOL_IOVA_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_queue - a queue of threads that wait until pages or addresses come back
 * @wait: where they sleep
 * @waiting: how many threads wait; if none waits, a thread that gives something back need
 *	not wake any
 *
 * All members are private.
 */
struct ttmpool_queue {
	struct tpos_wait wait;
	tpos_atomic_t waiting;
};

/**
 * struct ttmpool_deadline - the time until which a call may sleep
 * @wait_ms: the longest time that the call may sleep, counted from its beginning; 0, or
 *	TTMPOOL_WAIT_FOREVER
 * @at_ms: the moment at which that time ends
 *
 * All members are private.
 */
struct ttmpool_deadline {
	unsigned int wait_ms;
	uint64_t at_ms;
};

/**
 * struct ttmpool_iova - a budget for the address space of one device
 *
 * The pools of one device share the budget. All pages that these pools have mapped, in use
 * and pooled, count towards it. If the driver gives its pools no budget, they share one
 * without a limit, which the library makes. All members are private. Embed the structure;
 * its address must not change.
 */
struct ttmpool_iova {
	uint64_t limit;
	uint64_t low;
	tpos_atomic_t pages;
	tpos_atomic_t pools; /* that share the budget */
	struct ttmpool_queue queue;
};

/**
 * ttmpool_iova_init() - initialise a budget
 * @iova: uninitialised memory
 * @limit: the high mark: the most bytes that may be mapped at any time; 0 for no limit. The
 *	pools never exceed it, not even for a moment. A request for which there is room is
 *	not refused because of other requests that exceed it. A request for more than @limit
 *	is refused, and no mapping ends for it.
 * @low: the low mark: when the limit is reached, kept mappings of pooled pages end until no
 *	more than this many bytes are mapped, or no kept mapping is left. One invalidation
 *	serves all of them, so the further @low is below @limit, the less often one is
 *	needed.
 *
 * Return: 0, or -EINVAL if there is a limit and @low is above it.
 */
int ttmpool_iova_init(struct ttmpool_iova *iova, uint64_t limit, uint64_t low);

/**
 * ttmpool_iova_fini() - end a budget
 * @iova: a budget that no pool uses any more
 */
void ttmpool_iova_fini(struct ttmpool_iova *iova);

/** ttmpool_iova_pages() - return the number of pages on this budget whose addresses are
 * mapped or held now (@bytes_held of struct ttmpool_pool_stats). */
unsigned long ttmpool_iova_pages(struct ttmpool_iova *iova);

TPOS_API_END

#endif
