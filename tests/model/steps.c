// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps of the model: the public operations on buffers, in any state, with failures
 * and signals planned at random.
 *
 * For each operation on one buffer, a table says which state it leads to from each state.
 * Where the operation is not legal it must be refused. Where it is, it may fail, because
 * there is no memory, address space or room in the store, or because of a planned
 * failure; then the state is as before, or PARTIAL.
 */

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
};

static const char *const names[NR_VERBS] = {
	"populate",     "unpopulate", "bind",    "unbind",
	"to_anonymous", "to_device",  "swapout", "swapout",
	"swapin",       "swapin",     "drop",
};

/* By state; one letter for each verb: the state that the verb leads to. 'p': PARTIAL;
 * 'o': PARTIAL or SWAPPED; 'i': PARTIAL or POPULATED; '-': refused. */
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

static bool has_reason(const struct world *w, const struct item *item, int err)
{
	if (err == -EFAULT)
		return has_poison(w, item);
	if (err == -ENOMEM || err == -ENOSPC || err == -ETIMEDOUT)
		return true;
	return w->disturbed && is_an_error(err);
}

/* Check that a swap-in did not ask too often: @refused of its requests were refused. It asks
 * for half as many pages each time, and begins with as many as it got before. It does not ask
 * for more again, except once in eight times. */
static void check_tries(struct world *w, const struct item *item,
			uint64_t refused)
{
	uint64_t most = 2;

	for (size_t pages = item->be.tt.num_pages; pages > 1; pages /= 2)
		most++;
	if (!w->disturbed && !item->be.wait_ms && item->be.pages_stored &&
	    refused > most)
		w->wrong = "a swap-in tried in vain what it had tried before";
}

static uint64_t refused_takes(const struct item *item)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(item->be.pool, &stats);
	return stats.takes_failed;
}

