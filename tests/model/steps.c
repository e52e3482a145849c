// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of the model: the public operations on buffers, in any state, with
 * failures and signals planned at random.
 *
 * For each operation on one buffer, the table says what it leads to from each
 * state. It must be refused where it is not legal; where it is, it may fail for
 * want of memory, address space or room in the store, or because something was
 * planned to fail; and then the state is as it was, or PARTIAL.
 */

#include <limits.h>
#include <stdio.h>

#include "world.h"

enum verb {
	POPULATE,
	UNPOPULATE,
	BIND,
	UNBIND,
	ANONYMOUS,
	DEVICE,
	OUT_ALL,
	OUT_SOME,
	IN_ALL,
	IN_SOME,
	DROP,
	NR_VERBS, /* what follows concerns more than one buffer's state */
	WRITE = NR_VERBS,
	READ,
	HANDOVER,
	LRU_ADD,
	LRU_TOUCH,
	LRU_REMOVE,
	SHRINK,
	SWAP,
	DRAIN,
	LIMIT,
	NR_STEPS,
};

static const char *const names[NR_STEPS] = {
	"populate",  "unpopulate", "bind",    "unbind",      "to_anonymous",
	"to_device", "swapout",    "swapout", "swapin",      "swapin",
	"drop",      "write",      "read",    "handover",    "lru_add",
	"lru_touch", "lru_remove", "shrink",  "swap others", "drain",
	"limit",
};

/* By state; a letter for each verb: the state that it leads to. '?': PARTIAL,
 * or what it would be if all pages had gone; '-': refused. */
static const char *const leads_to[TTMPOOL_TT_STATE_COUNT] = {
	[TTMPOOL_TT_EMPTY] = "P----------",
	[TTMPOOL_TT_POPULATED] = "-EB-A-So--E",
	[TTMPOOL_TT_BOUND] = "---P-------",
	[TTMPOOL_TT_ANONYMOUS] = "-----PSo--E",
	[TTMPOOL_TT_SWAPPED] = "--------PiE",
	[TTMPOOL_TT_PARTIAL] = "------SoPiE",
};

static int call(struct ttmpool_backend *be, enum verb verb, size_t n)
{
	switch (verb) {
	case POPULATE:
		return ttmpool_populate(be);
	case UNPOPULATE:
		return ttmpool_unpopulate(be);
	case BIND:
		return ttmpool_bind(be);
	case UNBIND:
		return ttmpool_unbind(be);
	case ANONYMOUS:
		return ttmpool_to_anonymous(be);
	case DEVICE:
		return ttmpool_to_device(be);
	case OUT_ALL:
	case OUT_SOME:
		return ttmpool_swapout(be, n);
	case IN_ALL:
	case IN_SOME:
		return ttmpool_swapin(be, n);
	default:
		return ttmpool_drop(be);
	}
}

static bool is_state(enum ttmpool_tt_state state, char letter)
{
	if (letter == 'o')
		return state == TTMPOOL_TT_PARTIAL ||
		       state == TTMPOOL_TT_SWAPPED;
	if (letter == 'i')
		return state == TTMPOOL_TT_PARTIAL ||
		       state == TTMPOOL_TT_POPULATED;
	return "EPBASp"[state] == letter;
}

static bool is_an_error(int err)
{
	return err == -ENOMEM || err == -ENOSPC || err == -EIO || err == -EINTR;
}

static void step_verb(struct world *w, struct item *item, enum verb verb,
		      size_t n)
{
	enum ttmpool_tt_state was = item->be.tt.state, now;
	char to = leads_to[was][verb];
	int err;

	item->locked = true;
	err = call(&item->be, verb, n);
	item->locked = false;
	now = item->be.tt.state;
	w->err = err;
	if (to == '-') {
		if (err != -EINVAL || now != was)
			w->wrong = "what is not legal was not refused";
	} else if (err) {
		if (!is_an_error(err) ||
		    (!w->disturbed && err != -ENOMEM && err != -ENOSPC))
			w->wrong = "an error without a reason";
		if (now != was && now != TTMPOOL_TT_PARTIAL)
			w->wrong = "an error has changed the state";
	} else if (!is_state(now, to)) {
		w->wrong = "it did not lead where it should";
	}
	if (now == TTMPOOL_TT_EMPTY)
		item->has_bytes = false;
	if (was != now)
		check_bytes(w, item);
}

