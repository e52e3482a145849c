// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What must be true of a buffer whenever no call on it is under way: its state says
 * what its arrays have, and where they have nothing, its store has it; a buffer that
 * has all its pages has no store. In checked
 * builds each change of state asks.
 */

#include "buffer_internal.h"

/* Has a buffer of this state addresses? In PARTIAL, nobody may look. */
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

/* Are the pages alike that are said to be? */
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
