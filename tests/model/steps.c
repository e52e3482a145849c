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
	NR_VERBS,
};

static const char *const names[NR_VERBS] = {
	"populate",     "unpopulate", "bind",    "unbind",
	"to_anonymous", "to_device",  "swapout", "swapout",
	"swapin",       "swapin",     "drop",
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
	return err == -ENOMEM || err == -ENOSPC || err == -EIO ||
	       err == -EINTR || err == -ETIMEDOUT;
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
		if (!is_an_error(err) || (!w->disturbed && err != -ENOMEM &&
					  err != -ENOSPC && err != -ETIMEDOUT))
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

/* What another does while one waits for address space: it gives some back. */
static void meanwhile(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < NR_BUFFERS; i++) {
		struct item *item = &w->items[i];

		if (item->locked || item->be.tt.state != TTMPOOL_TT_POPULATED)
			continue;
		if (ttmpool_unpopulate(&item->be))
			w->wrong = "a buffer could not be unpopulated";
		item->has_bytes = false;
		return;
	}
}

/* One step in eight has something fail, one in eight is interrupted. */
static void disturb(struct world *w, uint64_t r)
{
	struct tpsim_fault fault = {
		.call = (enum tpsim_call)(r % TPSIM_CALL_COUNT),
		.nth = 1 + (r >> 8) % 6 * ((r >> 12) % 2),
		.times = 1 + (r >> 16) % 3,
		.after = (r >> 24) % 3,
	};

	w->disturbed = r >> 61 < 2;
	if (r >> 61 == 0)
		tpsim_fault_plan(w->machine, &fault);
	else if (r >> 61 == 1)
		tpsim_signal_after(w->machine, 1 + (r >> 8) % 6);
	tpsim_while_waiting(w->machine, r & 1 ? meanwhile : NULL, w);
}

static void count(struct world *w)
{
	w->tally.steps++;
	w->tally.struck += tpsim_fault_clear(w->machine);
	if (!w->err)
		w->tally.did++;
	else if (w->err == -EINVAL || w->err == -EBUSY)
		w->tally.refused++;
	else
		w->tally.failed++;
}

/* Verbs are as likely as if there were three of each, and seven times of eight
 * one that is legal in that state. */
static size_t pick(const struct item *item, uint64_t r)
{
	size_t n = r % (3 * NR_VERBS + NR_OTHERS);

	if (n >= 3 * NR_VERBS)
		return n - 2 * NR_VERBS;
	n %= NR_VERBS;
	while ((r >> 57) % 8 && leads_to[item->be.tt.state][n] == '-')
		n = (n + 1) % NR_VERBS;
	return n;
}

void make_step(struct world *w, uint64_t r, bool verbose)
{
	int i = (int)((r >> 8) % NR_BUFFERS);
	struct item *item = &w->items[i];
	size_t which = pick(item, r);
	bool some = which == OUT_SOME || which == IN_SOME;
	size_t n = some ? 1 + (r >> 16) % 5 : TTMPOOL_ALL_PAGES;

	if (verbose)
		printf("  %-16s buffer %d, %s, %zu pages\n",
		       which < NR_VERBS
			       ? names[which]
			       : step_other(w, item, (int)(which - NR_VERBS), r,
					    false),
		       i, ttmpool_tt_state_name(item->be.tt.state),
		       item->be.tt.num_pages);
	if (item->be.dma_addr && item->dma_addr[0]) {
		w->was_at = item->dma_addr[0];
		w->was_of = item->be.pool == &w->pool[1];
	}
	w->err = 0;
	disturb(w, mix(r));
	if (which < NR_VERBS)
		step_verb(w, item, (enum verb)which, n);
	else
		step_other(w, item, (int)(which - NR_VERBS), r, true);
	count(w);
	tpsim_signal_clear(w->machine);
	check_step(w);
	if (r >> 58 == 0 || w->disturbed)
		check_all(w);
}