static void step_handover(struct world *w, struct item *from, struct item *to)
{
	bool legal = from->be.tt.state == TTMPOOL_TT_ANONYMOUS &&
		     to->be.tt.state == TTMPOOL_TT_EMPTY &&
		     from->be.tt.num_pages == to->be.tt.num_pages;
	int err = ttmpool_handover(&from->be, &to->be);

	if (err != (legal ? 0 : -EINVAL))
		w->wrong = "a hand-over did not do as it should";
	if (err)
		return;
	to->bytes = from->bytes;
	to->has_bytes = from->has_bytes;
	from->has_bytes = false;
	check_bytes(w, to);
}

static void step_other(struct world *w, struct item *item, enum verb verb,
		       uint64_t r)
{
	switch (verb) {
	case WRITE:
		if (is_resident(item))
			write_bytes(w, item, r);
		break;
	case READ:
		check_bytes(w, item);
		break;
	case HANDOVER:
		step_handover(w, item, &w->items[(r >> 32) % NR_BUFFERS]);
		break;
	case LRU_ADD:
		ttmpool_lru_add(&item->be);
		break;
	case LRU_TOUCH:
		ttmpool_lru_touch(&item->be);
		break;
	case LRU_REMOVE:
		ttmpool_lru_remove(&item->be);
		break;
	case SHRINK:
		ttmpool_manager_shrink_scan(&w->mgr, (r >> 32) % 16,
					    r >> 40 & 1);
		break;
	case SWAP:
		ttmpool_manager_swapout(&w->mgr, (r >> 32) % 16);
		break;
	case DRAIN:
		ttmpool_pool_drain(item->be.pool);
		break;
	default:
		ttmpool_manager_set_pool_limit(&w->mgr, (r >> 32) % 50);
		break;
	}
}

/* One step in eight has something fail, one in eight is interrupted. */
static void disturb(struct world *w, uint64_t r)
{
	struct tpsim_fault fault = {
		.call = (enum tpsim_call)(r % TPSIM_CALL_COUNT),
		.nth = 1 + (r >> 8) % 6,
		.times = 1 + (r >> 16) % 3,
		.after = (r >> 24) % 3,
	};

	w->disturbed = r >> 61 < 2;
	if (r >> 61 == 0)
		tpsim_fault_plan(w->machine, &fault);
	else if (r >> 61 == 1)
		tpsim_signal_after(w->machine, fault.nth);
}

void make_step(struct world *w, uint64_t r, bool verbose)
{
	static const uint8_t weights[] = { POPULATE, POPULATE, POPULATE,
					   OUT_ALL,  IN_ALL,   IN_ALL,
					   WRITE,    WRITE,    LRU_ADD,
					   LRU_ADD,  DEVICE };
	size_t pick = r % (NR_STEPS + sizeof(weights));
	enum verb verb = pick < NR_STEPS ? (enum verb)pick
					 : (enum verb)weights[pick - NR_STEPS];
	int i = (int)((r >> 8) % NR_BUFFERS);
	struct item *item = &w->items[i];
	size_t n = verb == OUT_SOME || verb == IN_SOME ? 1 + (r >> 16) % 5
						       : TTMPOOL_ALL_PAGES;

	if (verbose)
		printf("  %-12s buffer %d, %s, %zu pages\n", names[verb], i,
		       ttmpool_tt_state_name(item->be.tt.state),
		       item->be.tt.num_pages);
	disturb(w, mix(r));
	if (verb < NR_VERBS)
		step_verb(w, item, verb, n);
	else
		step_other(w, item, verb, r);
	tpsim_fault_clear(w->machine);
	tpsim_signal_clear(w->machine);
	if (r >> 60 == 0 || w->disturbed)
		check_sums(w);
}
