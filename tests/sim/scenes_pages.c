// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The scenes of the fault sweep in which pages come and go: see sweep.h.
 */

#include <limits.h>

#include "sweep.h"

/* An empty buffer, and nothing pooled. */
static bool prepare_cold(struct stage *stage)
{
	stage->buf = sweep_buffer(stage, sweep_pages, false);
	return stage->buf;
}

static bool prepare_coherent(struct stage *stage)
{
	stage->buf = sweep_buffer(stage, sweep_pages, true);
	return stage->buf;
}

/* An empty buffer; a part of the pages that it needs is pooled. */
static bool prepare_mixed(struct stage *stage)
{
	struct buffer *small = sweep_buffer(stage, sweep_pages / 6, false);

	return small && !buffer_cycle(small) && prepare_cold(stage);
}

/* All pages that the buffer needs are pooled, but no longer mapped. */
static bool prepare_unmapped(struct stage *stage)
{
	struct buffer *bare;

	bare = buffer_open(
		stage->t, stage->rig,
		&(struct buffer_config){ .num_pages = sweep_pages,
					 .unmapped = true,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .funcs = &ttmpool_backend_plain });
	return bare && !buffer_cycle(bare) && prepare_cold(stage);
}

static bool prepare_populated(struct stage *stage)
{
	return prepare_cold(stage) && !ttmpool_populate(&stage->buf->be);
}

/* No buffer has pages; all are pooled. */
static bool prepare_pooled(struct stage *stage)
{
	stage->other = sweep_buffer(stage, sweep_pages, false);
	return stage->other && !buffer_cycle(stage->other);
}

/* A buffer whose pages go to the system at once, because the pool limit is 0. */
static bool prepare_leaving(struct stage *stage)
{
	ttmpool_manager_set_pool_limit(&stage->rig->mgr, 0);
	return prepare_populated(stage);
}

static int play_populate(struct stage *stage)
{
	return ttmpool_populate(&stage->buf->be);
}

static int play_unpopulate(struct stage *stage)
{
	return ttmpool_unpopulate(&stage->buf->be);
}

static int play_prime(struct stage *stage)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = sweep_pages };

	return ttmpool_pool_prime(&stage->rig->pool[0], &req, true);
}

/* Release paths cannot fail: what cannot be released is quarantined. */
static int play_drain(struct stage *stage)
{
	ttmpool_pool_drain(&stage->rig->pool[0]);
	return 0;
}

static int play_shrink(struct stage *stage)
{
	ttmpool_manager_shrink_scan(&stage->rig->mgr, ULONG_MAX, true);
	return 0;
}

static int play_limit(struct stage *stage)
{
	ttmpool_manager_set_pool_limit(&stage->rig->mgr, 0);
	return 0;
}

static int play_budget(struct stage *stage)
{
	ttmpool_manager_set_page_budget(&stage->rig->mgr, 0);
	ttmpool_manager_set_page_budget(&stage->rig->mgr, TTMPOOL_NO_LIMIT);
	return 0;
}

/* The pool is torn down with all its pooled pages, and starts again. */
static int play_teardown(struct stage *stage)
{
	struct ttmpool_pool *pool = &stage->rig->pool[0];
	struct ttmpool_pool_config config = { .name = "anew",
					      .dev = stage->rig->dev[0],
					      .node = TTMPOOL_NODE_ANY };

	int err;

	if (stage->rig->nr_pools && ttmpool_pool_fini(pool))
		return -EBUSY;
	err = ttmpool_pool_init(pool, &stage->rig->mgr, &config);
	stage->rig->nr_pools = !err;
	return err;
}

/* A second manager starts and ends. */
static int play_manager(struct stage *stage)
{
	struct ttmpool_manager_config config = { .system = stage->t->system };
	struct ttmpool_manager mgr;
	int err = ttmpool_manager_init(&mgr, &config);

	return err ? err : ttmpool_manager_fini(&mgr);
}

static bool is_empty(struct stage *stage)
{
	return stage->buf->be.tt.state == TTMPOOL_TT_EMPTY &&
	       ttmpool_tt_is_valid(&stage->buf->be.tt) &&
	       !stage->buf->dma_addr[0] &&
	       !stage->buf->dma_addr[sweep_pages - 1];
}

