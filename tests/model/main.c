// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The random model test: see world.h.
 *
 *     test_model [--steps N] [--seed S] [--jobs J] [--page-shift 12|14|16]
 *     test_model --seed S --only N,N,...   only these steps, one a line
 *     test_model --log [--steps N] ...     the result of each step
 *
 * The steps are made in rounds of 10,000. Each round has its own machine, seed and
 * process; J rounds run at once. A round that fails is shortened, and printed.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rounds.h"

#define MOST_JOBS 64

/**
 * struct run - what to do
 * @tallies: one for each job, shared with the processes of its rounds
 */
struct run {
	uint64_t seed;
	unsigned long long steps;
	unsigned int jobs;
	unsigned int page_shift;
	const char *only;
	bool log;
	struct tally *tallies;
};

/* Report a round that has failed. */
static void tell(struct script *script)
{
	printf("model: seed %llu fails; making it short\n",
	       (unsigned long long)script->seed);
	fflush(stdout);
	script_shorten(script);
	script_show(script);
	printf("model: %zu steps of seed %llu, 1 failed\n", script->n,
	       (unsigned long long)script->seed);
}

/* Play every J-th round, beginning with that of this job. */
static int play_rounds(const struct run *run, unsigned int job)
{
	static struct script script;
	unsigned long long done = (unsigned long long)job * ROUND;

	for (; done < run->steps;
	     done += (unsigned long long)run->jobs * ROUND) {
		unsigned long long rest = run->steps - done;

		script.page_shift = run->page_shift;
		script.log = run->log;
		script_whole(&script, run->seed + done / ROUND,
			     rest < ROUND ? (size_t)rest : ROUND);
		if (!script_is_good(&script, &run->tallies[job])) {
			script.log = false;
			tell(&script);
			return 1;
		}
	}
	return 0;
}

/* Run the jobs at the same time; returns how many of them failed. */
static unsigned int play_jobs(const struct run *run)
{
	unsigned int failed = 0;

	fflush(NULL);
	for (unsigned int job = 0; job < run->jobs; job++) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("fork");
			exit(2);
		}
		if (!pid) {
			int status = play_rounds(run, job);

			fflush(NULL);
			_exit(status);
		}
	}
	for (unsigned int job = 0; job < run->jobs; job++) {
		int status;

		if (wait(&status) < 0)
			exit(2);
		failed += !WIFEXITED(status) || WEXITSTATUS(status);
	}
	return failed;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static int play_all(struct run *run)
{
	struct tally sum = { 0 };
	unsigned int failed;

	run->tallies = mmap(NULL, MOST_JOBS * sizeof(*run->tallies),
			    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	if (run->tallies == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	failed = play_jobs(run);
	if (failed)
		return 1;
	for (unsigned int job = 0; job < run->jobs; job++) {
		sum.steps += run->tallies[job].steps;
		sum.did += run->tallies[job].did;
		sum.refused += run->tallies[job].refused;
		sum.failed += run->tallies[job].failed;
		sum.struck += run->tallies[job].struck;
		sum.stale += run->tallies[job].stale;
	}
	if (run->log)
		return 0;
	printf("model: %llu steps from seed %llu (%.0f %% did what they are "
	       "for, "
	       "%.0f %% were refused, %.0f %% failed for a reason; %llu "
	       "failures "
	       "planned, %llu stale addresses faulted), 0 failed\n",
	       (unsigned long long)sum.steps, (unsigned long long)run->seed,
	       percent(sum.did, sum.steps), percent(sum.refused, sum.steps),
	       percent(sum.failed, sum.steps), (unsigned long long)sum.struck,
	       (unsigned long long)sum.stale);
	return 0;
}

/* Play only the steps that @list names. */
static int play_only(const struct run *run)
{
	static struct script script;
	const char *list = run->only;

	script.seed = run->seed;
	script.page_shift = run->page_shift;
	while (*list && script.n < ROUND) {
		char *end;

		script.steps[script.n++] =
			(unsigned int)strtoul(list, &end, 10);
		list = *end ? end + 1 : end;
	}
	script.verbose = true;
	if (!script_is_good(&script, NULL))
		return 1;
	printf("model: %zu steps of seed %llu, 0 failed\n", script.n,
	       (unsigned long long)script.seed);
	return 0;
}

static bool parse(struct run *run, const char *name, const char *value)
{
	if (!strcmp(name, "--steps"))
		run->steps = strtoull(value, NULL, 10);
	else if (!strcmp(name, "--seed"))
		run->seed = strtoull(value, NULL, 10);
	else if (!strcmp(name, "--jobs"))
		run->jobs = (unsigned int)strtoul(value, NULL, 10);
	else if (!strcmp(name, "--page-shift"))
		run->page_shift = (unsigned int)strtoul(value, NULL, 10);
	else if (!strcmp(name, "--only"))
		run->only = value;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct run run = { .seed = 1, .steps = 2 * ROUND, .jobs = 1 };
	bool good = true;

	for (int i = 1; i < argc && good; i++) {
		if (!strcmp(argv[i], "--log"))
			run.log = true;
		else if (i + 1 < argc)
			good = parse(&run, argv[i], argv[i + 1]), i++;
		else
			good = false;
	}
	if (!good || !run.steps || !run.jobs || run.jobs > MOST_JOBS) {
		fprintf(stderr,
			"usage: %s [--steps N] [--seed S] [--jobs J] [--log]\n"
			"       [--page-shift 12|14|16] [--only N,N,...]\n",
			argv[0]);
		return 2;
	}
	return run.only ? play_only(&run) : play_all(&run);
}
