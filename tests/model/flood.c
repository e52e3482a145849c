// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Checks that need many pages, made now and then, if the machine has so many:
 *
 *     slices    pages are given up in slices: memory is free after the first one
 *     holds     a lock is held for a part of them at a time (the machine counts that)
 *     pieces    small pieces do not stay for ever
 *     signal    after a signal, a request gets few more pages until it notices
 *
 * And a check for a time when the caching of no page can be changed: the pool tries to
 * repair quarantined pages only a few at a time.
 */

#include "world.h"

#define FLOOD       1500
#define SLICE_PAGES 1024 /* of small chunks */
#define LAST_CHUNK  ((1u << MAX_ORDER) - 1)
#define ASK_PAGES   512 /* between two checks for a signal: 2 MiB */
#define RETRY_MOST  4

/* A buffer of as many pages as one fresh chunk has; the number of such buffers; and
 * enough rounds, because a pool looks for pieces in one populate of sixteen. */
#define PIECES         (1u << MAX_ORDER)
#define PIECES_BUFFERS 4
#define PIECES_ROUNDS  40

static struct ttmpool_request many(enum ttmpool_caching caching)
{
	return (struct ttmpool_request){ .caching = caching,
					 .num_pages = FLOOD };
}

/* Give up all pooled pages, in one of several ways. */
static void flood_ebbs(struct world *w, struct ttmpool_pool *pool, uint64_t r)
{
	switch ((r >> 44) % 3) {
	case 0:
		ttmpool_manager_shrink_scan(&w->mgr, 2ul * FLOOD, false);
		break;
	case 1:
		ttmpool_manager_set_pool_limit(&w->mgr, 0);
		break;
	default:
		ttmpool_pool_drain(pool);
		break;
	}
}

/* Pool chunks of the largest order, and give them up. */
static void flood_of_chunks(struct world *w, struct ttmpool_pool *pool,
			    uint64_t r)
{
	struct ttmpool_request req = many(TTMPOOL_WRITE_COMBINED);
	struct tpsim_counters before, after;

	if (ttmpool_pool_prime(pool, &req, false))
		return;
	tpsim_counters(w->machine, &before);
	flood_ebbs(w, pool, r);
	tpsim_counters(w->machine, &after);
	if (after.caching_pages - before.caching_pages >
	    (after.caching_batches - before.caching_batches) *
		    (SLICE_PAGES + LAST_CHUNK))
		w->wrong = "too many pages went in one slice";
}

/* Pool single pages one by one, in an irregular order, and give them up. */
static void flood_of_pages(struct world *w, struct ttmpool_pool *pool,
			   uint64_t r)
{
	static tpos_page_t *pages[FLOOD];
	struct ttmpool_request req = many(TTMPOOL_UNCACHED);

	req.num_pages = 1;
	for (size_t i = 0; i < FLOOD; i++)
		if (ttmpool_pool_take(pool, &req, &pages[i], NULL))
			w->wrong = "refused, though there was room";
	for (size_t i = 0; i < FLOOD && !w->wrong; i++)
		if (ttmpool_pool_give(pool, &pages[i * 7 % FLOOD], 1,
				      TTMPOOL_UNCACHED))
			w->wrong = "pages could not be given back";
	if (!w->wrong)
		flood_ebbs(w, pool, r);
}

/* A signal is pending before the first page. */
static void flood_is_interrupted(struct world *w, struct ttmpool_pool *pool)
{
	static tpos_page_t *pages[FLOOD];
	struct ttmpool_request req = many(TTMPOOL_WRITE_COMBINED);
	struct tpsim_counters before, after;

	ttmpool_pool_drain(pool);
	tpsim_counters(w->machine, &before);
	tpsim_signal_after(w->machine, 1);
	w->err = ttmpool_pool_take(pool, &req, pages, NULL);
	tpsim_signal_clear(w->machine);
	tpsim_counters(w->machine, &after);
	if (w->err != -EINTR || after.pages_allocated - before.pages_allocated >
					ASK_PAGES + LAST_CHUNK)
		w->wrong = "a signal was not looked for";
}

/* Single pooled pages become one chunk again after some time, if a buffer could have
 * one. */
static void flood_of_pieces(struct world *w, struct ttmpool_pool *pool)
{
	static tpos_page_t *pages[PIECES * PIECES_BUFFERS];
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 1 };
	size_t chunks = PIECES;

	if (w->config.nr_nodes > 1)
		return;
	ttmpool_pool_drain(pool);
	for (size_t i = 0; i < PIECES * PIECES_BUFFERS; i++)
		if (ttmpool_pool_take(pool, &req, &pages[i], NULL))
			w->wrong = "refused, though there was room";
	if (!w->wrong && ttmpool_pool_give(pool, pages, PIECES * PIECES_BUFFERS,
					   req.caching))
		w->wrong = "pages could not be given back";
	req.num_pages = PIECES;
	for (int i = 0; i < PIECES_ROUNDS && !w->wrong && chunks == PIECES;
	     i++) {
		if (ttmpool_pool_take(pool, &req, pages, NULL))
			w->wrong = "refused, though there was room";
		chunks = 0;
		for (size_t j = 0; j < PIECES; j++)
			chunks += tpos_page_chunk(w->dev[0], pages[j]) != NULL;
		if (ttmpool_pool_give(pool, pages, PIECES, req.caching))
			w->wrong = "pages could not be given back";
	}
	if (chunks == PIECES)
		w->wrong = "small pieces stay for ever";
}

void step_flood(struct world *w, struct item *item, uint64_t r)
{
	struct ttmpool_pool *pool = item->be.pool;

	if (!w->large || (r >> 50) % 4 || w->disturbed || is_poison_pooled(w) ||
	    w->reserve[0] || w->reserve[1] ||
	    tpsim_ram_hold(w->machine, TTMPOOL_NODE_ANY, SIZE_MAX))
		return;
	ttmpool_manager_set_page_budget(&w->mgr, TTMPOOL_NO_LIMIT);
	ttmpool_manager_set_pool_limit(&w->mgr, TTMPOOL_NO_LIMIT);
	switch ((r >> 40) % 4) {
	case 0:
		flood_of_chunks(w, pool, r);
		break;
	case 1:
		flood_of_pages(w, pool, r);
		break;
	case 2:
		flood_of_pieces(w, pool);
		break;
	default:
		flood_is_interrupted(w, pool);
		break;
	}
	ttmpool_manager_set_page_budget(&w->mgr, w->page_budget);
	ttmpool_manager_set_pool_limit(&w->mgr, w->pool_limit);
}

/* While no page can be made write-back, drained pages are quarantined, and each scan
 * tries a few of them. Then they can be, and all leave. */
void step_broken(struct world *w, struct item *item, uint64_t r)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_CACHING_RESET,
				     .nth = 1,
				     .times = UINT_MAX };

	if (w->disturbed)
		return;
	w->disturbed = true;
	tpsim_fault_plan(w->machine, &fault);
	ttmpool_pool_drain(item->be.pool);
	for (int i = 0; i < 3; i++) {
		unsigned long before, after;

		before = tpsim_fault_calls(w->machine, fault.call);
		ttmpool_manager_shrink_scan(&w->mgr, r >> 40 & 1, false);
		after = tpsim_fault_calls(w->machine, fault.call);
		if (after - before > RETRY_MOST + NR_POOLS)
			w->wrong = "too much of the quarantine was tried";
	}
	w->tally.struck += tpsim_fault_clear(w->machine);
	ttmpool_manager_purge_quarantine(&w->mgr);
}