static bool is_nothing_pooled(struct stage *stage)
{
	return !rig_stats(stage->rig).pages_pooled;
}

static bool is_anything(struct stage *stage)
{
	(void)stage;
	return true;
}

static bool prepare_nothing(struct stage *stage)
{
	(void)stage;
	return true;
}

/* Pages that the purge tries again are in quarantine. */
static bool prepare_quarantined(struct stage *stage)
{
	struct tpsim_machine *machine = check_machine(stage->t);
	int err;

	if (!prepare_cold(stage))
		return false;
	tpsim_fault_plan(machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1,
						.after = 2 });
	tpsim_fault_plan(machine, &(struct tpsim_fault){
					  .call = TPSIM_CALL_CACHING_RESET,
					  .nth = 1,
					  .times = UINT_MAX });
	err = ttmpool_populate(&stage->buf->be);
	tpsim_fault_clear(machine);
	return err;
}

static int play_purge(struct stage *stage)
{
	ttmpool_manager_purge_quarantine(&stage->rig->mgr);
	return 0;
}

static int play_prepare(struct stage *stage)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = sweep_pages };
	int err = ttmpool_pool_prepare(&stage->rig->pool[0], &req);

	ttmpool_pool_reserve(&stage->rig->pool[0], 0);
	return err;
}

/* A large chunk was prepared; the buffer gets parts of it. */
static bool prepare_parts(struct stage *stage)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 512 };

	return !ttmpool_pool_prepare(&stage->rig->pool[0], &req) &&
	       prepare_cold(stage);
}

static int play_scrub(struct stage *stage)
{
	ttmpool_pool_scrub(&stage->rig->pool[0], ULONG_MAX);
	return 0;
}

#define SCENE(named, prepares, plays, promised, with)                    \
	{                                                                \
		.name = (named), .prepare = (prepares), .play = (plays), \
		.is_as_promised = (promised), with                       \
	}
#define PLAIN .refill = false

const struct scene sweep_pages_scenes[] = {
	SCENE("manager", prepare_nothing, play_manager, is_anything, PLAIN),
	SCENE("populate-cold", prepare_cold, play_populate, is_empty, PLAIN),
	SCENE("populate-refill", prepare_cold, play_populate, is_empty,
	      .refill = true),
	SCENE("populate-coherent", prepare_coherent, play_populate, is_empty,
	      PLAIN),
	SCENE("populate-mixed", prepare_mixed, play_populate, is_empty, PLAIN),
	SCENE("populate-unmapped", prepare_unmapped, play_populate, is_empty,
	      PLAIN),
	SCENE("populate-careful", prepare_mixed, play_populate, is_empty,
	      .careful = true),
	SCENE("populate-parts", prepare_parts, play_populate, is_empty, PLAIN),
	SCENE("populate-parts-careful", prepare_parts, play_populate, is_empty,
	      .careful = true),
	SCENE("prime", prepare_nothing, play_prime, is_nothing_pooled, PLAIN),
	SCENE("prepare", prepare_nothing, play_prepare, is_nothing_pooled,
	      PLAIN),
	SCENE("unpopulate", prepare_populated, play_unpopulate, is_anything,
	      PLAIN),
	SCENE("unpopulate-release", prepare_leaving, play_unpopulate,
	      is_anything, PLAIN),
	SCENE("teardown", prepare_pooled, play_teardown, is_anything, PLAIN),
	SCENE("drain", prepare_pooled, play_drain, is_anything, PLAIN),
	SCENE("scrub", prepare_pooled, play_scrub, is_anything, PLAIN),
	SCENE("shrink", prepare_pooled, play_shrink, is_anything, PLAIN),
	SCENE("limit", prepare_pooled, play_limit, is_anything, PLAIN),
	SCENE("budget", prepare_pooled, play_budget, is_anything, PLAIN),
	SCENE("purge", prepare_quarantined, play_purge, is_anything, PLAIN),
};

const size_t sweep_pages_nr =
	sizeof(sweep_pages_scenes) / sizeof(*sweep_pages_scenes);
