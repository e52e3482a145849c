// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The engine of the fault sweep: see sweep.h. */

#include <annotate.h>
#include <limits.h>
#include <stdio.h>

#include "sweep.h"

size_t sweep_pages = 77;

struct buffer *sweep_buffer(struct stage *stage, size_t n, bool coherent)
{
	return buffer_open(stage->t, stage->rig,
			   &(struct buffer_config){
				   .num_pages = n,
				   .caching = TTMPOOL_WRITE_COMBINED,
				   .funcs = coherent
						    ? &ttmpool_backend_coherent
						    : &ttmpool_backend_plain });
}

bool sweep_open(struct stage *stage, struct check *t, const struct scene *scene)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.refill = scene->refill;
	policy.verify = scene->careful;
	policy.checksum = scene->careful;
	*stage = (struct stage){ .t = t };
	stage->rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	return stage->rig && scene->prepare(stage);
}

/* Take everything down; returns true if nothing is left on the machine. */
bool sweep_close(struct stage *stage)
{
	bool good = true;

	if (stage->buf && stage->buf->be.tt.state != TTMPOOL_TT_EMPTY)
		good = !ttmpool_drop(&stage->buf->be);
	good &= !ttmpool_manager_purge_quarantine(&stage->rig->mgr);
	return good && rig_close(stage->t, stage->rig) &&
	       tpsim_ledger_is_empty(check_machine(stage->t));
}

/* The next buffer sees zeroes. Without a pool there is no next buffer. */
static bool is_clean(struct stage *stage)
{
	struct buffer *next;
	bool clean;

	if (!stage->rig->nr_pools)
		return true;
	next = sweep_buffer(stage, 13, false);
	if (!next || ttmpool_populate(&next->be))
		return false;
	clean = buffer_holds(stage->t, next, 0);
	return !ttmpool_unpopulate(&next->be) && clean;
}

/* Let the shrinker try again, which it does with a few chunks in each call, until it
 * gains nothing. Returns whether all pages are known to be write-back then. */
static bool is_repaired(struct stage *stage)
{
	struct ttmpool_manager_stats stats;
	unsigned long before;

	ttmpool_manager_stats(&stage->rig->mgr, &stats);
	do {
		before = stats.pages_quarantined;
		ttmpool_manager_shrink_scan(&stage->rig->mgr, 0, false);
		ttmpool_manager_stats(&stage->rig->mgr, &stats);
	} while (stats.pages_quarantined < before);
	return !stats.pages_quarantined;
}

static const char *judge(struct stage *stage, const struct scene *scene,
			 int err)
{
	if (err > 0)
		return "an error is not a negative errno";
	if (!rig_is_quiet(stage->t, stage->rig))
		return "the counters do not agree";
	if (err && !scene->is_as_promised(stage))
		return "what failed has changed something";
	if (!is_repaired(stage))
		return "what could not be rolled back stays in quarantine";
	if (err && !scene->keeps_budget && !is_clean(stage))
		return "somebody sees what was another's";
	if (err && scene->play(stage))
		return "it does not succeed when tried again";
	if (scene->is_whole && !scene->is_whole(stage))
		return "something is lost";
	return NULL;
}

const char *sweep_point(struct check *t, const struct scene *scene,
			const struct tpsim_fault *faults, size_t n,
			unsigned long *happened)
{
	struct tpsim_machine *machine = check_machine(t);
	struct stage stage;
	const char *wrong;
	int err;

	if (!sweep_open(&stage, t, scene))
		return "the stage could not be set";
	for (size_t i = 0; i < n; i++)
		tpsim_fault_plan(machine, &faults[i]);
	err = scene->play(&stage);
	*happened = tpsim_fault_clear(machine);
	wrong = judge(&stage, scene, err);
	if (!wrong && !sweep_close(&stage))
		wrong = "something is left";
	return wrong;
}

