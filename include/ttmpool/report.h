/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_REPORT_H
#define TTMPOOL_REPORT_H

#include <ttmpool/caching.h>
#include <ttmpool_port.h>

TPOS_API_BEGIN

/**
 * enum ttmpool_report_kind - what a report is about
 * @TTMPOOL_REPORT_FOREIGN: a page was given back that belongs to no chunk of this pool, but
 *	to another pool or to nobody
 * @TTMPOOL_REPORT_DOUBLE: a page was given back that is not in use
 * @TTMPOOL_REPORT_WRONG_ORDER: only a part of a chunk was given back, or its pages in
 *	another sequence than they were handed out
 * @TTMPOOL_REPORT_WRONG_CACHING: a page was given back with another caching than it has
 * @TTMPOOL_REPORT_IN_USE: a chunk was still in use when its pool was torn down
 * @TTMPOOL_REPORT_QUARANTINED: a caching change failed and could not be undone
 * @TTMPOOL_REPORT_BAD_ADDRESS: the port returned a DMA address that is beyond the present
 *	mask of the device, or is unaligned, or, with policy.verify, belongs to another
 *	chunk, too
 * @TTMPOOL_REPORT_CORRUPTED: the store returned other bytes for a page than it was given;
 *	@index is the index of the page in the buffer
 * @TTMPOOL_REPORT_POISONED: the hardware has reported an error in the chunk, which is
 *	now quarantined
 * @TTMPOOL_REPORT_WRITTEN: somebody wrote to a free page; @owner is its last owner, @index
 *	is the index of the page in the chunk, and @age counts from its return
 * @TTMPOOL_REPORT_STALE: a page was given back with another ticket than it was taken with,
 *	because another buffer uses it by now; @owner is the owner of that buffer
 * @TTMPOOL_REPORT_KIND_COUNT: the number of kinds
 */
enum ttmpool_report_kind {
	TTMPOOL_REPORT_FOREIGN,
	TTMPOOL_REPORT_DOUBLE,
	TTMPOOL_REPORT_WRONG_ORDER,
	TTMPOOL_REPORT_WRONG_CACHING,
	TTMPOOL_REPORT_IN_USE,
	TTMPOOL_REPORT_QUARANTINED,
	TTMPOOL_REPORT_BAD_ADDRESS,
	TTMPOOL_REPORT_CORRUPTED,
	TTMPOOL_REPORT_POISONED,
	TTMPOOL_REPORT_WRITTEN,
	TTMPOOL_REPORT_STALE,
	TTMPOOL_REPORT_KIND_COUNT,
};

/**
 * struct ttmpool_report - the facts of one finding; the port chooses the words
 * @kind: what is wrong
 * @pool: the name of the pool that found it
 * @owner: the name of the account that the chunk is charged to, or NULL
 * @index: the index in the caller's pages[]; 0 if the finding is not about an array
 * @page: the page that the finding is about
 * @order: the order of the chunk; -1 if the page is in no chunk
 * @caching: the caching of the chunk; TTMPOOL_CACHING_UNKNOWN if the page is in no chunk
 * @dma_addr: the address of the page for the device, or 0 if the page is not mapped
 * @age: for a chunk in use: how long ago it was handed out, as the number of tickets that
 *	the pool has issued since; 0 if the chunk has no ticket of the pool. For a pooled
 *	chunk: how long ago it came back, as the number of gives since, to any pool of its
 *	manager.
 */
struct ttmpool_report {
	enum ttmpool_report_kind kind;
	const char *pool;
	const char *owner;
	size_t index;
	const tpos_page_t *page;
	int order;
	enum ttmpool_caching caching;
	tpos_dma_addr_t dma_addr;
	uint32_t age;
};

/** ttmpool_report_name() - return a few words for @kind, for a line in a log. */
const char *ttmpool_report_name(enum ttmpool_report_kind kind);

TPOS_API_END

#endif
