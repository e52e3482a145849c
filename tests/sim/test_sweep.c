// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fault sweep. Every public operation that calls into the system is a
 * scene. A scene is played once to see which fallible calls it makes, and then
 * again and again: with the k-th call of each kind failing, once and for good,
 * at the beginning of a batch and half way through it. After each:
 *
 *     the operation either absorbed the failure or returned a negative errno,
 *     what it was about is as it was before,
 *     all counters agree, with the machine's, too,
 *     it succeeds when it is tried again, and
 *     nothing is left on the machine when all is taken down.
 *
 * The number of points tried is printed; it is also compared with the number of
 * calls that were counted, so that a scene that stops making a call is noticed.
 */

#include <limits.h>
#include <stdio.h>

#include "check_cmocka.h"
#include "rig.h"

#define PAGES 77 /* chunks of 64, 8, 4 and 1 pages */

/* What a scene is played on. */
struct stage {
	struct check *t;
	struct rig *rig;
	struct buffer *buf; /* what the operation is about */
	struct buffer *other;
	tpos_page_t *given;
};

struct scene {
	const char *name;
	bool (*prepare)(struct stage *stage);
	int (*play)(struct stage *stage);
	bool (*is_as_before)(struct stage *stage);
	bool refill;
};

static struct buffer *scene_buffer(struct stage *stage, size_t n, bool coherent)
{
	return buffer_open(stage->t, stage->rig,
			   &(struct buffer_config){
				   .num_pages = n,
				   .caching = TTMPOOL_WRITE_COMBINED,
				   .funcs = coherent
						    ? &ttmpool_backend_coherent
						    : &ttmpool_backend_plain });
}

/* An empty buffer, and nothing pooled. */
static bool prepare_cold(struct stage *stage)
{
	stage->buf = scene_buffer(stage, PAGES, false);
	return stage->buf;
}

static bool prepare_coherent(struct stage *stage)
{
	stage->buf = scene_buffer(stage, PAGES, true);
	return stage->buf;
}

/* An empty buffer, and a part of what it needs is pooled. */
static bool prepare_mixed(struct stage *stage)
{
	struct buffer *small = scene_buffer(stage, 13, false);

	return small && !buffer_cycle(small) && prepare_cold(stage);
}

/* All that it needs is pooled, but no longer mapped. */
static bool prepare_unmapped(struct stage *stage)
{
	struct buffer *bare;

	bare = buffer_open(
		stage->t, stage->rig,
		&(struct buffer_config){ .num_pages = PAGES,
					 .unmapped = true,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .funcs = &ttmpool_backend_plain });
	return bare && !buffer_cycle(bare) && prepare_cold(stage);
}

static bool prepare_populated(struct stage *stage)
{
	return prepare_cold(stage) && !ttmpool_populate(&stage->buf->be);
}

/* Nothing but pooled pages. */
static bool prepare_pooled(struct stage *stage)
{
	stage->other = scene_buffer(stage, PAGES, false);
	return stage->other && !buffer_cycle(stage->other);
}

/* A buffer whose pages will not be pooled, but go to the system at once. */
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
				       .num_pages = PAGES };

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
	ttmpool_manager_shrink_scan(&stage->rig->mgr, ULONG_MAX);
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

/* The pool is torn down with all that it keeps, and starts anew. */
static int play_teardown(struct stage *stage)
{
	struct ttmpool_pool *pool = &stage->rig->pool[0];
	struct ttmpool_pool_config config = { .name = "anew",
					      .dev = stage->rig->dev[0],
					      .node = TTMPOOL_NODE_ANY };

	return ttmpool_pool_fini(pool)
		       ? -EBUSY
		       : ttmpool_pool_init(pool, &stage->rig->mgr, &config);
}

/* A second manager comes and goes. */
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
	       !stage->buf->dma_addr[0] && !stage->buf->dma_addr[PAGES - 1];
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

