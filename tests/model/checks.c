// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The invariants. After each step:
 *
 *     pages      free pages, allocated pages and pages held by others add up to all
 *                pages that there were; the pages of the manager are those that the
 *                machine has given, and each is in use, pooled or quarantined
 *     owners     no page is in two arrays
 *     caching    each page of a buffer in a device state has the caching that was
 *                asked for, and each ordinary page is write-back; every page that is
 *                not write-back is in a buffer, a bin or the quarantine
 *     addresses  at each address of a buffer, the device reads what the CPU reads in
 *                that page; the books of the pools, of their device and of the machine
 *                agree about all mappings; and once no mapping is kept, an access to a
 *                former address of a buffer faults
 *     contents   the first word of each page of each buffer is right
 *     poison     a page that the hardware has poisoned stays with its owner and is handed
 *                out to no other; and none goes back to the system as a part of a block
 *     limits     pages, pooled pages and mapped bytes are within them
 *     accounts   those of each owner, of each pool, of the manager and of the stores are
 *                the sums of their parts
 *
 * check_all() also walks all lists (ttmpool_*_is_valid()), and reads every byte. How a
 * quarantined page was counted before cannot be seen from outside, so sums may differ by
 * that much.
 */

#include "world.h"

/* The sums of one walk. */
struct sums {
	unsigned long pages[NR_POOLS];    /* in arrays */
	unsigned long stored[NR_POOLS];   /* in stores */
	unsigned long ordinary[NR_POOLS]; /* of chunks that are anonymous */
	unsigned long mapped[NR_POOLS];   /* of chunks that are mapped */
	unsigned long reachable;          /* with addresses */
	unsigned long not_write_back;
};

static bool is_device_state(const struct item *item)
{
	return item->be.tt.state == TTMPOOL_TT_POPULATED ||
	       item->be.tt.state == TTMPOOL_TT_BOUND;
}

/* Count the chunk that begins with this page, if one does. */
static void see_chunk(struct world *w, int pool, tpos_page_t *page,
		      struct sums *sums)
{
	const struct ttmpool_chunk *chunk = tpos_page_chunk(w->dev[pool], page);
	unsigned long n;

	if (!chunk)
		return;
	n = (unsigned long)ttmpool_chunk_pages(chunk);
	if (chunk->flags & TTMPOOL_CHUNK_ANONYMOUS)
		sums->ordinary[pool] += n;
	if (chunk->flags & TTMPOOL_CHUNK_MAPPED)
		sums->mapped[pool] += n;
}

/* May this page be in this array? */
static bool may_have(const struct world *w, tpos_page_t *const *of,
		     const tpos_page_t *page)
{
	for (int i = 0; i < w->poisoned; i++)
		if (w->poison[i].page == page)
			return w->poison[i].of == of;
	return true;
}

bool has_poison(const struct world *w, const struct item *item)
{
	for (int i = 0; i < w->poisoned; i++)
		if (w->poison[i].of == item->pages)
			return true;
	return false;
}

/* A page in the array @of: check that it is in no other one. */
static enum ttmpool_caching see_page(struct world *w, tpos_page_t *const *of,
				     tpos_page_t *page, struct sums *sums)
{
	size_t index = (size_t)(page - tpsim_page_of_system(w->machine));
	enum ttmpool_caching caching = tpsim_page_caching(w->machine, page);

	if (tpos_page_is_poisoned(page) && !may_have(w, of, page))
		w->wrong = "a poisoned page was handed out";
	if (index >= w->config.ram_pages || w->owner_seen[index] == w->step)
		w->wrong = "a page has two owners";
	else
		w->owner_seen[index] = w->step;
	sums->not_write_back += caching != TTMPOOL_CACHED;
	return caching;
}

static void see_address(struct world *w, const struct item *item, size_t i)
{
	uint64_t word;

	if (tpsim_device_read(item->be.pool->dev, item->dma_addr[i], &word,
			      sizeof(word)))
		w->wrong = "the device does not reach a page";
	else if (word != word_of(item, i))
		w->wrong = "the device reads something else";
}

static void see_buffer_page(struct world *w, const struct item *item, size_t i,
			    struct sums *sums)
{
	enum ttmpool_caching caching =
		see_page(w, item->pages, item->pages[i], sums);
	const uint64_t *word = tpsim_page_address(w->machine, item->pages[i]);

	if (*word != word_of(item, i))
		w->wrong = "a word is not what was written";
	if (is_device_state(item) && caching != item->be.tt.caching)
		w->wrong = "a page is of another caching";
	if (item->be.tt.state == TTMPOOL_TT_ANONYMOUS &&
	    caching != TTMPOOL_CACHED)
		w->wrong = "an ordinary page is not write-back";
	if (is_device_state(item) && item->be.dma_addr)
		see_address(w, item, i);
}

