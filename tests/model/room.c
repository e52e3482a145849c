// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a request for pages may rely on, as seen from outside:
 *
 *     served     a request that fits the budgets, when all that is only kept has gone, is
 *                not refused while the machine has memory; the pool's own reserve goes
 *                for it, too
 *     pooled     pooled pages of the kind serve, whatever memory the machine has
 *     prepared   and if the pool was prepared, the machine is not even asked
 *     hopeless   a request that can never fit is refused, and no pool loses a page or a
 *                mapping
 *     free       a request that needs nothing of others costs them nothing
 *     whole      fresh pages come in the fewest chunks
 *     few        room is made at once, not page by page; and if addresses are in pieces,
 *                no more mappings go than needed
 *     in time    a request that waits gives up when its time is over, neither before nor
 *                after, and is not refused while it could wait
 */

#include "world.h"

/* With so many free pages the machine has enough, however fragmented they are. */
#define PLENTY 128

/* How much longer than its wait a step may last, in simulated milliseconds: its own work,
 * and the naps of a lazy IOMMU. */
#define WORK_MS 20
#define LAZY_MS 130

/* The flushes of one request: its own change of caching; and in each pool the pages that
 * go for other pools, those that go for itself, and those that exceed the limit then. */
#define MOST_FLUSHES (1 + 3 * NR_POOLS)

static unsigned long reserved(const struct world *w, int pool)
{
	return w->reserve[pool] ? w->reserve[pool] + (1ul << MAX_ORDER) - 1 : 0;
}

/* Returns the chunk that this page is in, if it is pooled. A chunk begins at a multiple
 * of its size. */
static const struct ttmpool_chunk *pooled_with(struct world *w,
					       const tpos_page_t *page)
{
	tpos_page_t *first = tpsim_page_of_system(w->machine);
	size_t index = (size_t)(page - first);

	for (unsigned int order = 0; order <= MAX_ORDER; order++) {
		const struct ttmpool_chunk *chunk = tpos_page_chunk(
			w->dev[0], first + (index >> order << order));

		if (chunk && chunk->order >= order)
			return chunk->state == TTMPOOL_CHUNK_POOLED ? chunk
								    : NULL;
	}
	return NULL;
}

/* Does the chunk have another poisoned page, which was counted before this one? */
static bool is_counted(const struct world *w, int poison,
		       const struct ttmpool_chunk *chunk)
{
	for (int i = 0; i < poison; i++)
		if (w->poison[i].page >= chunk->page &&
		    w->poison[i].page < chunk->page + (1ul << chunk->order))
			return true;
	return false;
}

/* Returns the number of pages in those pooled chunks of a pool that have a poisoned page.
 * They are quarantined when they go, and make no room. */
unsigned long poison_pooled(struct world *w, int pool)
{
	unsigned long pages = 0;

	for (int i = 0; i < w->poisoned; i++) {
		const struct ttmpool_chunk *chunk =
			pooled_with(w, w->poison[i].page);

		if (chunk && chunk->pool == &w->pool[pool] &&
		    !is_counted(w, i, chunk))
			pages += 1ul << chunk->order;
	}
	return pages;
}

bool is_poison_pooled(struct world *w)
{
	for (int i = 0; i < NR_POOLS; i++)
		if (poison_pooled(w, i))
			return true;
	return false;
}

/* Returns how many pages of a pool can go for others, and are sound, at least. A pool
 * with a reserve gives up whole chunks, and perhaps none of these if poisoned ones are in
 * the way. */
unsigned long sound_can_go(struct world *w, int pool)
{
	unsigned long pages = can_go(w, pool), bad = poison_pooled(w, pool);

	if (!bad)
		return pages;
	return w->reserve[pool] || pages < bad ? 0 : pages - bad;
}

static bool is_plenty(struct world *w)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(w->machine, &ledger);
	return ledger.free_pages >= PLENTY;
}

static bool fits_pages(struct world *w, int pool, size_t n)
{
	struct ttmpool_manager_stats stats;
	struct ttmpool_pool_stats own;
	unsigned long gone;

	ttmpool_manager_stats(&w->mgr, &stats);
	ttmpool_pool_stats(&w->pool[pool], &own);
	gone = (unsigned long)own.pages_pooled - poison_pooled(w, pool) +
	       sound_can_go(w, !pool);
	return stats.pages - gone + n <= w->page_budget && is_plenty(w) &&
	       !stats.pages_quarantined;
}

