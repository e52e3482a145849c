// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Backup: S11. A driver that stores the contents of pages itself strips them to ordinary
 * pages, and gives the system whole chunks or the beginning of one; it makes the rest
 * ready for the device again.
 */

#include <ttmpool/backup.h>

#include "rig.h"

#define N      21 /* chunks of 16, 4 and 1 pages */
#define LARGE  16 /* pages of the first chunk */
#define TICKET 86
#define SEED   0x35

/* A buffer, and its array of pages. */
struct held {
	struct rig *rig;
	struct ttmpool_pool *pool;
	struct ttmpool_owner owner;
	struct ttmpool_request req;
	tpos_page_t *pages[N];
	tpos_dma_addr_t addr[N];
};

/* Take N pages and write to all of them. @mapped: map them for the device. */
static struct held *hold_pages(struct check *t, enum ttmpool_source source,
			       bool mapped)
{
	struct held *held = check_zalloc(t, sizeof(*held));

	if (!held)
		return NULL;
	held->rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	if (!held->rig)
		return NULL;
	held->pool = &held->rig->pool[0];
	ttmpool_owner_init(&held->owner, "who backs up");
	held->req = (struct ttmpool_request){ .source = source,
					      .caching = TTMPOOL_WRITE_COMBINED,
					      .num_pages = N,
					      .owner = &held->owner,
					      .ticket = TICKET };
	if (ttmpool_pool_take(held->pool, &held->req, held->pages,
			      mapped ? held->addr : NULL))
		return NULL;
	for (size_t i = 0; i < N; i++) {
		if (!check_fill(t, held->pages[i], TTMPOOL_WRITE_COMBINED,
				(unsigned char)(SEED + i)))
			return NULL;
		if (mapped)
			check_sync(t, held->rig->dev[0], held->pages[i],
				   held->addr[i]);
	}
	return held;
}

static struct held *hold(struct check *t, bool mapped)
{
	return hold_pages(t, TTMPOOL_PLAIN, mapped);
}

static int strip(struct held *held)
{
	return ttmpool_pool_strip(held->pool, held->pages, N, TICKET);
}

static int give_up(struct held *held, size_t first, size_t n)
{
	return ttmpool_pool_give_up(held->pool, held->pages + first, n, TICKET);
}

/* Do the pages from @first on have that caching, and their own bytes? */
static bool pages_are(struct check *t, struct held *held, size_t first,
		      enum ttmpool_caching caching)
{
	for (size_t i = first; i < N; i++)
		if (check_caching(t, held->pages[i]) != caching ||
		    !check_holds(t, held->pages[i], caching,
				 (unsigned char)(SEED + i)))
			return false;
	return true;
}

/* Does the device find the bytes at the addresses in the array? */
static bool device_finds(struct check *t, struct held *held)
{
	for (size_t i = 0; i < N; i++)
		if (!check_device_holds(t, held->rig->dev[0], held->addr[i],
					(unsigned char)(SEED + i)))
			return false;
	return true;
}

static unsigned long owned(struct held *held, enum ttmpool_account account)
{
	return ttmpool_owner_pages(&held->owner, account);
}

/* Nothing is left of the buffer, and nothing is pooled. */
static bool is_gone(struct check *t, struct held *held)
{
	return !owned(held, TTMPOOL_IN_USE) &&
	       !rig_stats(held->rig).pages_pooled && !check_pages_out(t) &&
	       rig_close(t, held->rig);
}

/* Stripped pages are write-back and not mapped; they keep their contents and stay in
 * use. */
static void s11_stripped_pages_are_ordinary(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, owned(held, TTMPOOL_MAPPED), N);
	CHECK_EQ(t, strip(held), 0);
	CHECK(t, pages_are(t, held, 0, TTMPOOL_CACHED));
	CHECK_EQ(t, rig_stats(held->rig).bytes_mapped, 0);
	CHECK_EQ(t, rig_stats(held->rig).bytes_copied, 0);
	CHECK_EQ(t, owned(held, TTMPOOL_MAPPED), 0);
	CHECK_EQ(t, owned(held, TTMPOOL_ANONYMOUS), N);
	CHECK_EQ(t, owned(held, TTMPOOL_IN_USE), N);
	CHECK(t, rig_is_quiet(t, held->rig));
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

