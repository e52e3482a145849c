// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Magazines: chunks at hand for one owner. A get does not call the pool while there are
 * enough chunks, nobody else has access to them, and no page is lost.
 */

#include <ttmpool/magazine.h>

#include "rig.h"

#define ROOM 16
#define HALF (ROOM / 2)

struct site {
	struct rig *rig;
	struct ttmpool_owner owner;
	struct ttmpool_chunk *chunks[ROOM];
	struct ttmpool_chunk *out[ROOM];
	struct ttmpool_magazine mag;
};

static struct ttmpool_magazine_config config_of(struct site *site)
{
	return (struct ttmpool_magazine_config){
		.pool = &site->rig->pool[0],
		.caching = TTMPOOL_WRITE_COMBINED,
		.order = 1,
		.mapped = true,
		.owner = &site->owner,
		.chunks = site->chunks,
		.room = ROOM,
	};
}

static struct site *open_with(struct check *t, const struct rig_config *rig)
{
	struct site *site = check_zalloc(t, sizeof(*site));
	struct ttmpool_magazine_config config;

	if (!site)
		return NULL;
	site->rig = rig_open(t, rig);
	if (!site->rig)
		return NULL;
	ttmpool_owner_init(&site->owner, "ring");
	config = config_of(site);
	return ttmpool_magazine_init(&site->mag, &config) ? NULL : site;
}

static struct site *open_site(struct check *t)
{
	return open_with(t, &(struct rig_config){ 0 });
}

static bool close_site(struct check *t, struct site *site)
{
	ttmpool_magazine_fini(&site->mag);
	return !ttmpool_owner_fini(&site->owner) && rig_close(t, site->rig);
}

/* If the budget has room for the chunks of a get, but not for half a magazine, the get
 * succeeds. */
static void what_there_is_for_a_get_is_had(struct check *t)
{
	struct site *site =
		open_with(t, &(struct rig_config){ .page_budget = 6 });

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 2), 0);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 4);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out + 2, 2),
		 -ENOMEM);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out + 2, 1), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 3), 0);
	CHECK(t, close_site(t, site));
}

/* If the budget has room for the chunks of a get, nothing that is pooled goes for the other
 * chunks that a magazine would hold. */
static void what_nobody_asked_for_costs_nobody_anything(struct check *t)
{
	struct ttmpool_request other = { .caching = TTMPOOL_UNCACHED,
					 .num_pages = 4 };
	struct site *site =
		open_with(t, &(struct rig_config){ .page_budget = 2 * HALF });

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_pool_prime(&site->rig->pool[0], &other, false), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 2);
	CHECK_EQ(t, rig_stats(site->rig).pages_pooled, 4);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK(t, close_site(t, site));
}

/* The chunks of a get are of the requested kind, zero, and charged to the owner. */
static void magazines_have_what_they_are_for(struct check *t)
{
	struct site *site = open_site(t);

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 3), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(t, site->out[i]->order, 1);
		CHECK_EQ(t, site->out[i]->caching, TTMPOOL_WRITE_COMBINED);
		CHECK(t, site->out[i]->flags & TTMPOOL_CHUNK_MAPPED);
		CHECK(t, check_holds(t, site->out[i]->page,
				     TTMPOOL_WRITE_COMBINED, 0));
	}
	CHECK_EQ(t, ttmpool_owner_pages(&site->owner, TTMPOOL_IN_USE),
		 2 * HALF);
	CHECK(t, rig_is_quiet(t, site->rig));
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 3), 0);
	CHECK(t, close_site(t, site));
}

/* Once the magazine is filled, gets and puts do not call the pool. */
static void a_filled_magazine_asks_nothing_of_the_pool(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_pool_stats before, after;

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	before = rig_stats(site->rig);
	for (int i = 0; i < 100; i++) {
		CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, HALF),
			 0);
		CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, HALF),
			 0);
	}
	after = rig_stats(site->rig);
	CHECK_EQ(t, after.takes, before.takes);
	CHECK_EQ(t, after.gives, before.gives);
	CHECK_EQ(t, after.bytes_cleared, before.bytes_cleared);
	CHECK(t, close_site(t, site));
}

/* A page that one owner has written to is cleared before another owner gets it. */
static void what_an_owner_left_is_cleared_for_the_next(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_magazine_config config;
	struct ttmpool_owner other;

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK(t, check_fill(t, site->out[0]->page, TTMPOOL_WRITE_COMBINED, 7));
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	ttmpool_magazine_fini(&site->mag);

	ttmpool_owner_init(&other, "another");
	config = config_of(site);
	config.owner = &other;
	CHECK_EQ(t, ttmpool_magazine_init(&site->mag, &config), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, HALF), 0);
	for (int i = 0; i < HALF; i++)
		CHECK(t, check_holds(t, site->out[i]->page,
				     TTMPOOL_WRITE_COMBINED, 0));
	CHECK_EQ(t, rig_stats(site->rig).pages_fresh, 2 * HALF);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, HALF), 0);
	CHECK(t, close_site(t, site));
	CHECK_EQ(t, ttmpool_owner_fini(&other), 0);
}