/* Returns how many pages the device of this pool may have mapped, by its address
 * budget. */
static unsigned long most_mapped(const struct world *w)
{
	return w->shares_iova ? MAPPED_LIMIT : ULONG_MAX;
}

/* The same by the machine's address space. Page 0 is never used. */
static unsigned long most_addresses(const struct world *w)
{
	unsigned long space =
		(unsigned long)(w->config.iova_bytes >> w->page_shift);

	return space ? space - 1 : ULONG_MAX;
}

/* Do the budgets have room for so many mappings besides all existing ones? */
static bool fits_beside(struct world *w, int pool, size_t n)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(&w->pool[pool], &stats);
	return !w->config.swiotlb_force &&
	       ttmpool_iova_pages(w->pool[pool].iova) + n <= most_mapped(w) &&
	       (!pool ||
		((stats.bytes_mapped + stats.bytes_held) >> w->page_shift) +
				n <=
			POOL_LIMIT_B);
}

bool holds_addresses(const struct world *w)
{
	return w->config.shared_iova && w->config.iommu == TPSIM_IOMMU_STRICT;
}

/* Is there room for so many mappings, besides those that are in use or reserved by the
 * other pool? If addresses may be held, only if no mapping has to end for it. */
static bool fits_mapped(struct world *w, int pool, size_t n)
{
	unsigned long own = w->mapped_in_use[pool] + n, all = own;

	if (holds_addresses(w))
		return !w->config.iova_bytes && fits_beside(w, pool, n);
	if (w->shares_iova)
		all += w->mapped_in_use[!pool] + reserved(w, !pool);
	if (all > most_mapped(w))
		return false;
	if (w->one_device && !w->shares_iova)
		all += w->mapped_in_use[!pool] + reserved(w, !pool);
	else if (!w->one_device)
		all = own;
	return !w->config.swiotlb_force && all <= most_addresses(w) &&
	       (!pool || own <= POOL_LIMIT_B);
}

/* Returns how many pages of the kind the pool has. */
static size_t pooled_of_kind(struct world *w, int pool,
			     const struct ttmpool_request *req)
{
	size_t pages = 0;

	for (unsigned int order = 0; order <= MAX_ORDER; order++)
		pages += ttmpool_pool_count(&w->pool[pool], req->source,
					    req->caching, order)
			 << order;
	return pages;
}

static void room_note(struct world *w, int pool, struct had *had)
{
	struct ttmpool_manager_stats stats;
	struct ttmpool_pool_stats own;
	struct tpsim_counters counters;

	ttmpool_manager_stats(&w->mgr, &stats);
	tpsim_counters(w->machine, &counters);
	had->swapped = stats.pages_swapped;
	had->flushes = counters.tlb_flushes;
	had->unmaps = 0;
	for (int i = 0; i < NR_POOLS; i++) {
		ttmpool_pool_stats(&w->pool[i], &own);
		had->pooled[i] = (unsigned long)own.pages_pooled;
		had->unmaps += own.unmaps;
		if (i != pool)
			continue;
		had->fresh = own.pages_fresh;
		had->fallbacks = own.fallbacks;
	}
}

/* Can the request be served without any pool giving up a page? */
static bool is_free(struct world *w, size_t n)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&w->mgr, &stats);
	return stats.pages + n <= w->page_budget &&
	       stats.pages_pooled <= w->pool_limit && is_plenty(w) &&
	       !stats.pages_quarantined && !is_poison_pooled(w) &&
	       !w->config.swiotlb_force;
}

void room_before(struct world *w, const struct ttmpool_request *req,
		 bool mapped, const struct ttmpool_pool *of)
{
	int pool = of == &w->pool[1];
	struct room *room = &w->room;
	struct ttmpool_manager_stats stats;
	size_t n = req->num_pages, pooled = pooled_of_kind(w, pool, req);
	bool maps = !mapped || fits_mapped(w, pool, n);

	ttmpool_manager_stats(&w->mgr, &stats);
	room->sound = !stats.pages_quarantined;
	room->alone = true;
	room->hopeless = n > w->page_budget;
	room->fits = maps && fits_pages(w, pool, n);
	room->pooled = req->source == TTMPOOL_PLAIN && pooled >= n && maps &&
		       !is_poison_pooled(w) && stats.pages <= w->page_budget;
	room->lacks = pooled < n && !w->prepared[pool] &&
		      w->config.nr_nodes == 1;
	room->few = is_free(w, n) && (!mapped || fits_beside(w, pool, n));
	room->free = room->few && (!mapped || !w->config.iova_bytes);
	if (mapped && w->config.iova_bytes && holds_addresses(w))
		room->few = false;
	room->start_ms = tpos_now_ms(w->machine);
	room_note(w, pool, &room->had);
}

