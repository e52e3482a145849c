// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The sweep: each call into the system fails, one after the other. */

#include <stdio.h>

#include "fixture.h"

#define NAME_BYTES 64

/* A driver's code, and how often it did not do what it has to. */
struct sweep {
	struct ttmpool_test_config config;
	int (*scene)(struct ttmpool_test *test, void *arg);
	void *arg;
	int wrong;
};

/* How a call fails: once, half way, and for good. What follows its number in the name of
 * the plan. */
static const char *const ways[] = { "", "/1", "+" };

#define NR_WAYS (sizeof(ways) / sizeof(*ways))

static void count_calls(struct ttmpool_test *test,
			unsigned long calls[TPSIM_CALL_COUNT])
{
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		calls[c] =
			tpsim_fault_calls(test->machine, (enum tpsim_call)c) -
			calls[c];
}

/* Without a failure: how many calls of each kind are there? */
static int sweep_count(struct sweep *sweep,
		       unsigned long calls[TPSIM_CALL_COUNT])
{
	struct ttmpool_test *test = ttmpool_test_open(&sweep->config);
	int err;

	if (!test)
		return -ENOMEM;
	count_calls(test, calls);
	err = sweep->scene(test, sweep->arg);
	count_calls(test, calls);
	if (ttmpool_test_close(test)) {
		ttmpool_test_say(&sweep->config,
				 "ttmpool: sweep: leaked without a failure");
		sweep->wrong++;
	}
	return err;
}

/* What is wrong with a run that ended so? NULL: nothing. */
static const char *sweep_judge(struct sweep *sweep, struct ttmpool_test *test,
			       int err, unsigned long happened)
{
	if (!happened)
		return "did not make that call this time";
	if (err > 0)
		return "returned a positive number";
	if (err && sweep->scene(test, sweep->arg))
		return "does not succeed when it is tried again";
	return NULL;
}

/* One run, with the plan of that name. */
static int sweep_point(struct sweep *sweep, const char *name)
{
	struct ttmpool_test *test = ttmpool_test_open(&sweep->config);
	unsigned long happened;
	const char *wrong;
	int err;

	if (!test)
		return -ENOMEM;
	err = ttmpool_test_plan(test, name);
	if (!err)
		err = sweep->scene(test, sweep->arg);
	happened = ttmpool_test_plan_end(test);
	wrong = sweep_judge(sweep, test, err, happened);
	if (ttmpool_test_close(test))
		wrong = "leaked";
	if (wrong) {
		ttmpool_test_say(&sweep->config,
				 "ttmpool: sweep: with the plan \"%s\": %s",
				 name, wrong);
		sweep->wrong++;
	}
	return 0;
}

static int sweep_call(struct sweep *sweep, enum tpsim_call call,
		      unsigned long nth)
{
	char name[NAME_BYTES];
	int err = 0;

	for (size_t w = 0; w < NR_WAYS && !err; w++) {
		snprintf(name, sizeof(name), "%s:%lu%s", tpsim_call_name(call),
			 nth, ways[w]);
		err = sweep_point(sweep, name);
	}
	return err;
}

int ttmpool_test_sweep(const struct ttmpool_test_config *config,
		       int (*scene)(struct ttmpool_test *test, void *arg),
		       void *arg, unsigned long *visited)
{
	struct sweep sweep = { .scene = scene, .arg = arg };
	unsigned long calls[TPSIM_CALL_COUNT] = { 0 }, points = 0;
	int err, leaks;

	if (config)
		sweep.config = *config;
	err = sweep_count(&sweep, calls);
	leaks = sweep.wrong;
	for (int c = 0; c < TPSIM_CALL_COUNT && !err && !leaks; c++)
		for (unsigned long n = 1; n <= calls[c] && !err; n++) {
			err = sweep_call(&sweep, (enum tpsim_call)c, n);
			points += !err;
		}
	if (visited)
		*visited = points;
	return err ? err : sweep.wrong;
}
