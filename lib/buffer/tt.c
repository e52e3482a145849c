// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffer states: one table of transitions, and one function that sets a state.
 *
 *                populate               bind
 *       EMPTY <-----------> POPULATED <------> BOUND
 *         ^     unpopulate   ^  |  ^   unbind
 *         |                  |  |  |
 *    drop |         swapin   |  |  | to_anonymous, to_device
 *         |                  |  |  v
 *      SWAPPED --------------+  | ANONYMOUS <--> EMPTY of another backend
 *         ^         swapout     |  |                  handover
 *         +----> PARTIAL <------+--+
 *
 * PARTIAL is the state after an interrupted swapout or swapin: a part of the contents is
 * in pages, and a part is in the store. Both operations can continue from it.
 */

#include "buffer_internal.h"

#define MAY(state) (1u << TTMPOOL_TT_##state)

static const uint8_t tt_next[TTMPOOL_TT_STATE_COUNT] = {
	[TTMPOOL_TT_EMPTY] = MAY(POPULATED) | MAY(ANONYMOUS),
	[TTMPOOL_TT_POPULATED] = MAY(EMPTY) | MAY(BOUND) | MAY(ANONYMOUS) |
				 MAY(SWAPPED) | MAY(PARTIAL),
	[TTMPOOL_TT_BOUND] = MAY(POPULATED),
	[TTMPOOL_TT_ANONYMOUS] = MAY(EMPTY) | MAY(POPULATED) | MAY(SWAPPED) |
				 MAY(PARTIAL),
	[TTMPOOL_TT_SWAPPED] = MAY(EMPTY) | MAY(POPULATED) | MAY(PARTIAL),
	[TTMPOOL_TT_PARTIAL] = MAY(EMPTY) | MAY(POPULATED) | MAY(SWAPPED),
};

_Static_assert(TTMPOOL_TT_STATE_COUNT <= 8, "a set of states is a byte");

static const char *const tt_names[TTMPOOL_TT_STATE_COUNT] = {
	[TTMPOOL_TT_EMPTY] = "empty",     [TTMPOOL_TT_POPULATED] = "populated",
	[TTMPOOL_TT_BOUND] = "bound",     [TTMPOOL_TT_ANONYMOUS] = "anonymous",
	[TTMPOOL_TT_SWAPPED] = "swapped", [TTMPOOL_TT_PARTIAL] = "partial",
};

const char *ttmpool_tt_state_name(enum ttmpool_tt_state state)
{
	if ((unsigned int)state >= TTMPOOL_TT_STATE_COUNT)
		return "unknown";
	return tt_names[state];
}

bool ttmpool_tt_may_become(enum ttmpool_tt_state from, enum ttmpool_tt_state to)
{
	if ((unsigned int)from >= TTMPOOL_TT_STATE_COUNT ||
	    (unsigned int)to >= TTMPOOL_TT_STATE_COUNT)
		return false;
	return tt_next[from] & (1u << to);
}

void ttmpool_tt_set_state(struct ttmpool_tt *tt, enum ttmpool_tt_state state)
{
	tpos_assert(ttmpool_tt_may_become(tt->state, state));
	tt->state = state;
	assert_deep(ttmpool_tt_is_valid(tt));
}

/*
 * Returns whether the array agrees with the state: all pages are there, or none. In
 * state PARTIAL each page may be there or not.
 */
bool ttmpool_tt_is_valid(const struct ttmpool_tt *tt)
{
	bool resident = tt->state == TTMPOOL_TT_POPULATED ||
			tt->state == TTMPOOL_TT_BOUND ||
			tt->state == TTMPOOL_TT_ANONYMOUS;

	if ((unsigned int)tt->state >= TTMPOOL_TT_STATE_COUNT)
		return false;
	if (tt->state == TTMPOOL_TT_PARTIAL)
		return true;
	for (size_t i = 0; i < tt->num_pages; i++)
		if (resident != (tt->pages[i] != NULL))
			return false;
	return true;
}