static void see_buffers(struct world *w, struct sums *sums)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		const struct item *item = &w->items[i];
		size_t n = item->be.tt.num_pages, here = 0;

		for (size_t j = 0; j < n; j++) {
			if (!item->pages[j])
				continue;
			here++;
			see_buffer_page(w, item, j, sums);
			see_chunk(w, i % NR_POOLS, item->pages[j], sums);
		}
		sums->pages[i % NR_POOLS] += here;
		sums->stored[i % NR_POOLS] += item->be.pages_stored;
		if (is_device_state(item) && item->be.dma_addr)
			sums->reachable += n;
	}
}

static void see_raws(struct world *w, struct sums *sums)
{
	for (int i = 0; i < NR_RAW; i++) {
		const struct raw *raw = &w->raws[i];
		int pool = raw->pool == &w->pool[1];

		for (size_t j = 0; j < raw->n; j++) {
			if (see_page(w, raw->pages, raw->pages[j], sums) !=
			    raw->caching)
				w->wrong = "a taken page is of another caching";
			see_chunk(w, pool, raw->pages[j], sums);
		}
		sums->pages[pool] += raw->n;
	}
}

static void check_owner(struct world *w, int i, const struct sums *sums)
{
	struct ttmpool_owner *owner = &w->owner[i];

	if (ttmpool_owner_pages(owner, TTMPOOL_IN_USE) != sums->pages[i] ||
	    ttmpool_owner_pages(owner, TTMPOOL_MAPPED) != sums->mapped[i] ||
	    ttmpool_owner_pages(owner, TTMPOOL_ANONYMOUS) !=
		    sums->ordinary[i] ||
	    ttmpool_owner_pages(owner, TTMPOOL_SWAPPED) != sums->stored[i])
		w->wrong = "an owner's account is not the sum";
}

/* Returns the number of pooled pages of that caching. */
static unsigned long pooled_as(struct world *w, enum ttmpool_caching caching)
{
	unsigned long pages = 0;

	for (int i = 0; i < NR_POOLS; i++)
		for (int s = 0; s < TTMPOOL_SOURCE_COUNT; s++)
			for (unsigned int order = 0; order <= MAX_ORDER;
			     order++)
				pages += ttmpool_pool_count(
						 &w->pool[i],
						 (enum ttmpool_source)s,
						 caching, order)
					 << order;
	return pages;
}

/* Do the machine's count (@has) and the sum of the known parts (@sum) differ by more than
 * the pages in quarantine? */
static bool differ(unsigned long has, unsigned long sum,
		   const struct ttmpool_manager_stats *stats)
{
	return has < sum || has - sum > stats->pages_quarantined;
}

static void check_pages(struct world *w, const struct sums *sums,
			const struct ttmpool_manager_stats *stats,
			const struct tpsim_ledger *ledger)
{
	unsigned long in_use = sums->pages[0] + sums->pages[1];
	unsigned long other = pooled_as(w, TTMPOOL_UNCACHED) +
			      pooled_as(w, TTMPOOL_WRITE_COMBINED);
	unsigned long pooled = other + pooled_as(w, TTMPOOL_CACHED);
	size_t out = ledger->pages_plain + ledger->pages_coherent;

	if (ledger->free_pages + ledger->pages_lost + out +
		    tpsim_ram_hold(w->machine, TTMPOOL_NODE_ANY, SIZE_MAX) !=
	    w->total_pages)
		w->wrong = "a page of the machine is gone";
	if (stats->pages != out ||
	    stats->pages != in_use + pooled + stats->pages_quarantined)
		w->wrong = "the manager's account is not the machine's";
	if (stats->pages_pooled != pooled ||
	    differ(ledger->pages_parked, pooled, stats))
		w->wrong = "what is pooled is not what is in bins";
	if (differ(ledger->pages_not_write_back, sums->not_write_back + other,
		   stats))
		w->wrong = "a page that is nobody's is not write-back";
	if (stats->pages_swapped != sums->stored[0] + sums->stored[1] ||
	    ledger->store_pages < stats->pages_swapped)
		w->wrong = "the stores do not have what was swapped out";
}

/* May a page of that device have another owner while the device still reaches it? */
static bool may_be_late(const struct world *w, int i)
{
	return w->config.iommu == TPSIM_IOMMU_LAZY &&
	       w->pool[i].policy.lazy_unmap;
}

/* The same for all pools of that pool's device: each may end its mappings lazily. */
static bool device_may_be_late(const struct world *w, int i)
{
	return may_be_late(w, i) ||
	       (w->dev[0] == w->dev[1] && may_be_late(w, !i));
}

/* No page has left while its device still reached it, unless the policy asked for
 * that. */
static void check_reach(struct world *w)
{
	struct tpsim_counters counters;

	tpsim_counters(w->machine, &counters);
	if (counters.freed_in_reach && !may_be_late(w, 0) && !may_be_late(w, 1))
		w->wrong = "a page was freed in reach of a device";
}

