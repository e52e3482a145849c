// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reports: what is found wrong is counted and reported. The words for each finding are
 * here, and not in a port, so that the same finding reads the same in a kernel log and in a
 * test.
 */

#include "pool_internal.h"

static const char *const names[TTMPOOL_REPORT_KIND_COUNT] = {
	[TTMPOOL_REPORT_FOREIGN] = "not a page of this pool",
	[TTMPOOL_REPORT_DOUBLE] = "given back, but not in use",
	[TTMPOOL_REPORT_WRONG_ORDER] = "not the whole chunk, in order",
	[TTMPOOL_REPORT_WRONG_CACHING] = "given back as of another caching",
	[TTMPOOL_REPORT_IN_USE] = "still in use at teardown",
	[TTMPOOL_REPORT_QUARANTINED] = "cannot be made write-back, quarantined",
	[TTMPOOL_REPORT_BAD_ADDRESS] = "DMA address that cannot be",
	[TTMPOOL_REPORT_POISONED] = "poisoned by the hardware, quarantined",
	[TTMPOOL_REPORT_WRITTEN] = "written to after it was given back",
	[TTMPOOL_REPORT_STALE] = "given back, but another buffer's by now",
	[TTMPOOL_REPORT_CORRUPTED] = "contents are not what was stored",
};

const char *ttmpool_report_name(enum ttmpool_report_kind kind)
{
	if ((unsigned int)kind >= TTMPOOL_REPORT_KIND_COUNT)
		return "unknown";
	return names[kind];
}

/* Returns whether the chunk is in use, or was until its pool ended. */
static bool chunk_is_used(const struct ttmpool_chunk *chunk,
			  enum ttmpool_report_kind kind)
{
	return chunk->state == TTMPOOL_CHUNK_IN_USE ||
	       kind == TTMPOOL_REPORT_IN_USE;
}

/* Returns how many tickets the pool has issued since @ticket; 0 if the pool did not issue
 * @ticket, because then its age is not known. */
static uint32_t ticket_age(struct ttmpool_pool *pool, uint32_t ticket)
{
	uint32_t issued = (uint32_t)tpos_atomic_read(&pool->tickets);
	uint32_t since = issued * (TICKET_FLAGS + 1) - (ticket & ~TICKET_FLAGS);

	return ticket & TICKET_ISSUED ? since / (TICKET_FLAGS + 1) : 0;
}

/* Returns the name of the owner that the chunk has or had last; NULL if that is not known.
 * A former owner may be gone. Only its name is left, and only where the chunk remembers it. */
static const char *chunk_owner_name(const struct ttmpool_chunk *chunk,
				    enum ttmpool_report_kind kind)
{
	if (chunk->flags & TTMPOOL_CHUNK_REMEMBERS)
		return chunk_named(chunk)->last_owner;
	if (!chunk_is_used(chunk, kind))
		return NULL;
	return chunk->owner ? chunk->owner->name : NULL;
}

/* Writes to the report what is true of a chunk. The chunk must not change meanwhile: either
 * no other thread can see it, or the caller holds the pool's lock. */
void ttmpool_report_describe(struct ttmpool_pool *pool,
			     const struct ttmpool_chunk *chunk,
			     struct ttmpool_report *report)
{
	report->page = chunk->page;
	report->order = chunk->order;
	report->caching = (enum ttmpool_caching)chunk->caching;
	report->owner = chunk_owner_name(chunk, report->kind);
	if (chunk_is_used(chunk, report->kind))
		report->age = ticket_age(pool, chunk->ticket);
	else if (chunk->state == TTMPOOL_CHUNK_POOLED)
		report->age = (uint32_t)pages_of(&pool->mgr->gives) -
			      (uint32_t)chunk->age;
	if (chunk->flags & TTMPOOL_CHUNK_MAPPED)
		report->dma_addr = tpos_dma_address(&chunk->dma);
}

/*
 * Counts a finding and reports it. @chunk: what it is about, which no other thread can see,
 * or NULL. @where: index and page, for a finding about an array.
 */
void ttmpool_pool_report(struct ttmpool_pool *pool,
			 enum ttmpool_report_kind kind,
			 const struct ttmpool_chunk *chunk,
			 const struct ttmpool_report *where)
{
	struct ttmpool_report report = { .order = -1,
					 .caching = TTMPOOL_CACHING_UNKNOWN };

	tpos_assert((unsigned int)kind < TTMPOOL_REPORT_KIND_COUNT);
	if (where)
		report = *where;
	report.kind = kind;
	report.pool = pool->name;
	tpos_spin_lock(&pool->lock);
	pool->stats.refused[kind]++;
	if (chunk)
		ttmpool_report_describe(pool, chunk, &report);
	tpos_spin_unlock(&pool->lock);
	tpos_report(pool->mgr->system, &report);
}
