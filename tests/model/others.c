// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps that are not an operation on one buffer: reads and writes by the CPU and by
 * the device; pressure by the system and by others; limits; pools; pages without a
 * buffer; and mistakes of a driver, which must be refused.
 */

#include "world.h"

static void step_write(struct world *w, struct item *item, uint64_t r)
{
	if (is_resident(item))
		write_bytes(w, item, r);
}

static void step_read(struct world *w, struct item *item, uint64_t r)
{
	(void)r;
	check_bytes(w, item);
}

/* The device writes; the CPU then reads the same. */
static void step_device_write(struct world *w, struct item *item, uint64_t r)
{
	uint64_t words[512];

	if (!item->be.dma_addr || w->config.swiotlb_force ||
	    (item->be.tt.state != TTMPOOL_TT_POPULATED &&
	     item->be.tt.state != TTMPOOL_TT_BOUND))
		return;
	item->bytes = r;
	item->has_bytes = true;
	for (size_t i = 0; i < item->be.tt.num_pages; i++) {
		for (size_t j = 0; j < 512; j++)
			words[j] = word_of(item, i);
		for (size_t at = 0; at < w->page_bytes; at += sizeof(words))
			if (tpsim_device_write(item->be.pool->dev,
					       item->dma_addr[i] + at, words,
					       sizeof(words)))
				w->wrong = "the device cannot write";
	}
}

static void step_handover(struct world *w, struct item *from, uint64_t r)
{
	struct item *to = &w->items[(r >> 32) % NR_BUFFERS];
	bool legal = from->be.tt.state == TTMPOOL_TT_ANONYMOUS &&
		     to->be.tt.state == TTMPOOL_TT_EMPTY &&
		     from->be.tt.num_pages == to->be.tt.num_pages;
	int err;

	from->locked = true;
	to->locked = true;
	err = ttmpool_handover(&from->be, &to->be);
	from->locked = false;
	to->locked = false;
	if (err != (legal ? 0 : -EINVAL))
		w->wrong = "a hand-over did not do as it should";
	w->err = err;
	if (err)
		return;
	for (int i = 0; i < w->poisoned; i++)
		if (w->poison[i].of == from->pages)
			w->poison[i].of = to->pages;
	to->bytes = from->bytes;
	to->has_bytes = from->has_bytes;
	from->has_bytes = false;
	check_bytes(w, to);
}

static void step_lru_add(struct world *w, struct item *item, uint64_t r)
{
	(void)r;
	w->err = ttmpool_lru_add(&item->be);
}

static void step_lru_touch(struct world *w, struct item *item, uint64_t r)
{
	(void)w;
	(void)r;
	ttmpool_lru_touch(&item->be);
}

static void step_lru_remove(struct world *w, struct item *item, uint64_t r)
{
	(void)w;
	(void)r;
	ttmpool_lru_remove(&item->be);
}

static void step_swap(struct world *w, struct item *item, uint64_t r)
{
	(void)item;
	w->watch.one_round = true;
	ttmpool_manager_swapout(&w->mgr, (r >> 32) % 16);
}

static void step_scrub(struct world *w, struct item *item, uint64_t r)
{
	(void)w;
	ttmpool_pool_scrub(item->be.pool, (r >> 32) % 16);
}

static void step_work(struct world *w, struct item *item, uint64_t r)
{
	(void)item;
	(void)r;
	tpsim_work_run(w->machine);
}

struct ttmpool_request request_of(struct world *w, const struct item *of,
				  uint64_t r)
{
	return (struct ttmpool_request){
		.source = (enum ttmpool_source)(r >> 32 & 1),
		.caching = (enum ttmpool_caching)((r >> 33) %
						  TTMPOOL_CACHING_COUNT),
		.num_pages = 1 + (r >> 40) % MAX_PAGES,
		.owner = &w->owner[of->be.pool == &w->pool[1]],
		.wait_ms = r >> 50 & 1 ? 150 : 0,
	};
}

static void step_prime(struct world *w, struct item *item, uint64_t r)
{
	struct ttmpool_request req = request_of(w, item, r);

	w->err = ttmpool_pool_prime(item->be.pool, &req, r >> 51 & 1);
}

/* The hardware reports an error in a page of a buffer. */
static void poison_page(struct world *w, struct item *item, uint64_t r)
{
	struct poison *bad = &w->poison[w->poisoned];
	tpos_page_t *page = item->pages[(r >> 32) % item->be.tt.num_pages];

	if (w->poisoned == MOST_POISON || !page || tpos_page_is_poisoned(page))
		return;
	tpsim_page_poison(w->machine, page);
	*bad = (struct poison){ page, item->pages };
	w->poisoned++;
}

/* Others use all memory except a little, of the machine or of a node, and free it again;
 * or a page is poisoned. */
static void step_pressure(struct world *w, struct item *item, uint64_t r)
{
	int node = TTMPOOL_NODE_ANY;

	if (w->config.nr_nodes > 1 && r >> 42 & 1)
		node = (int)(r >> 43 & 1);
	tpsim_ram_release(w->machine);
	if (r >> 32 & 1)
		tpsim_ram_hold(w->machine, node, (r >> 33) % 40);
	else if (r >> 40 & 1)
		tpsim_ram_fragment(w->machine, (r >> 33) % 3);
	else if (r >> 41 & 1)
		poison_page(w, item, r);
}

