/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_TT_H
#define TTMPOOL_TT_H

#include <ttmpool/caching.h>
#include <ttmpool_port.h>

TPOS_API_BEGIN

/**
 * enum ttmpool_tt_state - where the contents of a buffer are
 * @TTMPOOL_TT_EMPTY: nowhere; it has no pages
 * @TTMPOOL_TT_POPULATED: in pages of its device (device state)
 * @TTMPOOL_TT_BOUND: likewise, and the device's page tables point at them
 * @TTMPOOL_TT_ANONYMOUS: in ordinary pages: cached, not mapped, fit for the
 *	swap cache or for another device
 * @TTMPOOL_TT_SWAPPED: in the store; it has no pages
 * @TTMPOOL_TT_PARTIAL: a move was interrupted, in either direction; some of it
 *	is in pages and the rest in the store, and nothing is lost
 * @TTMPOOL_TT_STATE_COUNT: how many there are
 */
enum ttmpool_tt_state {
	TTMPOOL_TT_EMPTY,
	TTMPOOL_TT_POPULATED,
	TTMPOOL_TT_BOUND,
	TTMPOOL_TT_ANONYMOUS,
	TTMPOOL_TT_SWAPPED,
	TTMPOOL_TT_PARTIAL,
	TTMPOOL_TT_STATE_COUNT,
};

/** ttmpool_tt_state_name() - "empty", "populated", ... */
const char *ttmpool_tt_state_name(enum ttmpool_tt_state state);

/**
 * ttmpool_tt_may_become() - the legality table of states
 * @from: a state
 * @to: another
 *
 * Return: whether some operation leads from @from to @to.
 */
bool ttmpool_tt_may_become(enum ttmpool_tt_state from,
			   enum ttmpool_tt_state to);

/**
 * struct ttmpool_tt - one buffer, without its device
 * @pages: @num_pages pages, the caller's array; while the buffer has none,
 *	all NULL
 * @num_pages: how many
 * @caching: what the pages shall be
 * @state: where the contents are; set by the library alone
 *
 * It has neither a device nor a DMA address: both are its backend's.
 */
struct ttmpool_tt {
	tpos_page_t **pages;
	size_t num_pages;
	enum ttmpool_caching caching;
	enum ttmpool_tt_state state;
};

/** ttmpool_tt_is_valid() - do state and pages agree? */
bool ttmpool_tt_is_valid(const struct ttmpool_tt *tt);

TPOS_API_END

#endif