/* An access to an address that belongs to no buffer any more must fault. */
static void check_stale(struct world *w, const struct tpsim_ledger *ledger,
			unsigned long reachable)
{
	uint64_t word;

	if (!w->was_at || w->config.iommu == TPSIM_IOMMU_OFF ||
	    device_may_be_late(w, w->was_of) ||
	    ledger->mapped_bytes != (uint64_t)reachable << w->page_shift)
		return;
	for (int i = 0; i < NR_BUFFERS; i++)
		for (size_t j = 0; j < w->items[i].be.tt.num_pages; j++)
			if (w->items[i].dma_addr[j] == w->was_at)
				return;
	if (!tpsim_device_read(w->dev[w->was_of], w->was_at, &word,
			       sizeof(word)))
		w->wrong = "the device still reaches a page";
	w->was_at = 0;
	w->tally.stale++;
}

unsigned long mapped_pages(struct world *w)
{
	unsigned long pages = ttmpool_iova_pages(w->pool[0].iova);

	if (w->pool[1].iova != w->pool[0].iova)
		pages += ttmpool_iova_pages(w->pool[1].iova);
	return pages;
}

static void check_mapped(struct world *w, const struct sums *sums,
			 const struct ttmpool_manager_stats *stats,
			 const struct tpsim_ledger *ledger)
{
	unsigned long mapped = mapped_pages(w);
	struct ttmpool_pool_stats pool[NR_POOLS];
	uint64_t bytes = 0;

	for (int i = 0; i < NR_POOLS; i++) {
		ttmpool_pool_stats(&w->pool[i], &pool[i]);
		bytes += pool[i].bytes_mapped + pool[i].bytes_held;
		w->mapped_in_use[i] = sums->mapped[i];
		if (pool[i].pages_in_use != sums->pages[i] ||
		    pool[i].pages_swapped != sums->stored[i])
			w->wrong = "a pool's account is not the sum";
	}
	if (bytes != (uint64_t)mapped << w->page_shift)
		w->wrong = "pools and device differ on what is mapped";
	if (differ((unsigned long)((ledger->mapped_bytes +
				    ledger->held_bytes) >>
				   w->page_shift),
		   mapped, stats))
		w->wrong = "what is mapped is not what the machine maps";
	if ((w->shares_iova && mapped > MAPPED_LIMIT) ||
	    pool[1].bytes_mapped + pool[1].bytes_held >
		    (uint64_t)POOL_LIMIT_B << w->page_shift)
		w->wrong = "more is mapped than the limit";
	check_reach(w);
	check_stale(w, ledger, sums->reachable);
}

/* Lowered limits hold from then on, as far as they can. */
static void check_limits(struct world *w,
			 const struct ttmpool_manager_stats *stats)
{
	unsigned long most = w->page_budget > w->pages_most ? w->page_budget
							    : w->pages_most;
	unsigned long kept = 0;

	if (stats->pages > most)
		w->wrong = "more pages than the budget";
	w->pages_most = stats->pages;
	for (int i = 0; i < NR_POOLS; i++)
		if (w->reserve[i])
			kept += w->reserve[i] + (1ul << MAX_ORDER) - 1;
	if (stats->pages_pooled > w->pool_limit + kept)
		w->wrong = "more is pooled than the limit";
}

/* An owner that has given a poisoned page back does not get it again. */
static void check_poison(struct world *w)
{
	tpos_page_t *first = tpsim_page_of_system(w->machine);
	struct tpsim_counters counters;

	if (!w->poisoned)
		return;
	for (int i = 0; i < w->poisoned; i++)
		if (w->owner_seen[w->poison[i].page - first] != w->step)
			w->poison[i].of = NULL;
	tpsim_counters(w->machine, &counters);
	if (counters.poison_freed)
		w->wrong = "a poisoned page went to the system in a block";
}

void check_step(struct world *w)
{
	struct ttmpool_manager_stats stats;
	struct tpsim_ledger ledger;
	struct sums sums = { 0 };

	w->step++;
	see_buffers(w, &sums);
	see_raws(w, &sums);
	ttmpool_manager_stats(&w->mgr, &stats);
	tpsim_ledger(w->machine, &ledger);
	for (int i = 0; i < NR_POOLS; i++)
		check_owner(w, i, &sums);
	check_pages(w, &sums, &stats, &ledger);
	check_mapped(w, &sums, &stats, &ledger);
	check_limits(w, &stats);
	check_poison(w);
}

void check_all(struct world *w)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		if (!ttmpool_backend_is_valid(&w->items[i].be))
			w->wrong = "a backend is not valid";
		check_bytes(w, &w->items[i]);
	}
	if (!ttmpool_manager_is_valid(&w->mgr))
		w->wrong = "the manager is not valid";
}
