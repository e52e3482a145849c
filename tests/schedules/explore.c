// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The explorer: it decides which schedules are played. Each is played from the beginning;
 * the choices that it shares with the one before are simply repeated.
 *
 * All schedules form a tree: at each step, a thread is chosen to go on. path[] holds the
 * branch that was played last; the next branch differs in the last place where another
 * choice is possible. With sleep sets, a thread that has been tried at a place is not
 * tried below it until another thread has made a step on which its step depends, because
 * the same order of dependent steps has been seen already. If all enabled threads are
 * asleep, the rest has been seen, too, and is played to the end without further choices.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore.h"

/* A place in the tree. */
struct place {
	uint8_t chosen;
	uint8_t enabled;
	uint8_t current; /* the thread that had been running */
	uint8_t tried;
	uint8_t asleep;
	uint8_t preempted; /* the number of preemptions before */
	struct point pending[MOST_THREADS];
};

static struct {
	struct place path[MOST_STEPS];
	size_t known;  /* the first choices of the path, which are repeated */
	size_t length; /* of this schedule */
	unsigned int threads;
	unsigned int bound;
	bool sleeps;
	bool over; /* the rest has been seen */
} tree;

/* explore_random() */
static struct {
	uint64_t state;
	unsigned int priority[MOST_THREADS];
	unsigned int change[8];
	unsigned int changes;
	unsigned int lowest;
} dice;

static unsigned int first_of(unsigned int mask)
{
	unsigned int i = 0;

	while (!(mask >> i & 1))
		i++;
	return i;
}

/* The thread that has been running, if it can go on; otherwise the first that can. */
static unsigned int by_default(unsigned int mask, unsigned int current)
{
	return mask >> current & 1 ? current : first_of(mask);
}

static bool is_preemption(const struct place *place, unsigned int thread)
{
	return thread != place->current && place->enabled >> place->current & 1;
}

/* The threads that are still asleep after the step that was chosen at @place. */
static uint8_t asleep_after(const struct place *place)
{
	uint8_t still = 0;

	for (unsigned int i = 0; i < tree.threads; i++)
		if (place->asleep >> i & 1 &&
		    !points_depend(&place->pending[i],
				   &place->pending[place->chosen]))
			still |= (uint8_t)(1u << i);
	return still;
}

static void place_enter(struct place *place, unsigned int enabled,
			unsigned int current, const struct point *pending)
{
	const struct place *before = tree.length ? place - 1 : NULL;

	place->enabled = (uint8_t)enabled;
	place->current = (uint8_t)current;
	place->tried = 0;
	place->asleep = before && tree.sleeps ? asleep_after(before) : 0;
	place->preempted =
		before ? (uint8_t)(before->preempted +
				   is_preemption(before, before->chosen))
		       : 0;
	memcpy(place->pending, pending, tree.threads * sizeof(*place->pending));
}

static unsigned int tree_choose(void *arg, unsigned int enabled,
				unsigned int current,
				const struct point *pending)
{
	struct place *place = &tree.path[tree.length];

	(void)arg;
	if (tree.length == MOST_STEPS) {
		fputs("schedules: a schedule without an end\n", stderr);
		abort();
	}
	if (tree.length >= tree.known) {
		unsigned int awake;

		place_enter(place, enabled, current, pending);
		awake = enabled & ~(unsigned int)place->asleep;
		tree.over |= !awake;
		place->chosen = (uint8_t)by_default(tree.over ? enabled : awake,
						    current);
	} else if (!(enabled >> place->chosen & 1)) {
		fputs("schedules: it is not the same the second time\n",
		      stderr);
		abort();
	}
	tree.length++;
	return place->chosen;
}

/* Make another choice at the last place where one is possible. */
static bool tree_next(void)
{
	tree.over = false;
	while (tree.length--) {
		struct place *place = &tree.path[tree.length];
		unsigned int left;

		place->tried |= (uint8_t)(1u << place->chosen);
		if (tree.sleeps)
			place->asleep |= (uint8_t)(1u << place->chosen);
		left = place->enabled &
		       ~(unsigned int)(place->tried | place->asleep);
		while (left) {
			unsigned int i = first_of(left);

			left &= ~(1u << i);
			if (place->preempted +
				    (unsigned int)is_preemption(place, i) >
			    tree.bound)
				continue;
			place->chosen = (uint8_t)i;
			tree.known = tree.length + 1;
			return true;
		}
	}
	return false;
}