/* A strip needs one unmap and one caching change for all pages. */
static void s05_a_strip_is_one_batch_of_each_kind(struct check *t)
{
	struct held *held = hold(t, true);
	struct ttmpool_pool_stats before;

	CHECK(t, held);
	before = rig_stats(held->rig);
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t, rig_stats(held->rig).unmap_batches,
		 before.unmap_batches + 1);
	CHECK_EQ(t, rig_stats(held->rig).caching_batches,
		 before.caching_batches + 1);
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK_EQ(t, rig_stats(held->rig).caching_batches,
		 before.caching_batches + 1);
	CHECK(t, is_gone(t, held));
}

/* Stripped coherent pages become write-back and stay mapped. */
static void s11_coherent_pages_stay_mapped(struct check *t)
{
	struct held *held = hold_pages(t, TTMPOOL_COHERENT, true);

	CHECK(t, held);
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t, owned(held, TTMPOOL_MAPPED), N);
	CHECK_EQ(t, owned(held, TTMPOOL_ANONYMOUS), 0);
	CHECK(t, pages_are(t, held, 0, TTMPOOL_CACHED));
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

/* Ready undoes a strip: the pages are mapped again with the same bytes, and are pooled
 * when they are given back. */
static void s11_ready_undoes_a_strip(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, strip(held), 0);
	for (size_t i = 0; i < N; i++)
		held->addr[i] = 0;
	CHECK_EQ(t,
		 ttmpool_pool_ready(held->pool, &held->req, held->pages,
				    held->addr),
		 0);
	CHECK(t, pages_are(t, held, 0, TTMPOOL_WRITE_COMBINED));
	CHECK(t, device_finds(t, held));
	CHECK_EQ(t, owned(held, TTMPOOL_MAPPED), N);
	CHECK_EQ(t, owned(held, TTMPOOL_ANONYMOUS), 0);
	CHECK_EQ(t,
		 ttmpool_pool_give_ticket(held->pool, held->pages, N,
					  TTMPOOL_WRITE_COMBINED, TICKET),
		 0);
	CHECK_EQ(t, rig_stats(held->rig).pages_pooled, N);
	CHECK(t, rig_close(t, held->rig));
}

/* Ready without an array for addresses maps nothing. */
static void s04_ready_maps_if_it_is_asked_to(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t,
		 ttmpool_pool_ready(held->pool, &held->req, held->pages, NULL),
		 0);
	CHECK_EQ(t, rig_stats(held->rig).bytes_mapped, 0);
	CHECK(t, pages_are(t, held, 0, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

/* Ready does not touch pages that are ready already. */
static void s05_what_is_ready_costs_nothing(struct check *t)
{
	struct held *held = hold(t, true);
	struct ttmpool_pool_stats before;

	CHECK(t, held);
	before = rig_stats(held->rig);
	CHECK_EQ(t,
		 ttmpool_pool_ready(held->pool, &held->req, held->pages,
				    held->addr),
		 0);
	CHECK_EQ(t, rig_stats(held->rig).map_batches, before.map_batches);
	CHECK_EQ(t, rig_stats(held->rig).caching_batches,
		 before.caching_batches);
	CHECK(t, device_finds(t, held));
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

/* If the limit has no room for the mappings, the pages stay ordinary, and no other
 * mapping is ended for them. */
static void s06_ready_takes_nothing_from_others(struct check *t)
{
	struct held *held = hold(t, true);
	struct ttmpool_request all = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 4 };
	struct ttmpool_pool *pool;
	uint64_t limit;

	CHECK(t, held);
	pool = held->pool;
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t, ttmpool_pool_prime(pool, &all, true), 0);
	limit = pool->mapped_limit;
	pool->mapped_limit = rig_stats(held->rig).bytes_mapped + 1;
	CHECK_EQ(t,
		 ttmpool_pool_ready(pool, &held->req, held->pages, held->addr),
		 -ENOSPC);
	pool->mapped_limit = limit;
	CHECK(t, pages_are(t, held, 0, TTMPOOL_CACHED));
	CHECK_EQ(t, owned(held, TTMPOOL_ANONYMOUS), N);
	CHECK_EQ(t, ttmpool_pool_drain(pool), 4);
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

/* Pages that are given up return to the system even if the policy would pool them. */
static void s11_what_is_given_up_is_not_pooled(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK_EQ(t, rig_stats(held->rig).pages_released, N);
	CHECK_EQ(t, rig_stats(held->rig).bytes_mapped, 0);
	CHECK(t, is_gone(t, held));
}

/* An array with holes where chunks were given up still names the other chunks. */
static void s11_holes_are_passed_over(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, give_up(held, LARGE, 4), 0);
	for (size_t i = LARGE; i < LARGE + 4; i++)
		held->pages[i] = NULL;
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t,
		 ttmpool_pool_ready(held->pool, &held->req, held->pages,
				    held->addr),
		 0);
	CHECK(t, check_device_holds(t, held->rig->dev[0], held->addr[N - 1],
				    SEED + N - 1));
	CHECK_EQ(t, owned(held, TTMPOOL_MAPPED), N - 4);
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

static long give_up_part(struct held *held, size_t part)
{
	return ttmpool_pool_give_up_part(held->pool, held->pages, LARGE, part,
					 TICKET);
}

/* The first pages of a chunk are given up; the contents of the others stay in place. */
static void s11_a_part_of_a_chunk_goes(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t, give_up_part(held, 5), 5);
	CHECK_EQ(t, owned(held, TTMPOOL_IN_USE), N - 5);
	CHECK_EQ(t, check_pages_out(t), N - 5);
	CHECK(t, pages_are(t, held, 5, TTMPOOL_CACHED));
	CHECK(t, rig_is_quiet(t, held->rig));
	CHECK_EQ(t, give_up(held, 5, N - 5), 0);
	CHECK(t, is_gone(t, held));
}

