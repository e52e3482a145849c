// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The random model test: see world.h.
 *
 *     test_model [--steps N] [--seed S]
 *
 * The steps are made in rounds of 10,000, each on a machine of its own, in a
 * process of its own, so that an assertion that fails ends the round alone. A
 * round that fails is cut down: steps are left out, half of them, a quarter,
 * and so on down to single ones, as long as it still fails; what is left is
 * printed.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "world.h"

#define ROUND 10000

/**
 * struct script - what to play
 * @seed: each step follows from this and from its number
 * @steps: the numbers of the steps, in order
 * @n: how many
 * @verbose: print each step
 */
struct script {
	uint64_t seed;
	unsigned int steps[ROUND];
	size_t n;
	bool verbose;
};

/* Play it here; the number of steps that were all right. */
static size_t play(const struct script *script, const char **wrong)
{
	static struct world w;
	size_t i;

	world_open(&w, script->seed);
	for (i = 0; i < script->n && !w.wrong; i++)
		make_step(&w, mix(script->seed ^ mix(script->steps[i])),
			  script->verbose);
	if (w.wrong && script->verbose)
		printf("  ... returned %d\n", w.err);
	*wrong = w.wrong;
	if (w.wrong)
		return i - 1;
	check_sums(&w);
	*wrong = w.wrong;
	if (!w.wrong)
		world_close(&w);
	return i;
}

/* Play it in a process of its own. Returns whether all was right. */
static bool is_good(const struct script *script)
{
	const char *wrong;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		perror("fork");
		exit(2);
	}
	if (!pid) {
		if (!script->verbose && !freopen("/dev/null", "w", stderr))
			_exit(2);
		play(script, &wrong);
		if (wrong && script->verbose)
			printf("wrong: %s\n", wrong);
		fflush(NULL);
		_exit(wrong != NULL);
	}
	if (waitpid(pid, &status, 0) != pid)
		exit(2);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Leave out what is not needed for it to fail. */
static void shorten(struct script *script)
{
	for (size_t size = script->n / 2; size; size /= 2) {
		size_t at = 0;

		while (at < script->n) {
			size_t cut = size < script->n - at ? size
							   : script->n - at;
			struct script less = *script;

			memmove(less.steps + at, less.steps + at + cut,
				(less.n - at - cut) * sizeof(*less.steps));
			less.n -= cut;
			if (is_good(&less))
				at += cut;
			else
				*script = less;
		}
	}
}

static int play_rounds(uint64_t seed, unsigned long steps)
{
	static struct script script;
	unsigned long done = 0;

	while (done < steps) {
		script.seed = seed + done / ROUND;
		script.n = steps - done < ROUND ? steps - done : ROUND;
		for (size_t i = 0; i < script.n; i++)
			script.steps[i] = (unsigned int)i;
		if (!is_good(&script)) {
			printf("model: seed %llu fails; making it short\n",
			       (unsigned long long)script.seed);
			shorten(&script);
			script.verbose = true;
			is_good(&script);
			printf("model: %zu steps of seed %llu, 1 failed\n",
			       script.n, (unsigned long long)script.seed);
			return 1;
		}
		done += script.n;
	}
	printf("model: %lu steps from seed %llu, 0 failed\n", done,
	       (unsigned long long)seed);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long steps = 2 * ROUND;
	uint64_t seed = 1;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--steps"))
			steps = strtoul(argv[i + 1], NULL, 10);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 10);
		else
			steps = 0;
	}
	if (!(argc % 2) || !steps) {
		fprintf(stderr, "usage: %s [--steps N] [--seed S]\n", argv[0]);
		return 2;
	}
	return play_rounds(seed, steps);
}
