// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Operations whose instructions callgrind counts, so that a change of the library cannot
 * make them longer unnoticed. Each is warmed up, then done once, and its count is dumped
 * under its name. Nothing is cleared in what is counted: a worker has done that before.
 *
 *     valgrind --tool=callgrind --collect-atstart=no ttmpool-counted
 *
 * A count depends on the compiler and its options, and on nothing else: the C library's
 * memcpy() and memset() differ by processor, so others are compiled in (CMakeLists.txt).
 */

#include <stdio.h>
#include <stdlib.h>

#include <valgrind/callgrind.h>

#include "native.h"

#define ARENA 65536 /* pages */
#define MOST  16384
#define ROOM  1024

static tpos_page_t *pages[MOST];
static tpos_dma_addr_t addr[MOST];
static struct ttmpool_chunk *chunks[ROOM];
static struct ttmpool_chunk *out[64];

/* A pool, with chunks of at most this many pages. */
struct bed {
	struct native_system *system;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
};

static void check(int err)
{
	if (!err)
		return;
	fprintf(stderr, "ttmpool-counted: %d\n", err);
	exit(1);
}

static void bed_open(struct bed *bed, unsigned int max_order)
{
	struct ttmpool_manager_config mgr = { .page_budget = TTMPOOL_NO_LIMIT,
					      .pool_limit = ARENA };
	struct ttmpool_policy policy;
	struct tpos_device_info info;
	struct ttmpool_pool_config config = { .name = "counted",
					      .node = TTMPOOL_NODE_ANY,
					      .policy = &policy };

	bed->system = native_open(ARENA);
	if (!bed->system)
		check(-ENOMEM);
	mgr.system = bed->system;
	config.dev = native_device(bed->system);
	tpos_device_query(config.dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.max_order = max_order;
	check(ttmpool_manager_init(&bed->mgr, &mgr));
	check(ttmpool_pool_init(&bed->pool, &bed->mgr, &config));
}

static void bed_close(struct bed *bed)
{
	check(ttmpool_pool_fini(&bed->pool));
	check(ttmpool_manager_fini(&bed->mgr));
	native_close(bed->system);
}

/* What is done between start() and stop() is counted. */
static void start(void)
{
	CALLGRIND_ZERO_STATS;
	CALLGRIND_TOGGLE_COLLECT;
}

static void stop(const char *name)
{
	CALLGRIND_TOGGLE_COLLECT;
	CALLGRIND_DUMP_STATS_AT(name);
}

static void count_buffer(const char *name, size_t n, unsigned int max_order)
{
	struct bed bed;
	struct ttmpool_backend be;
	struct ttmpool_backend_config config = {
		.pool = &bed.pool,
		.pages = pages,
		.dma_addr = addr,
		.num_pages = n,
		.caching = TTMPOOL_WRITE_COMBINED,
	};

	bed_open(&bed, max_order);
	check(ttmpool_backend_init(&be, &config));
	check(ttmpool_populate(&be));
	check(ttmpool_unpopulate(&be));
	ttmpool_pool_scrub(&bed.pool, SIZE_MAX);
	start();
	check(ttmpool_populate(&be));
	check(ttmpool_unpopulate(&be));
	stop(name);
	check(ttmpool_backend_fini(&be));
	bed_close(&bed);
}

static void count_runs(const char *name, size_t n, unsigned int max_order)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = n };
	struct ttmpool_runs runs;
	struct bed bed;

	bed_open(&bed, max_order);
	check(ttmpool_runs_take(&bed.pool, &req, true, &runs));
	check(ttmpool_runs_give(&runs));
	ttmpool_pool_scrub(&bed.pool, SIZE_MAX);
	start();
	check(ttmpool_runs_take(&bed.pool, &req, true, &runs));
	check(ttmpool_runs_give(&runs));
	stop(name);
	bed_close(&bed);
}

/* A hundred rounds of @n each: one round is only a few instructions. */
static void count_magazine(const char *name, size_t n, unsigned int order)
{
	struct ttmpool_owner owner;
	struct ttmpool_magazine mag;
	struct bed bed;
	struct ttmpool_magazine_config config = {
		.pool = &bed.pool,
		.caching = TTMPOOL_WRITE_COMBINED,
		.order = order,
		.mapped = true,
		.owner = &owner,
		.chunks = chunks,
		.room = ROOM,
	};

	bed_open(&bed, order);
	ttmpool_owner_init(&owner, "counted");
	check(ttmpool_magazine_init(&mag, &config));
	check(ttmpool_magazine_get(&mag, out, n));
	check(ttmpool_magazine_put(&mag, out, n));
	start();
	for (int i = 0; i < 100; i++) {
		check(ttmpool_magazine_get(&mag, out, n));
		check(ttmpool_magazine_put(&mag, out, n));
	}
	stop(name);
	ttmpool_magazine_fini(&mag);
	bed_close(&bed);
}

static const struct {
	const char *name;
	void (*count)(const char *name, size_t n, unsigned int order);
	size_t n;
	unsigned int order;
} operations[] = {
	{ "populate-4k", count_buffer, 1, 9 },
	{ "populate-64k", count_buffer, 16, 9 },
	{ "populate-2m", count_buffer, 512, 9 },
	{ "populate-64m", count_buffer, 16384, 9 },
	{ "populate-64m-single", count_buffer, 16384, 0 },
	{ "runs-64m", count_runs, 16384, 9 },
	{ "magazine-1", count_magazine, 1, 0 },
	{ "magazine-64", count_magazine, 64, 0 },
};

int main(void)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		operations[i].count(operations[i].name, operations[i].n,
				    operations[i].order);
	return 0;
}