/* The rest of a chunk can be made ready for the device again. */
static void s11_the_rest_of_a_chunk_is_made_ready(struct check *t)
{
	struct held *held = hold(t, true);

	CHECK(t, held);
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t, give_up_part(held, 3), 3);
	for (size_t i = 0; i < 3; i++)
		held->pages[i] = NULL;
	CHECK_EQ(t,
		 ttmpool_pool_ready(held->pool, &held->req, held->pages,
				    held->addr),
		 0);
	CHECK(t, pages_are(t, held, 3, TTMPOOL_WRITE_COMBINED));
	CHECK(t, check_device_holds(t, held->rig->dev[0], held->addr[3],
				    SEED + 3));
	CHECK_EQ(t,
		 ttmpool_pool_give_ticket(held->pool, held->pages + 3, N - 3,
					  TTMPOOL_WRITE_COMBINED, TICKET),
		 0);
	CHECK_EQ(t, rig_stats(held->rig).pages_pooled, N - 3);
	CHECK(t, rig_close(t, held->rig));
}

/* A chunk of 16 is halved once to give up 8 of its pages, twice for 4 or 12, and four
 * times for an odd number. */
static void s11_a_chunk_is_halved_as_often_as_needed(struct check *t)
{
	static const unsigned char splits[LARGE] = { 0, 4, 3, 4, 2, 4, 3, 4,
						     1, 4, 3, 4, 2, 4, 3, 4 };

	for (size_t part = 1; part < LARGE; part++) {
		struct held *held = hold(t, false);

		CHECK(t, held);
		CHECK_EQ(t, strip(held), 0);
		CHECK_EQ(t, give_up_part(held, part), part);
		CHECK_EQ(t, rig_stats(held->rig).splits, splits[part]);
		CHECK_EQ(t, give_up(held, part, N - part), 0);
		CHECK(t, is_gone(t, held));
	}
}