/* Time passes: the timer of a lazy IOMMU fires, and the manager has counted as many gives as
 * in some days. */
static void step_time(struct world *w, struct item *item, uint64_t r)
{
	tpsim_iotlb_expire(w->machine);
	(void)item;
	tpos_atomic_add_return((long)(r >> 32), &w->mgr.gives);
}

static void step_purge(struct world *w, struct item *item, uint64_t r)
{
	(void)item;
	(void)r;
	ttmpool_manager_purge_quarantine(&w->mgr);
}

/* Take pages without a buffer, or give back such pages. */
static void step_raw(struct world *w, struct item *item, uint64_t r)
{
	struct ttmpool_request req = request_of(w, item, r);
	struct raw *raw = &w->raws[r >> 60 & 1];

	if (raw->n) {
		w->err = ttmpool_pool_give(raw->pool, raw->pages, raw->n,
					   raw->caching);
		if (w->err)
			w->wrong = "pages could not be given back";
		raw->n = 0;
		return;
	}
	room_before(w, &req, r >> 51 & 1 || req.source == TTMPOOL_COHERENT,
		    item->be.pool);
	order_note(w);
	w->err = ttmpool_pool_take(item->be.pool, &req, raw->pages,
				   r >> 51 & 1 ? raw->dma_addr : NULL);
	room_after(w, &req, w->err, item->be.pool, raw->pages);
	if (w->err && !req.wait_ms)
		order_kept(w);
	if (w->err)
		return;
	raw->pool = item->be.pool;
	raw->caching = req.caching;
	raw->n = req.num_pages;
	check_zero(w, raw->pages, raw->n, raw->caching);
}

/* Give an empty buffer the array that it had once. Another owner may have these pages
 * now, but the buffer does not, so every call must be refused. */
static void misuse_old(struct world *w, struct item *item, uint64_t r)
{
	static int (*const verbs[])(struct ttmpool_backend * be) = {
		ttmpool_unpopulate, ttmpool_drop, ttmpool_to_anonymous
	};
	int err;

	if (item->be.tt.state != TTMPOOL_TT_EMPTY || !item->old[0])
		return;
	item->locked = true;
	memcpy(item->pages, item->old, sizeof(item->old));
	item->be.tt.state = TTMPOOL_TT_POPULATED;
	err = (r >> 32) % 4 < 3 ? verbs[(r >> 32) % 4](&item->be)
				: ttmpool_swapout(&item->be, 1);
	if (!err)
		w->wrong = "pages of old were taken";
	memset(item->pages, 0, sizeof(item->pages));
	item->be.tt.state = TTMPOOL_TT_EMPTY;
	item->locked = false;
}

/* A give of pages that are not the caller's, or with the wrong caching, or of a part of a
 * chunk is refused. */
static void step_misuse(struct world *w, struct item *item, uint64_t r)
{
	struct raw *raw = &w->raws[r >> 60 & 1];
	struct ttmpool_pool *other = &w->pool[raw->pool == &w->pool[0]];
	tpos_page_t *page = tpsim_page_of_system(w->machine);

	if (!ttmpool_pool_give(item->be.pool, &page, 1, TTMPOOL_CACHED))
		w->wrong = "a page of the system was taken";
	misuse_old(w, item, r);
	if (!raw->n)
		return;
	if (!ttmpool_pool_give(raw->pool, raw->pages, raw->n,
			       (raw->caching + 1) % TTMPOOL_CACHING_COUNT))
		w->wrong = "a page of another caching was taken";
	if (!ttmpool_pool_give(other, raw->pages, raw->n, raw->caching))
		w->wrong = "another pool's page was taken";
	if (raw->n > 1 && raw->pages[1] == raw->pages[0] + 1 &&
	    !ttmpool_pool_owns(raw->pool, raw->pages[1]) &&
	    !ttmpool_pool_give(raw->pool, raw->pages + 1, raw->n - 1,
			       raw->caching))
		w->wrong = "a part of a chunk was taken";
}

static const struct {
	const char *name;
	void (*run)(struct world *w, struct item *item, uint64_t r);
} steps[NR_OTHERS] = {
	{ "write", step_write },
	{ "write", step_write },
	{ "write", step_write },
	{ "read", step_read },
	{ "device writes", step_device_write },
	{ "handover", step_handover },
	{ "lru_add", step_lru_add },
	{ "lru_add", step_lru_add },
	{ "lru_add", step_lru_add },
	{ "lru_touch", step_lru_touch },
	{ "lru_remove", step_lru_remove },
	{ "shrink_scan", step_scan },
	{ "system shrinks", step_shrink },
	{ "swap others", step_swap },
	{ "drain", step_drain },
	{ "pool limit", step_pool_limit },
	{ "page budget", step_budget },
	{ "scrub", step_scrub },
	{ "work", step_work },
	{ "prime", step_prime },
	{ "reserve", step_reserve },
	{ "pressure", step_pressure },
	{ "time passes", step_time },
	{ "purge", step_purge },
	{ "raw take or give", step_raw },
	{ "backup", step_backup },
	{ "misuse", step_misuse },
	{ "flood", step_flood },
	{ "broken caching", step_broken },
};

const char *step_other(struct world *w, struct item *item, int which,
		       uint64_t r, bool run)
{
	if (run)
		steps[which].run(w, item, r);
	return steps[which].name;
}