/* A chunk may be put into another magazine than it came from; a full magazine gives half
 * of its chunks to the pool. */
static void a_full_magazine_gives_half_to_the_pool(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_chunk *chunks[ROOM];
	struct ttmpool_magazine_config config;
	struct ttmpool_magazine other;

	CHECK(t, site);
	config = config_of(site);
	config.chunks = chunks;
	CHECK_EQ(t, ttmpool_magazine_init(&other, &config), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, HALF),
			 0);
		CHECK_EQ(t, ttmpool_magazine_put(&other, site->out, HALF), 0);
	}
	CHECK_EQ(t, rig_stats(site->rig).pages_pooled, 2 * HALF);
	CHECK_EQ(t, ttmpool_owner_pages(&site->owner, TTMPOOL_IN_USE),
		 2 * ROOM);
	CHECK(t, rig_is_quiet(t, site->rig));
	ttmpool_magazine_fini(&other);
	CHECK(t, close_site(t, site));
}

/* When the shrinker runs, a magazine gives its chunks back at the next put. */
static void the_shrinker_recalls_what_magazines_hold(struct check *t)
{
	struct site *site = open_site(t);

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&site->rig->mgr, false), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&site->rig->mgr, false),
		 2 * HALF);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&site->rig->mgr, 1, false), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 0);
	CHECK(t, close_site(t, site));
}

/* It does so at the next get, too: the chunks that it held until then go first. */
static void a_get_answers_a_recall(struct check *t)
{
	struct site *site = open_site(t);

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 2), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 2), 0);
	CHECK_EQ(t, rig_stats(site->rig).gives, 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&site->rig->mgr, 1, false), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, rig_stats(site->rig).gives, 1);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK(t, close_site(t, site));
}

/* The get that answers a recall does not take back what has just gone: it gets only what was
 * asked for, and the system can have the rest. */
static void what_was_recalled_is_not_taken_back(struct check *t)
{
	struct site *site = open_site(t);

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&site->rig->mgr, 1, false), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out + 1, 2), 0);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 2 * 3);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&site->rig->mgr, false),
		 2 * (HALF - 3));
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 3), 0);
	CHECK(t, close_site(t, site));
}

/* The pool can hand out a chunk that a magazine held in an array, and take it back in
 * it. */
static void what_was_held_goes_in_an_array_next(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 2 };
	tpos_dma_addr_t addr[2];
	tpos_page_t *pages[2];

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	ttmpool_magazine_drain(&site->mag);
	CHECK_EQ(t, ttmpool_pool_take(&site->rig->pool[0], &req, pages, addr),
		 0);
	CHECK_EQ(t,
		 ttmpool_pool_give(&site->rig->pool[0], pages, 2, req.caching),
		 0);
	CHECK(t, close_site(t, site));
}

/* A get or put of more than half the room is refused. */
static void more_than_half_the_room_is_refused(struct check *t)
{
	struct site *site = open_site(t);

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, HALF + 1),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, HALF + 1),
		 -EINVAL);
	CHECK(t, close_site(t, site));
}

/* A config with an unknown kind, no owner, or too little room is refused. */
static void a_magazine_for_nothing_is_refused(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_magazine_config config[5];
	struct ttmpool_magazine mag;

	CHECK(t, site);
	for (int i = 0; i < 5; i++)
		config[i] = config_of(site);
	config[0].source = TTMPOOL_SOURCE_COUNT;
	config[1].caching = TTMPOOL_CACHING_COUNT;
	config[2].order = TTMPOOL_NR_ORDERS;
	config[3].owner = NULL;
	config[4].room = 1;
	for (int i = 0; i < 5; i++)
		CHECK_EQ(t, ttmpool_magazine_init(&mag, &config[i]), -EINVAL);
	CHECK(t, close_site(t, site));
}

/* A get without room in the budget fails, and leaves no page in use. */
static void chunks_of_another_order_will_not_do(struct check *t)
{
	struct site *site =
		open_with(t, &(struct rig_config){ .page_budget = HALF + 1 });

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, HALF), -ENOMEM);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 0);
	CHECK(t, close_site(t, site));
}

/* A get without address space fails with -ENOSPC, and leaves no page in use. */
static void without_address_space_there_are_none(struct check *t)
{
	struct site *site =
		open_with(t, &(struct rig_config){ .mapped_limit = 1 });

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), -ENOSPC);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 0);
	CHECK(t, close_site(t, site));
}