/* A part is at least one page of one chunk, and not all of it. */
static void s09_what_is_no_part_is_refused(struct check *t)
{
	struct held *held = hold(t, false);
	tpos_page_t *holes[LARGE + 1] = { NULL };
	struct ttmpool_pool *pool;

	CHECK(t, held);
	pool = held->pool;
	CHECK_EQ(t, strip(held), 0);
	CHECK_EQ(t, give_up_part(held, 0), -EINVAL);
	CHECK_EQ(t, give_up_part(held, LARGE), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give_up_part(pool, held->pages, N, 3, TICKET),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give_up_part(pool, held->pages, LARGE, 3, 4),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give_up_part(pool, holes, LARGE, 3, TICKET),
		 -EINVAL);
	memcpy(holes + 1, held->pages, LARGE * sizeof(*holes));
	CHECK_EQ(t,
		 ttmpool_pool_give_up_part(pool, holes, LARGE + 1, 3, TICKET),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give_up_part(pool, NULL, LARGE, 3, TICKET),
		 -EINVAL);
	CHECK_EQ(t, rig_stats(held->rig).splits, 0);
	CHECK_EQ(t, owned(held, TTMPOOL_IN_USE), N);
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

/* A part of a chunk is refused if the chunk is mapped, not write-back, or coherent. */
static void s09_a_part_is_of_ordinary_pages(struct check *t)
{
	static const enum ttmpool_source sources[] = { TTMPOOL_PLAIN,
						       TTMPOOL_COHERENT };

	for (size_t i = 0; i < 2; i++) {
		struct held *held = hold_pages(t, sources[i], true);
		struct ttmpool_request two = { .source = sources[i],
					       .num_pages = 2 };

		CHECK(t, held);
		CHECK(t, give_up_part(held, 3) < 0);
		CHECK(t, pages_are(t, held, 0, TTMPOOL_WRITE_COMBINED));
		CHECK_EQ(t, give_up(held, 0, N), 0);
		two.caching = TTMPOOL_CACHED;
		CHECK_EQ(t,
			 ttmpool_pool_take(held->pool, &two, held->pages,
					   held->addr),
			 0);
		CHECK_EQ(t,
			 ttmpool_pool_give_up_part(held->pool, held->pages, 2,
						   1, 0),
			 -EINVAL);
		CHECK_EQ(t, ttmpool_pool_give_up(held->pool, held->pages, 2, 0),
			 0);
		CHECK(t, is_gone(t, held));
	}
}

/* Each operation refuses pages of another pool or of another ticket, and a part of a
 * chunk, and changes nothing. */
static void s09_only_ones_own_pages_are_backed_up(struct check *t)
{
	struct held *held = hold(t, true);
	struct ttmpool_request req;
	struct ttmpool_pool *pool, *other;

	CHECK(t, held);
	pool = held->pool;
	other = &held->rig->pool[1];
	req = held->req;
	CHECK_EQ(t, ttmpool_pool_strip(other, held->pages, N, TICKET), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_strip(pool, held->pages, N, 4), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_strip(pool, held->pages, 15, TICKET), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give_up(other, held->pages, N, TICKET),
		 -EINVAL);
	CHECK_EQ(t, give_up(held, 1, N - 1), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_ready(other, &req, held->pages, NULL),
		 -EINVAL);
	CHECK(t, device_finds(t, held));
	CHECK(t, pages_are(t, held, 0, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK_EQ(t, give_up(held, 0, N), -EINVAL);
	CHECK(t, is_gone(t, held));
}

/* A call that names no page, or no caching, is refused. */
static void f32_a_backup_of_nothing_is_refused(struct check *t)
{
	struct held *held = hold(t, false);
	struct ttmpool_request req;

	CHECK(t, held);
	req = held->req;
	CHECK_EQ(t, ttmpool_pool_strip(held->pool, NULL, N, TICKET), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_strip(held->pool, held->pages, 0, TICKET),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give_up(held->pool, NULL, N, TICKET), -EINVAL);
	CHECK_EQ(t, give_up(held, 0, 0), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_ready(held->pool, &req, NULL, NULL), -EINVAL);
	req.caching = TTMPOOL_CACHING_COUNT;
	CHECK_EQ(t, ttmpool_pool_ready(held->pool, &req, held->pages, NULL),
		 -EINVAL);
	CHECK(t, pages_are(t, held, 0, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t, give_up(held, 0, N), 0);
	CHECK(t, is_gone(t, held));
}

CHECK_SUITE(backup, CHECK_CASE(s11_stripped_pages_are_ordinary),
	    CHECK_CASE(s05_a_strip_is_one_batch_of_each_kind),
	    CHECK_CASE(s11_coherent_pages_stay_mapped),
	    CHECK_CASE(s11_ready_undoes_a_strip),
	    CHECK_CASE(s04_ready_maps_if_it_is_asked_to),
	    CHECK_CASE(s05_what_is_ready_costs_nothing),
	    CHECK_CASE(s06_ready_takes_nothing_from_others),
	    CHECK_CASE(s11_what_is_given_up_is_not_pooled),
	    CHECK_CASE(s11_holes_are_passed_over),
	    CHECK_CASE(s11_a_part_of_a_chunk_goes),
	    CHECK_CASE(s11_the_rest_of_a_chunk_is_made_ready),
	    CHECK_CASE(s11_a_chunk_is_halved_as_often_as_needed),
	    CHECK_CASE(s09_what_is_no_part_is_refused),
	    CHECK_CASE(s09_a_part_is_of_ordinary_pages),
	    CHECK_CASE(s09_only_ones_own_pages_are_backed_up),
	    CHECK_CASE(f32_a_backup_of_nothing_is_refused));