static const struct scene scenes[] = {
	{ "manager", prepare_nothing, play_manager, is_anything, false },
	{ "populate-cold", prepare_cold, play_populate, is_empty, false },
	{ "populate-refill", prepare_cold, play_populate, is_empty, true },
	{ "populate-coherent", prepare_coherent, play_populate, is_empty,
	  false },
	{ "populate-mixed", prepare_mixed, play_populate, is_empty, false },
	{ "populate-unmapped", prepare_unmapped, play_populate, is_empty,
	  false },
	{ "prime", prepare_nothing, play_prime, is_nothing_pooled, false },
	{ "unpopulate", prepare_populated, play_unpopulate, is_anything,
	  false },
	{ "unpopulate-release", prepare_leaving, play_unpopulate, is_anything,
	  false },
	{ "teardown", prepare_pooled, play_teardown, is_anything, false },
	{ "drain", prepare_pooled, play_drain, is_anything, false },
	{ "shrink", prepare_pooled, play_shrink, is_anything, false },
	{ "limit", prepare_pooled, play_limit, is_anything, false },
	{ "budget", prepare_pooled, play_budget, is_anything, false },
};

#define NR_SCENES (sizeof(scenes) / sizeof(*scenes))

static bool stage_open(struct stage *stage, struct check *t,
		       const struct scene *scene)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.refill = scene->refill;
	*stage = (struct stage){ .t = t };
	stage->rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	return stage->rig && scene->prepare(stage);
}

/* Take all down; true if nothing is left on the machine. */
static bool stage_close(struct stage *stage)
{
	bool good = true;

	if (stage->buf && stage->buf->be.tt.state == TTMPOOL_TT_POPULATED)
		good = !ttmpool_unpopulate(&stage->buf->be);
	good &= !ttmpool_manager_purge_quarantine(&stage->rig->mgr);
	return good && rig_close(stage->t, stage->rig) &&
	       tpsim_ledger_is_empty(check_machine(stage->t));
}

/* One point: the scene with one failure planned; NULL, or what went wrong. */
static const char *play_point(struct check *t, const struct scene *scene,
			      const struct tpsim_fault *fault)
{
	struct tpsim_machine *machine = check_machine(t);
	unsigned long struck;
	struct stage stage;
	int err;

	if (!stage_open(&stage, t, scene))
		return "the stage could not be set";
	tpsim_fault_plan(machine, fault);
	err = scene->play(&stage);
	struck = tpsim_fault_clear(machine);
	if (!struck)
		return "the planned failure did not happen";
	if (err > 0)
		return "an error is not a negative errno";
	if (!rig_is_quiet(t, stage.rig))
		return "the counters do not agree";
	if (err && !scene->is_as_before(&stage))
		return "what failed has changed something";
	if (err && scene->play(&stage))
		return "it does not succeed when tried again";
	if (!stage_close(&stage))
		return "something is left";
	return NULL;
}

/* How many calls of each kind does the scene make when nothing fails? */
static bool count_calls(struct check *t, const struct scene *scene,
			unsigned long calls[TPSIM_CALL_COUNT])
{
	struct tpsim_machine *machine = check_machine(t);
	struct stage stage;

	if (!stage_open(&stage, t, scene))
		return false;
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] = tpsim_fault_calls(machine, (enum tpsim_call)c);
	if (scene->play(&stage))
		return false;
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] = tpsim_fault_calls(machine, (enum tpsim_call)c) -
			   calls[c];
	return stage_close(&stage);
}

/* The ways in which one call fails: once or for good, at once or half way. */
static const struct tpsim_fault ways[] = {
	{ .times = 1 },
	{ .times = 1, .after = 2 },
	{ .times = UINT_MAX },
	{ .times = UINT_MAX, .after = 2 },
};

#define NR_WAYS (sizeof(ways) / sizeof(*ways))