void explore_all(const struct scenario *scenario, unsigned int bound,
		 unsigned long long most, struct result *result)
{
	tree.known = 0;
	tree.threads = scenario->n;
	tree.bound = bound;
	tree.sleeps = bound == NO_BOUND;
	tree.over = false;
	coop_unlock_is_point = tree.sleeps;
	*result = (struct result){ 0 };
	while (!result->wrong && !result->complete &&
	       result->schedules + result->repeated < most) {
		tree.length = 0;
		result->wrong = scenario_play(scenario, tree_choose, NULL);
		result->schedules += !tree.over;
		result->repeated += tree.over;
		result->steps += tree.length;
		if (!result->wrong)
			result->complete = !tree_next();
	}
}

static uint64_t dice_next(void)
{
	uint64_t x = dice.state += 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static unsigned int dice_choose(void *arg, unsigned int enabled,
				unsigned int current,
				const struct point *pending)
{
	unsigned int best = first_of(enabled);

	(void)arg;
	(void)pending;
	if (tree.length == MOST_STEPS) {
		fputs("schedules: a schedule without an end\n", stderr);
		abort();
	}
	for (unsigned int i = 0; i < dice.changes; i++)
		if (dice.change[i] == tree.length)
			dice.priority[current] = dice.lowest--;
	for (unsigned int i = 0; i < tree.threads; i++)
		if (enabled >> i & 1 && dice.priority[i] > dice.priority[best])
			best = i;
	tree.path[tree.length++].chosen = (uint8_t)best;
	return best;
}

void explore_random(const struct scenario *scenario, uint64_t seed,
		    unsigned int depth, unsigned int length,
		    struct result *result)
{
	dice.state = seed;
	dice.lowest = 7;
	dice.changes = depth - 1;
	for (unsigned int i = 0; i < scenario->n; i++)
		dice.priority[i] =
			8 + (unsigned int)(dice_next() % 1000) * 4 + i;
	for (unsigned int i = 0; i < dice.changes; i++)
		dice.change[i] = (unsigned int)(dice_next() % length);
	tree.length = 0;
	tree.threads = scenario->n;
	coop_unlock_is_point = false;
	result->wrong = scenario_play(scenario, dice_choose, NULL);
	result->schedules++;
	result->steps += tree.length;
}

/* The schedule as text, one run of steps of a thread after the other. */
static const char *script;
static unsigned long script_left;
static unsigned int script_thread;

static unsigned int script_choose(void *arg, unsigned int enabled,
				  unsigned int current,
				  const struct point *pending)
{
	(void)arg;
	(void)pending;
	while (!script_left && *script) {
		char *end;

		script_thread = (unsigned int)strtoul(script, &end, 10);
		script_left = *end == '*' ? strtoul(end + 1, &end, 10) : 1;
		script = *end ? end + 1 : end;
	}
	script_left -= script_left != 0;
	if (script_thread >= MOST_THREADS || !(enabled >> script_thread & 1))
		script_thread = by_default(enabled, current);
	tree.path[tree.length++].chosen = (uint8_t)script_thread;
	return script_thread;
}

void explore_again(const struct scenario *scenario, const char *text,
		   struct result *result)
{
	script = text + (*text == 'u');
	script_left = 0;
	script_thread = MOST_THREADS;
	tree.length = 0;
	tree.threads = scenario->n;
	coop_unlock_is_point = *text == 'u';
	*result = (struct result){ .schedules = 1 };
	result->wrong = scenario_play(scenario, script_choose, NULL);
	result->steps = tree.length;
}

/* A leading "u" means that unlocks are steps, too. */
void explore_print(int fd)
{
	char text[32];
	size_t at = 0;

	if (coop_unlock_is_point && write(fd, "u", 1) < 0)
		return;
	while (at < tree.length) {
		unsigned int thread = tree.path[at].chosen;
		size_t from = at;
		int n;

		while (at < tree.length && tree.path[at].chosen == thread)
			at++;
		n = snprintf(text, sizeof(text), "%s%u*%zu", from ? "," : "",
			     thread, at - from);
		if (write(fd, text, (size_t)n) < 0)
			return;
	}
}