static bool nothing_went(const struct had *before, const struct had *after)
{
	for (int i = 0; i < NR_POOLS; i++)
		if (before->pooled[i] != after->pooled[i])
			return false;
	return after->swapped == before->swapped &&
	       after->unmaps == before->unmaps;
}

/* Returns the fewest chunks that so many pages can be in. */
static size_t fewest(size_t pages, unsigned int max_order)
{
	size_t n = pages >> max_order;

	for (pages -= n << max_order; pages; pages &= pages - 1)
		n++;
	return n;
}

static void check_whole(struct world *w, const struct ttmpool_request *req,
			int pool, tpos_page_t *const *pages)
{
	size_t chunks = 0;

	for (size_t i = 0; i < req->num_pages; i++)
		chunks += tpos_page_chunk(w->dev[pool], pages[i]) != NULL;
	if (chunks >
	    fewest(req->num_pages, w->pool[pool].max_order[req->source]))
		w->wrong = "what was made is in more pieces than it must be";
}

/* So many mappings may end if the machine has no addresses for so many pages: as many for
 * each order above single pages; then there are enough for single pages. */
static size_t most_given_up(size_t pages)
{
	size_t orders = 0;

	while (pages >> (orders + 1))
		orders++;
	return orders ? orders * pages : pages;
}

/* The request was served: what did that cost others? */
static void check_cost(struct world *w, const struct ttmpool_request *req,
		       int pool, const struct had *after)
{
	const struct room *room = &w->room;
	const struct had *had = &room->had;

	if (room->pooled && w->prepared[pool] &&
	    req->num_pages <= w->reserve[pool] && after->fresh != had->fresh)
		w->wrong = "the system was asked for what was prepared";
	if (room->free &&
	    (after->swapped != had->swapped ||
	     after->pooled[!pool] != had->pooled[!pool] ||
	     after->pooled[pool] + req->num_pages < had->pooled[pool]))
		w->wrong = "others lost pages for nothing";
	if (room->few && after->swapped == had->swapped &&
	    after->unmaps > had->unmaps + most_given_up(req->num_pages))
		w->wrong = "more mappings were given up than it took";
	if (room->sound && after->swapped == had->swapped &&
	    after->flushes > had->flushes + MOST_FLUSHES)
		w->wrong = "room was made piece by piece";
}

void room_after(struct world *w, const struct ttmpool_request *req, int err,
		const struct ttmpool_pool *of, tpos_page_t *const *pages)
{
	int pool = of == &w->pool[1];
	const struct room *room = &w->room;
	struct had after;

	room_note(w, pool, &after);
	room_time(w, req->wait_ms, err, room->start_ms);
	room_waited(w, req->num_pages, req->wait_ms, err);
	if (room->hopeless &&
	    (err != -ENOMEM || !nothing_went(&room->had, &after)))
		w->wrong = "what never fits was not refused at once";
	if (w->disturbed)
		return;
	if (err && room->fits)
		w->wrong = "refused, though there was room";
	if (err && room->pooled)
		w->wrong = "refused, though it was pooled";
	if (err || !room->alone)
		return;
	check_cost(w, req, pool, &after);
	if (room->free && room->lacks && after.fallbacks == room->had.fallbacks)
		check_whole(w, req, pool, pages);
}

void room_time(struct world *w, unsigned int wait_ms, int err,
	       uint64_t start_ms)
{
	uint64_t passed = tpos_now_ms(w->machine) - start_ms;
	unsigned int most = wait_ms + WORK_MS;

	if (w->config.iommu == TPSIM_IOMMU_LAZY)
		most += LAZY_MS;
	if (err == -ETIMEDOUT && passed < wait_ms)
		w->wrong = "gave up before its time was over";
	if (passed > most)
		w->wrong = "went on after its time was over";
}

void room_waited(struct world *w, size_t pages, unsigned int wait_ms, int err)
{
	if (!wait_ms || w->disturbed || pages > w->page_budget)
		return;
	if (err == -ENOSPC || (err == -ENOMEM && is_plenty(w)))
		w->wrong = "refused, though it could wait";
}
