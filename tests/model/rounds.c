// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A round: some steps on their own world, in their own process, so that a failed
 * assertion ends only the round.
 *
 * A round that fails is shortened: steps are left out, half of them, a quarter, and so on
 * down to single steps, as long as the round still fails, and again until none can be
 * left out. (Zeller's ddmin, without its complements: a step that is left out changes
 * what the others do, but not which steps they are.)
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

/* Show what the step is going to do. */
static void show_step(struct world *w, const struct step *step)
{
	const struct item *item = &w->items[step->buffer];

	printf("  %-16s buffer %u, %s, %zu pages", step_name(w, step),
	       step->buffer, ttmpool_tt_state_name(item->be.tt.state),
	       item->be.tt.num_pages);
	if (step->fails)
		printf("; %s %lu fails", tpsim_call_name(step->fault.call),
		       step->fault.nth);
	if (step->signal)
		printf("; a signal");
	putchar('\n');
	fflush(stdout);
}

/* Show the state of the world after a wrong step. */
static void show_wrong(const struct world *w)
{
	printf("  ... returned %d\nwrong: %s\n", w->err, w->wrong);
}

/* Play the script in this process; returns what was wrong, or NULL. */
static const char *play(const struct script *script, struct tally *tally)
{
	static struct world w;

	world_open(&w, script->seed, script->page_shift);
	for (size_t i = 0; i < script->n && !w.wrong; i++) {
		struct step step;

		random_step(&w, mix(script->seed ^ mix(script->steps[i])),
			    &step);
		if (script->verbose)
			show_step(&w, &step);
		play_step(&w, &step);
		if (script->log)
			log_step(&w);
	}
	if (!w.wrong)
		check_all(&w);
	if (w.wrong && script->verbose)
		show_wrong(&w);
	if (tally) {
		tally->steps += w.tally.steps;
		tally->did += w.tally.did;
		tally->refused += w.tally.refused;
		tally->failed += w.tally.failed;
		tally->struck += w.tally.struck;
		tally->stale += w.tally.stale;
	}
	if (!w.wrong)
		world_close(&w);
	return w.wrong;
}

void script_whole(struct script *script, uint64_t seed, size_t n)
{
	script->seed = seed;
	script->n = n;
	for (size_t i = 0; i < n; i++)
		script->steps[i] = (unsigned int)i;
}

bool script_is_good(const struct script *script, struct tally *tally)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!pid) {
		bool wrong;

		if (!script->verbose && !freopen("/dev/null", "w", stderr))
			_exit(2);
		wrong = play(script, tally);
		fflush(NULL);
		_exit(wrong);
	}
	if (waitpid(pid, &status, 0) != pid)
		exit(2);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Leave out runs of @size steps; returns whether any could be left out. */
static bool leave_out(struct script *script, size_t size)
{
	bool any = false;
	size_t at = 0;

	while (at < script->n) {
		size_t rest = script->n - at;
		size_t cut = size < rest ? size : rest;
		struct script less = *script;

		memmove(less.steps + at, less.steps + at + cut,
			(rest - cut) * sizeof(*less.steps));
		less.n -= cut;
		if (script_is_good(&less, NULL)) {
			at += cut;
		} else {
			*script = less;
			any = true;
		}
	}
	return any;
}

void script_shorten(struct script *script)
{
	for (size_t size = script->n / 2; size; size /= 2)
		leave_out(script, size);
	while (leave_out(script, 1))
		;
}

void script_show(struct script *script)
{
	script->verbose = true;
	script_is_good(script, NULL);
	printf("again: --seed %llu --only ", (unsigned long long)script->seed);
	for (size_t i = 0; i < script->n; i++)
		printf("%s%u", i ? "," : "", script->steps[i]);
	putchar('\n');
}