static unsigned long sweep_scene(struct check *t, const struct scene *scene,
				 unsigned long calls[TPSIM_CALL_COUNT])
{
	unsigned long points = 0;

	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		for (unsigned long k = 1; k <= calls[c]; k++)
			for (size_t w = 0; w < NR_WAYS; w++) {
				struct tpsim_fault fault = ways[w];
				const char *wrong;

				fault.call = (enum tpsim_call)c;
				fault.nth = k;
				wrong = play_point(t, scene, &fault);
				points++;
				if (!wrong)
					continue;
				fprintf(stderr, "%s, %s, call %lu, way %zu\n",
					scene->name,
					tpsim_call_name(fault.call), k, w);
				check_fail(t, __FILE__, __LINE__, wrong, NULL);
				return points;
			}
	return points;
}

/* Whatever call fails in whatever operation, nothing is lost and nothing stays.
 */
static void every_failure_of_every_operation_is_survived(struct check *t)
{
	unsigned long total = 0, made[TPSIM_CALL_COUNT] = { 0 };

	for (size_t s = 0; s < NR_SCENES; s++) {
		unsigned long calls[TPSIM_CALL_COUNT] = { 0 }, points;

		CHECK(t, count_calls(t, &scenes[s], calls));
		points = sweep_scene(t, &scenes[s], calls);
		if (t->failed)
			return;
		printf("sweep: %-18s %4lu points\n", scenes[s].name, points);
		total += points;
		for (int c = 0; c < TPSIM_CALL_COUNT; c++)
			made[c] += calls[c];
	}
	for (int c = 0; c < TPSIM_CALL_COUNT; c++) {
		printf("sweep: %-18s %4lu calls failed, one by one\n",
		       tpsim_call_name((enum tpsim_call)c), made[c]);
		CHECK(t, made[c]);
	}
	printf("sweep: %lu points tried\n", total);
}

static bool plan_both(struct check *t, unsigned int times)
{
	struct tpsim_machine *machine = check_machine(t);

	tpsim_fault_plan(machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1,
						.after = 2 });
	tpsim_fault_plan(machine, &(struct tpsim_fault){
					  .call = TPSIM_CALL_CACHING_RESET,
					  .nth = 1,
					  .times = times });
	return true;
}

/* If a failed caching change cannot be undone either, the pages are set aside,
 * and the populate fails as if nothing had been. */
static void a_failed_roll_back_quarantines(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct stage stage;

	CHECK(t, stage_open(&stage, t, &scenes[1]));
	CHECK(t, plan_both(t, UINT_MAX));
	CHECK(t, ttmpool_populate(&stage.buf->be) < 0);
	ttmpool_manager_stats(&stage.rig->mgr, &stats);
	CHECK(t, stats.pages_quarantined > 0);
	CHECK(t, check_reports(t, TTMPOOL_REPORT_QUARANTINED) > 0);
	CHECK(t, is_empty(&stage));
	CHECK(t, rig_is_quiet(t, stage.rig));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&stage.rig->mgr),
		 stats.pages_quarantined);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_populate(&stage.buf->be), 0);
	CHECK(t, stage_close(&stage));
}

/* The shrinker tries again with what could not be made write-back. */
static void the_shrinker_retries_a_roll_back(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct stage stage;

	CHECK(t, stage_open(&stage, t, &scenes[1]));
	CHECK(t, plan_both(t, UINT_MAX));
	CHECK(t, ttmpool_populate(&stage.buf->be) < 0);
	tpsim_fault_clear(check_machine(t));
	ttmpool_manager_shrink_scan(&stage.rig->mgr, 0);
	ttmpool_manager_stats(&stage.rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_quarantined, 0);
	CHECK_EQ(t, stats.pages, 0);
	CHECK(t, stage_close(&stage));
}

CHECK_SUITE(sweep, CHECK_CASE(every_failure_of_every_operation_is_survived),
	    CHECK_CASE(a_failed_roll_back_quarantines),
	    CHECK_CASE(the_shrinker_retries_a_roll_back));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_sweep, &config);
}
