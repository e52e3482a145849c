// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The engine of the fault sweep: see sweep.h. */

#include <limits.h>
#include <stdio.h>

#include "sweep.h"

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
	*stage = (struct stage){ .t = t };
	stage->rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	return stage->rig && scene->prepare(stage);
}

/* Take all down; true if nothing is left on the machine. */
bool sweep_close(struct stage *stage)
{
	bool good = true;

	if (stage->buf && stage->buf->be.tt.state != TTMPOOL_TT_EMPTY)
		good = !ttmpool_drop(&stage->buf->be);
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

	if (!sweep_open(&stage, t, scene))
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
	if (err && !scene->is_as_promised(&stage))
		return "what failed has changed something";
	if (err && scene->play(&stage))
		return "it does not succeed when tried again";
	if (scene->is_whole && !scene->is_whole(&stage))
		return "something is lost";
	if (!sweep_close(&stage))
		return "something is left";
	return NULL;
}

/* How many calls of each kind does the scene make when nothing fails? */
static bool count_calls(struct check *t, const struct scene *scene,
			unsigned long calls[TPSIM_CALL_COUNT])
{
	struct tpsim_machine *machine = check_machine(t);
	struct stage stage;

	if (!sweep_open(&stage, t, scene))
		return false;
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] = tpsim_fault_calls(machine, (enum tpsim_call)c);
	if (scene->play(&stage))
		return false;
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] = tpsim_fault_calls(machine, (enum tpsim_call)c) -
			   calls[c];
	if (scene->is_whole && !scene->is_whole(&stage))
		return false;
	return sweep_close(&stage);
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

bool sweep_scenes(struct check *t, const struct scene *scenes, size_t n,
		  unsigned int calls)
{
	unsigned long total = 0, made[TPSIM_CALL_COUNT] = { 0 };

	for (size_t s = 0; s < n; s++) {
		unsigned long of_scene[TPSIM_CALL_COUNT] = { 0 }, points;

		if (!count_calls(t, &scenes[s], of_scene)) {
			check_fail(t, __FILE__, __LINE__, scenes[s].name, NULL);
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