/* A magazine accepts only chunks that are in use, held, and of its pool, kind and
 * owner. */
static void only_its_own_belongs_into_a_magazine(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_magazine mag;
	struct ttmpool_chunk chunk;

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	CHECK(t, ttmpool_magazine_takes(&site->mag, site->out[0]));
	mag = site->mag;
	mag.config.order = 0;
	CHECK(t, !ttmpool_magazine_takes(&mag, site->out[0]));
	mag = site->mag;
	mag.config.caching = TTMPOOL_UNCACHED;
	CHECK(t, !ttmpool_magazine_takes(&mag, site->out[0]));
	mag = site->mag;
	mag.config.owner = NULL;
	CHECK(t, !ttmpool_magazine_takes(&mag, site->out[0]));
	mag = site->mag;
	mag.config.pool = NULL;
	CHECK(t, !ttmpool_magazine_takes(&mag, site->out[0]));
	chunk = *site->out[0];
	chunk.flags &= (uint16_t)~TTMPOOL_CHUNK_HELD;
	CHECK(t, !ttmpool_magazine_takes(&site->mag, &chunk));
	chunk = *site->out[0];
	chunk.state = TTMPOOL_CHUNK_POOLED;
	CHECK(t, !ttmpool_magazine_takes(&site->mag, &chunk));
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK(t, close_site(t, site));
}

/* A held chunk without the flag for that is not valid. */
static void a_held_chunk_that_denies_it_is_not_valid(struct check *t)
{
	struct site *site = open_site(t);
	struct ttmpool_pool *pool;

	CHECK(t, site);
	pool = &site->rig->pool[0];
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	site->out[0]->flags ^= TTMPOOL_CHUNK_HELD;
	CHECK(t, !ttmpool_pool_is_valid(pool));
	site->out[0]->flags ^= TTMPOOL_CHUNK_HELD;
	CHECK(t, ttmpool_pool_is_valid(pool));
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK(t, close_site(t, site));
}

/* A give of an array with a page of a held chunk is refused as foreign. */
static void a_held_page_is_refused_in_an_array(struct check *t)
{
	struct site *site = open_site(t);
	tpos_page_t *pages[2];

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 1), 0);
	pages[0] = site->out[0]->page;
	pages[1] = tpos_page_nth(pages[0], 1);
	CHECK_EQ(t,
		 ttmpool_pool_give(&site->rig->pool[0], pages, 2,
				   TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), 1);
	CHECK_EQ(t, ttmpool_magazine_put(&site->mag, site->out, 1), 0);
	CHECK(t, close_site(t, site));
}

/* Chunks that were never put back are reported when their pool is torn down. */
static void teardown_reports_what_was_not_put_back(struct check *t)
{
	struct site *site = open_site(t);

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_magazine_get(&site->mag, site->out, 2), 0);
	ttmpool_magazine_fini(&site->mag);
	CHECK_EQ(t, rig_stats(site->rig).pages_in_use, 4);
	CHECK(t, rig_is_quiet(t, site->rig));
	CHECK_EQ(t, ttmpool_pool_fini(&site->rig->pool[0]), 4);
	site->rig->nr_pools = 0;
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_IN_USE), 2);
	CHECK_EQ(t, ttmpool_owner_pages(&site->owner, TTMPOOL_IN_USE), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&site->rig->mgr), 0);
	CHECK(t, rig_close(t, site->rig));
}

CHECK_SUITE(magazine, CHECK_CASE(magazines_have_what_they_are_for),
	    CHECK_CASE(what_there_is_for_a_get_is_had),
	    CHECK_CASE(what_nobody_asked_for_costs_nobody_anything),
	    CHECK_CASE(a_filled_magazine_asks_nothing_of_the_pool),
	    CHECK_CASE(what_an_owner_left_is_cleared_for_the_next),
	    CHECK_CASE(a_full_magazine_gives_half_to_the_pool),
	    CHECK_CASE(the_shrinker_recalls_what_magazines_hold),
	    CHECK_CASE(a_get_answers_a_recall),
	    CHECK_CASE(what_was_recalled_is_not_taken_back),
	    CHECK_CASE(what_was_held_goes_in_an_array_next),
	    CHECK_CASE(more_than_half_the_room_is_refused),
	    CHECK_CASE(a_magazine_for_nothing_is_refused),
	    CHECK_CASE(chunks_of_another_order_will_not_do),
	    CHECK_CASE(without_address_space_there_are_none),
	    CHECK_CASE(only_its_own_belongs_into_a_magazine),
	    CHECK_CASE(a_held_chunk_that_denies_it_is_not_valid),
	    CHECK_CASE(a_held_page_is_refused_in_an_array),
	    CHECK_CASE(teardown_reports_what_was_not_put_back));
