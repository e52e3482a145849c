// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Our own contenders: single pages from a magazine, and as runs from the pool. */

#include <stdlib.h>

#include "bench.h"
#include "native.h"

#define PAGES 65536
#define ROOM  (2 * MOST_BULK)

static struct native_system *native;
static struct ttmpool_manager mgr;
static struct ttmpool_pool pool;
static struct ttmpool_owner owner;
static _Thread_local unsigned long locks_before;

static int ours_open(void)
{
	struct ttmpool_manager_config mgr_config = {
		.page_budget = TTMPOOL_NO_LIMIT, .pool_limit = PAGES
	};
	struct ttmpool_pool_config config = { .name = "bulk",
					      .node = TTMPOOL_NODE_ANY };
	struct ttmpool_policy policy;
	struct tpos_device_info info;

	native = native_open(PAGES);
	if (!native)
		return -ENOMEM;
	mgr_config.system = native;
	config.dev = native_device(native);
	tpos_device_query(config.dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.max_order = 0;
	config.policy = &policy;
	ttmpool_owner_init(&owner, "bench");
	if (ttmpool_manager_init(&mgr, &mgr_config) ||
	    ttmpool_pool_init(&pool, &mgr, &config))
		return -ENOMEM;
	return 0;
}

struct site {
	struct ttmpool_magazine mag;
	struct ttmpool_chunk *chunks[ROOM];
	struct ttmpool_chunk *out[MOST_BULK];
};

static void *magazine_enter(int thread)
{
	struct site *site =
		aligned_alloc(64, sizeof(*site) + 64 - sizeof(*site) % 64);
	struct ttmpool_magazine_config config = {
		.pool = &pool,
		.caching = TTMPOOL_WRITE_COMBINED,
		.mapped = true,
		.owner = &owner,
		.room = ROOM,
	};

	(void)thread;
	if (!site)
		return NULL;
	config.chunks = site->chunks;
	if (ttmpool_magazine_init(&site->mag, &config) ||
	    ttmpool_magazine_get(&site->mag, site->out, MOST_BULK) ||
	    ttmpool_magazine_put(&site->mag, site->out, MOST_BULK)) {
		free(site);
		return NULL;
	}
	locks_before = native_locks;
	return site;
}

static void magazine_get(void *at, void *to, size_t bulk)
{
	struct site *site = at;

	if (ttmpool_magazine_get(&site->mag, to, bulk))
		abort();
}

static void magazine_put(void *at, void *from, size_t bulk)
{
	struct site *site = at;

	if (ttmpool_magazine_put(&site->mag, from, bulk))
		abort();
}

static void magazine_rounds(void *at, size_t bulk, size_t rounds)
{
	struct site *site = at;

	while (rounds--) {
		if (ttmpool_magazine_get(&site->mag, site->out, bulk) ||
		    ttmpool_magazine_put(&site->mag, site->out, bulk))
			abort();
	}
}

static void magazine_leave(void *at)
{
	struct site *site = at;

	ttmpool_magazine_fini(&site->mag);
	free(site);
}

unsigned long magazine_locks(void)
{
	return native_locks - locks_before;
}

uint64_t magazine_cleared(void)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(&pool, &stats);
	return stats.bytes_cleared;
}

/* The pool itself: a lock, a list, and pages that are cleared for the next user. */
static void *runs_enter(int thread)
{
	(void)thread;
	return calloc(1, sizeof(struct ttmpool_runs));
}

static void runs_rounds(void *at, size_t bulk, size_t rounds)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = bulk };

	while (rounds--) {
		if (ttmpool_runs_take(&pool, &req, true, at))
			abort();
		ttmpool_runs_give(at);
	}
}

const struct contender contender_magazine = { .name = "ours",
					      .what = "a magazine",
					      .open = ours_open,
					      .enter = magazine_enter,
					      .rounds = magazine_rounds,
					      .get = magazine_get,
					      .put = magazine_put,
					      .leave = magazine_leave };
const struct contender contender_runs = { .name = "runs",
					  .what = "our pool, which clears",
					  .enter = runs_enter,
					  .rounds = runs_rounds,
					  .leave = free };