const char *sweep_count(struct check *t, const struct scene *scene,
			const struct tpsim_fault *fault,
			unsigned long calls[TPSIM_CALL_COUNT])
{
	struct tpsim_machine *machine = check_machine(t);
	struct stage stage;
	int err;

	if (!sweep_open(&stage, t, scene))
		return "the stage could not be set";
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] = tpsim_fault_calls(machine, (enum tpsim_call)c);
	if (fault)
		tpsim_fault_plan(machine, fault);
	err = scene->play(&stage);
	tpsim_fault_clear(machine);
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] = tpsim_fault_calls(machine, (enum tpsim_call)c) -
			   calls[c];
	if (err && !fault)
		return "it fails though nothing does";
	if (err && scene->play(&stage))
		return "it does not succeed when tried again";
	if (scene->is_whole && !scene->is_whole(&stage))
		return "something is lost";
	return sweep_close(&stage) ? NULL : "something is left";
}

/* The ways in which one call fails: once or for good, at once or after some chunks of a
 * batch. */
static const struct tpsim_fault ways[] = {
	{ .times = 1 },
	{ .times = 1, .after = 1 },
	{ .times = 1, .after = 2 },
	{ .times = 1, .after = 3 },
	{ .times = UINT_MAX },
	{ .times = UINT_MAX, .after = 1 },
	{ .times = UINT_MAX, .after = 2 },
	{ .times = UINT_MAX, .after = 3 },
};

#define NR_WAYS (sizeof(ways) / sizeof(*ways))

/* Valgrind is slow, but checks every access: under it, each seventh point is enough. Over
 * the whole sweep these points include each way, and each call. */
static bool is_skipped(unsigned long point)
{
#ifdef ANNOTATE_VALGRIND
	return RUNNING_ON_VALGRIND && point % 7;
#else
	(void)point;
	return false;
#endif
}

static unsigned long sweep_scene(struct check *t, const struct scene *scene,
				 unsigned long calls[TPSIM_CALL_COUNT])
{
	unsigned long points = 0, point = 0;

	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		for (unsigned long k = 1; k <= calls[c]; k++)
			for (size_t w = 0; w < NR_WAYS; w++) {
				struct tpsim_fault fault = ways[w];
				unsigned long happened = 0;
				const char *wrong;

				if (is_skipped(point++))
					continue;
				fault.call = (enum tpsim_call)c;
				fault.nth = k;
				wrong = sweep_point(t, scene, &fault, 1,
						    &happened);
				if (!wrong && !happened)
					wrong = "the failure did not happen";
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

bool sweep_scenes(struct check *t, const struct scene *scenes, size_t n,
		  unsigned int calls)
{
	unsigned long total = 0, made[TPSIM_CALL_COUNT] = { 0 };

	for (size_t s = 0; s < n; s++) {
		unsigned long of_scene[TPSIM_CALL_COUNT] = { 0 }, points;
		const char *wrong;

		wrong = sweep_count(t, &scenes[s], NULL, of_scene);
		if (wrong) {
			fprintf(stderr, "%s\n", scenes[s].name);
			check_fail(t, __FILE__, __LINE__, wrong, NULL);
			return false;
		}
		points = sweep_scene(t, &scenes[s], of_scene);
		if (t->failed)
			return false;
		printf("sweep: %-18s %4lu points\n", scenes[s].name, points);
		total += points;
		for (int c = 0; c < TPSIM_CALL_COUNT; c++)
			made[c] += of_scene[c];
	}
	for (int c = 0; c < TPSIM_CALL_COUNT; c++) {
		printf("sweep: %-18s %4lu calls failed, one by one\n",
		       tpsim_call_name((enum tpsim_call)c), made[c]);
		if ((calls >> c & 1) && !made[c]) {
			check_fail(t, __FILE__, __LINE__, "never called", NULL);
			return false;
		}
	}
	printf("sweep: %lu points tried\n", total);
	return true;
}
