/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_TT_H
#define TTMPOOL_TT_H

#include <ttmpool/caching.h>
#include <ttmpool_port.h>

TPOS_API_BEGIN

/**
 * enum ttmpool_tt_state - where the contents of a buffer are
 * @TTMPOOL_TT_EMPTY: nowhere; the buffer has no pages
 * @TTMPOOL_TT_POPULATED: in pages of the device (device state)
 * @TTMPOOL_TT_BOUND: in pages of the device, and the device's page tables point at them
 * @TTMPOOL_TT_ANONYMOUS: in ordinary pages: cached, not mapped, suitable for the swap cache
 *	or for another device
 * @TTMPOOL_TT_SWAPPED: in the store; the buffer has no pages
 * @TTMPOOL_TT_PARTIAL: a move was interrupted, in either direction; some contents are in
 *	pages and the rest is in the store, and nothing is lost
 * @TTMPOOL_TT_STATE_COUNT: the number of states
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

/** ttmpool_tt_state_name() - return the name of a state: "empty", "populated", ... */
const char *ttmpool_tt_state_name(enum ttmpool_tt_state state);

/**
 * ttmpool_tt_may_become() - check whether a buffer may change from one state to another
 * @from: the present state
 * @to: the next state
 *
 * Return: whether some function leads from @from to @to.
 */
bool ttmpool_tt_may_become(enum ttmpool_tt_state from,
			   enum ttmpool_tt_state to);

/**
 * struct ttmpool_tt - one buffer, without its device
 * @pages: an array of @num_pages pages, which belongs to the caller; all entries are NULL
 *	while the buffer has no pages
 * @num_pages: the number of pages
 * @caching: the caching that the pages shall have
 * @state: where the contents are; only the library sets it
 *
 * This structure knows neither a device nor DMA addresses; those belong to the backend.
 */
struct ttmpool_tt {
	tpos_page_t **pages;
	size_t num_pages;
	enum ttmpool_caching caching;
	enum ttmpool_tt_state state;
};

/** ttmpool_tt_is_valid() - check that the state and the pages of a buffer agree. */
bool ttmpool_tt_is_valid(const struct ttmpool_tt *tt);

TPOS_API_END

#endif
