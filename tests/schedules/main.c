// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Explores the schedules of threads that use the library: see coop.h.
 *
 *     schedules pairs                all schedules of any two operations, or those
 *                                    with at most three preemptions, if there are
 *                                    more than 50,000
 *     schedules all OPS/OPS [K]      all schedules of one scenario, or those with at
 *                                    most K preemptions
 *     schedules bounded K N SEED     N scenarios of two threads with eight
 *                                    operations, each with all schedules of at
 *                                    most K preemptions
 *     schedules random N SEED        N schedules of three and four threads, by
 *                                    random priorities
 *     schedules again OPS/OPS... SCHEDULE  one schedule
 *     schedules --plant FAULT ...    with a planted fault, which must be found
 *
 * Each fault is printed with the scenario and the schedule that lead to it.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "explore.h"

#define MOST_EACH  50000ull /* schedules of a pair, before a bound is set */
#define PAIR_BOUND 3u
#define NO_END     ((unsigned long long)-1)
#define DEPTH      4

static const char *const plants[NR_PLANTS] = { "none", "trylock", "mutex",
					       "atomic" };

/* The scenario that is being played, for the report of a failure. */
static char playing[MOST_THREADS * (MOST_OPS + 1) + 1];

/* Calls only functions that are safe in a signal handler, or as good as safe there. */
static void tell(const char *wrong)
{
	static const char again[] = "again: schedules again ";

	if (write(STDOUT_FILENO, "wrong: ", 7) < 0 ||
	    write(STDOUT_FILENO, wrong, strlen(wrong)) < 0 ||
	    write(STDOUT_FILENO, "\n", 1) < 0 ||
	    write(STDOUT_FILENO, again, sizeof(again) - 1) < 0 ||
	    write(STDOUT_FILENO, playing, strlen(playing)) < 0 ||
	    write(STDOUT_FILENO, " ", 1) < 0)
		_exit(2);
	explore_print(STDOUT_FILENO);
	if (write(STDOUT_FILENO, "\n", 1) < 0)
		_exit(2);
}

static void on_signal(int signal)
{
	tell(signal == SIGABRT ? "an assertion, see above"
			       : "an access to no memory");
	_exit(1);
}

static int end(const char *how, const struct result *result)
{
	if (result->wrong) {
		tell(result->wrong);
		printf("schedules: %s: 1 failed\n", how);
		return 1;
	}
	printf("schedules: %s: %llu schedules of %llu steps, 0 failed\n", how,
	       result->schedules, result->steps);
	return 0;
}

static void add(struct result *sum, const struct result *one)
{
	sum->schedules += one->schedules;
	sum->repeated += one->repeated;
	sum->steps += one->steps;
	sum->complete += one->complete;
	sum->wrong = one->wrong;
}

/* Explore each operation with each other one, after each thread has got its buffer. */
static int play_pairs(void)
{
	size_t n = strlen(scenario_letters);
	struct result sum = { 0 }, one;
	unsigned int pairs = 0, complete = 0;
	char how[160];

	for (size_t i = 0; i < n && !sum.wrong; i++) {
		for (size_t j = i; j < n && !sum.wrong; j++) {
			struct scenario scenario = { .n = 2 };

			scenario.ops[0][0] = scenario_letters[i];
			scenario.ops[1][0] = scenario_letters[j];
			scenario_print(&scenario, playing);
			explore_all(&scenario, NO_BOUND, MOST_EACH, &one);
			add(&sum, &one);
			pairs++;
			complete += one.complete;
			if (one.wrong || one.complete)
				continue;
			explore_all(&scenario, PAIR_BOUND, NO_END, &one);
			add(&sum, &one);
		}
	}
	snprintf(
		how, sizeof(how),
		"%u pairs of operations, %u of them in all orders that matter, "
		"the others in all of at most %u preemptions",
		pairs, complete, PAIR_BOUND);
	return end(how, &sum);
}

