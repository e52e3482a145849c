// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The invariants of a buffer, which hold whenever no call on it is in progress. Its
 * state says what its arrays contain. Where the arrays contain nothing, its store has
 * the contents. A buffer that has all of its pages has no store. Checked builds test
 * the invariants at each change of state.
 */

#include "buffer_internal.h"

/*
 * Returns whether the buffer has addresses only in a state that allows it. In state
 * PARTIAL nobody may use the addresses, so any are valid.
 */
static bool addresses_are_valid(const struct ttmpool_backend *be)
{
	if (!be->dma_addr || be->tt.state == TTMPOOL_TT_POPULATED ||
	    be->tt.state == TTMPOOL_TT_BOUND ||
	    be->tt.state == TTMPOOL_TT_PARTIAL)
		return true;
	for (size_t i = 0; i < be->tt.num_pages; i++)
		if (be->dma_addr[i])
			return false;
	return true;
}

/* Returns whether the first @be->edge pages are all present or all absent. */
static bool edge_is_valid(const struct ttmpool_backend *be)
{
	if (be->edge > be->tt.num_pages)
		return false;
	for (size_t i = 0; i < be->edge; i++)
		if (!be->tt.pages[i] != !be->tt.pages[0])
			return false;
	return true;
}

bool ttmpool_backend_is_valid(struct ttmpool_backend *be)
{
	bool in_store = be->tt.state == TTMPOOL_TT_SWAPPED ||
			be->tt.state == TTMPOOL_TT_PARTIAL;
	size_t holes = 0;

	for (size_t i = 0; in_store && i < be->tt.num_pages; i++)
		holes += !be->tt.pages[i];
	return ttmpool_tt_is_valid(&be->tt) && addresses_are_valid(be) &&
	       edge_is_valid(be) && be->pages_stored == holes &&
	       !be->store == !holes;
}
