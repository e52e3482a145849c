/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_REPORT_H
#define TTMPOOL_REPORT_H

#include <ttmpool/caching.h>
#include <ttmpool_port.h>

TPOS_API_BEGIN

/**
 * enum ttmpool_report_kind - what the library found wrong
 * @TTMPOOL_REPORT_FOREIGN: a page was given back that is no chunk of this
 *	pool: it is nobody's, or another pool's
 * @TTMPOOL_REPORT_DOUBLE: a page was given back that is not in use
 * @TTMPOOL_REPORT_WRONG_ORDER: a part of a chunk was given back, or its pages
 *	in another order than they were handed out
 * @TTMPOOL_REPORT_WRONG_CACHING: a page was given back as of another caching
 * @TTMPOOL_REPORT_IN_USE: a pool is torn down, and a chunk is still in use
 * @TTMPOOL_REPORT_QUARANTINED: a caching change failed and could not be undone
 * @TTMPOOL_REPORT_BAD_ADDRESS: the port returned a DMA address that is beyond
 *	the device's mask of that moment, or not aligned to a page, or, with
 *	policy.verify, that another chunk has
 * @TTMPOOL_REPORT_CORRUPTED: the store returned other bytes than it was given;
 *	@index: of this page of the buffer
 * @TTMPOOL_REPORT_POISONED: the hardware has reported an error in the chunk, which is
 *	now quarantined
 * @TTMPOOL_REPORT_WRITTEN: somebody wrote to a free page; @owner is its last owner,
 *	@index the page in the chunk, and @age counts from when it came back
 * @TTMPOOL_REPORT_STALE: a page was given back with another ticket than it was taken with:
 *	another buffer uses it by now; @owner is the owner of that buffer
 * @TTMPOOL_REPORT_KIND_COUNT: how many there are
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
 * struct ttmpool_report - one finding, in facts; the port chooses the words
 * @kind: what is wrong
 * @pool: the name of the pool that found it
 * @owner: the name of the account that the chunk is charged to, or NULL
 * @index: which element of the caller's pages[] it is about; 0 where the
 *	finding is not about an array
 * @page: the page that it is about
 * @order: the order of the chunk; -1 if the page is no chunk
 * @caching: what the chunk is; TTMPOOL_CACHING_UNKNOWN if the page is no chunk
 * @dma_addr: the address that the device knows it by, or 0 if it is not mapped
 * @age: how long ago the chunk was handed out, as the number of tickets that the pool has
 *	issued since; 0 if the chunk has no ticket of the pool. For a pooled chunk: how long
 *	ago it came back, as the number of give-backs since, to any pool of its manager.
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

/** ttmpool_report_name() - a few words for @kind, for a log line. */
const char *ttmpool_report_name(enum ttmpool_report_kind kind);

TPOS_API_END

#endif