static void step_verb(struct world *w, struct item *item, enum verb verb,
		      size_t n)
{
	enum ttmpool_tt_state was = item->be.tt.state, now;
	char to = leads_to[was][verb];
	struct ttmpool_request req = { .source = item->be.funcs->source,
				       .caching = item->be.tt.caching,
				       .num_pages = item->be.tt.num_pages,
				       .wait_ms = item->be.wait_ms };
	bool asks = verb == POPULATE && to != '-';
	/* a copy needs room beside what the buffer has */
	bool copies = verb == DEVICE || verb == ANONYMOUS ||
		      was == TTMPOOL_TT_PARTIAL;
	size_t pages = item->be.tt.num_pages << copies;
	uint64_t start_ms = tpos_now_ms(w->machine);
	uint64_t refused = refused_takes(item);
	int err;

	if (asks)
		room_before(w, &req,
			    item->be.dma_addr ||
				    item->be.funcs->source == TTMPOOL_COHERENT,
			    item->be.pool);
	item->locked = true;
	err = call(&item->be, verb, n);
	item->locked = false;
	now = item->be.tt.state;
	w->err = err;
	room_time(w, item->be.wait_ms, err, start_ms);
	if (asks)
		room_after(w, &req, err, item->be.pool, item->pages);
	if (verb == IN_ALL || verb == IN_SOME)
		check_tries(w, item, refused_takes(item) - refused);
	if (verb == DEVICE || verb == ANONYMOUS || verb == IN_ALL ||
	    verb == IN_SOME)
		room_waited(w, pages, item->be.wait_ms, err);
	if (to == '-') {
		if (err != -EINVAL || now != was)
			w->wrong = "what is not legal was not refused";
	} else if (err) {
		if (!has_reason(w, item, err))
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

/* Is a page of the buffer mapped, even if the buffer has no addresses? */
static bool is_mapped(const struct world *w, const struct item *item)
{
	for (size_t i = 0; i < item->be.tt.num_pages; i++) {
		const struct ttmpool_chunk *chunk =
			tpos_page_chunk(w->dev[0], item->pages[i]);

		if (chunk && chunk->flags & TTMPOOL_CHUNK_MAPPED)
			return true;
	}
	return false;
}

/* What another thread does while a request waits: it gives a buffer back. A request that
 * waits for addresses is not woken by pages without addresses. */
static void meanwhile(void *arg)
{
	struct world *w = arg;

	for (int i = 0; i < NR_BUFFERS; i++) {
		struct item *item = &w->items[i];
		struct tpos_wait *mapped = &item->be.pool->iova->queue.wait;
		unsigned long had = mapped_pages(w);
		long woken = tpos_wait_count(mapped);
		bool brings;

		if (item->locked || item->be.tt.state != TTMPOOL_TT_POPULATED)
			continue;
		brings = is_mapped(w, item);
		w->room.alone = false;
		if (ttmpool_unpopulate(&item->be))
			w->wrong = "a buffer could not be unpopulated";
		item->has_bytes = false;
		if (!brings && mapped_pages(w) == had &&
		    tpos_wait_count(mapped) != woken)
			w->wrong = "woken by pages without addresses";
		return;
	}
}

static void disturb(struct world *w, const struct step *step)
{
	w->disturbed = step->fails || step->signal;
	if (step->fails)
		tpsim_fault_plan(w->machine, &step->fault);
	if (step->signal)
		tpsim_signal_after(w->machine, step->signal);
	tpsim_while_waiting(w->machine, step->others ? meanwhile : NULL, w);
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

const char *step_name(struct world *w, const struct step *step)
{
	return step->which < NR_VERBS
		       ? names[step->which]
		       : step_other(w, NULL, (int)step->which - NR_VERBS, 0,
				    false);
}

void play_step(struct world *w, const struct step *step)
{
	struct item *item = &w->items[step->buffer];
	bool some = step->which == OUT_SOME || step->which == IN_SOME;

	if (item->be.dma_addr && item->dma_addr[0]) {
		w->was_at = item->dma_addr[0];
		w->was_of = item->be.pool == &w->pool[1];
	}
	if (item->be.tt.state == TTMPOOL_TT_POPULATED)
		memcpy(item->old, item->pages, sizeof(item->old));
	w->err = 0;
	watch_swapper(w);
	disturb(w, step);
	if (step->which < NR_VERBS)
		step_verb(w, item, (enum verb)step->which,
			  some ? step->pages : TTMPOOL_ALL_PAGES);
	else
		step_other(w, item, (int)step->which - NR_VERBS, step->r, true);
	count(w);
	tpsim_signal_clear(w->machine);
	check_step(w);
	check_swapper(w);
	if (step->thorough || w->disturbed)
		check_all(w);
}

/* Each verb is three times as likely as each other step, and seven times of eight one is
 * chosen that is legal in that state. */
static unsigned int pick(const struct item *item, uint64_t r)
{
	unsigned int n = (unsigned int)(r % (3 * NR_VERBS + NR_OTHERS));

	if (n >= 3 * NR_VERBS)
		return n - 2 * NR_VERBS;
	n %= NR_VERBS;
	while ((r >> 57) % 8 && leads_to[item->be.tt.state][n] == '-')
		n = (n + 1) % NR_VERBS;
	return n;
}

/* In one step of eight something fails; one of eight is interrupted. */
void random_step(const struct world *w, uint64_t r, struct step *step)
{
	uint64_t f = mix(r);

	*step = (struct step){
		.buffer = (r >> 8) % NR_BUFFERS,
		.pages = 1 + (r >> 16) % 5,
		.r = r,
		.fails = f >> 61 == 0,
		.fault = { .call = (enum tpsim_call)(f % TPSIM_CALL_COUNT),
			   .nth = 1 + (f >> 8) % 6 * ((f >> 12) % 2),
			   .times = 1 + (f >> 16) % 3,
			   .after = (f >> 24) % 3 },
		.signal = f >> 61 == 1 ? 1 + (f >> 8) % 6 : 0,
		.others = f & 1,
		.thorough = r >> 58 == 0,
	};
	step->which = pick(&w->items[step->buffer], r);
}