/* Explore one scenario: all schedules, or all with at most @most preemptions. */
static int play_one(const char *ops, unsigned int most)
{
	struct scenario scenario;
	struct result result;

	if (!scenario_parse(&scenario, ops)) {
		fprintf(stderr, "schedules: no such scenario: %s\n", ops);
		return 2;
	}
	scenario_print(&scenario, playing);
	explore_all(&scenario, most, NO_END, &result);
	return end(most == NO_BOUND ? "all of them" : "few preemptions",
		   &result);
}

static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void random_scenario(struct scenario *scenario, unsigned int threads,
			    unsigned int ops, uint64_t seed)
{
	size_t n = strlen(scenario_letters);

	*scenario = (struct scenario){ .n = threads };
	for (unsigned int i = 0; i < threads; i++)
		for (unsigned int j = 0; j < ops; j++)
			scenario->ops[i][j] =
				scenario_letters[mix(seed ^ mix(i * 64 + j)) %
						 n];
	scenario_print(scenario, playing);
}

static int play_bounded(unsigned int bound, unsigned long scenarios,
			uint64_t seed)
{
	struct result sum = { 0 }, one;
	struct scenario scenario;
	char how[160];

	for (unsigned long i = 0; i < scenarios && !sum.wrong; i++) {
		random_scenario(&scenario, 2, MOST_OPS, mix(seed + i));
		explore_all(&scenario, bound, NO_END, &one);
		add(&sum, &one);
	}
	snprintf(
		how, sizeof(how),
		"%lu scenarios of 2 threads with %d operations, all of at most "
		"%u preemptions",
		scenarios, MOST_OPS, bound);
	return end(how, &sum);
}

static int play_random(unsigned long schedules, uint64_t seed)
{
	struct result sum = { 0 };
	struct scenario scenario;
	unsigned long long steps = 0;
	unsigned int length = 400;

	for (unsigned long i = 0; i < schedules && !sum.wrong; i++) {
		uint64_t r = mix(seed + i);

		if (i % 16 == 0) /* a new scenario; its length */
			random_scenario(&scenario, 3 + (i >> 4 & 1), 5, r);
		else
			length = (unsigned int)(sum.steps - steps);
		steps = sum.steps;
		explore_random(&scenario, r, 1 + r % DEPTH, length, &sum);
	}
	return end("3 and 4 threads by random priorities", &sum);
}

static int play_again(const char *ops, const char *schedule)
{
	struct result result;
	struct scenario scenario;

	if (!scenario_parse(&scenario, ops)) {
		fprintf(stderr, "schedules: no such scenario: %s\n", ops);
		return 2;
	}
	scenario_print(&scenario, playing);
	explore_again(&scenario, schedule, &result);
	return end("once more", &result);
}

static bool plant(const char *name)
{
	for (int i = 0; i < NR_PLANTS; i++) {
		if (!strcmp(name, plants[i])) {
			coop_plant = (enum coop_plant)i;
			return true;
		}
	}
	return false;
}

static int usage(void)
{
	fputs("usage: schedules [--plant trylock|mutex|atomic]\n"
	      "       pairs | all OPS/OPS [K] | bounded K N SEED |\n"
	      "       random N SEED |\n"
	      "       again OPS/OPS... SCHEDULE\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	if (argc > 2 && !strcmp(argv[1], "--plant")) {
		if (!plant(argv[2]))
			return usage();
		argc -= 2;
		argv += 2;
	}
	if (argc == 2 && !strcmp(argv[1], "pairs"))
		return play_pairs();
	if (argc == 3 && !strcmp(argv[1], "all"))
		return play_one(argv[2], NO_BOUND);
	if (argc == 4 && !strcmp(argv[1], "all"))
		return play_one(argv[2],
				(unsigned int)strtoul(argv[3], NULL, 10));
	if (argc == 5 && !strcmp(argv[1], "bounded"))
		return play_bounded((unsigned int)strtoul(argv[2], NULL, 10),
				    strtoul(argv[3], NULL, 10),
				    strtoull(argv[4], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "random"))
		return play_random(strtoul(argv[2], NULL, 10),
				   strtoull(argv[3], NULL, 10));
	if (argc == 4 && !strcmp(argv[1], "again"))
		return play_again(argv[2], argv[3]);
	return usage();
}
