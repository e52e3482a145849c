// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The failure matrix: the scenes of the fault sweep (sweep.h), with pairs of failures,
 * for a buffer of at most 16 pages.
 *
 *     matrix [SCENE]
 *
 * For each call that a scene makes, one run has that call fail, and counts the calls
 * again, because handling a failure makes other calls than success does. In further runs,
 * each of these calls fails, too. The machine decides which of the two calls comes first;
 * as every call is the first of some pair and the second of others, all ordered pairs are
 * among them. If the second call of a pair is never made because the first one has
 * failed, the pair cannot happen: it is played, and counted separately.
 *
 * The program prints a line for each scene, and one for all scenes. Each scene is a suite
 * of its own, so that the memory that its runs have allocated is freed with it.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep.h"

#define PAGES 13 /* chunks of 8, 4 and 1 pages */

/* How a first and a second call fail. */
static const struct tpsim_fault firsts[] = {
	{ .times = 1 },
	{ .times = 1, .after = 1 },
};

static const struct tpsim_fault seconds[] = {
	{ .times = 1 },
	{ .times = UINT_MAX },
	{ .times = UINT_MAX, .after = 1 },
};

#define NR_FIRSTS  (sizeof(firsts) / sizeof(*firsts))
#define NR_SECONDS (sizeof(seconds) / sizeof(*seconds))

struct cells {
	unsigned long kinds;    /* of calls that it makes */
	unsigned long points;   /* calls that it makes when nothing fails */
	unsigned long pairs;    /* pairs of failures that happened */
	unsigned long excluded; /* pairs that exclude each other */
};

static const struct scene *scene;
static struct cells cells, total;

static const char *play_pair(struct check *t, const struct tpsim_fault *pair)
{
	unsigned long struck = 0;
	const char *wrong = sweep_point(t, scene, pair, 2, &struck);

	/* A fault that lasts may strike more than twice. */
	if (struck > 1)
		cells.pairs++;
	else
		cells.excluded++;
	if (wrong)
		fprintf(stderr, "%s: %s %lu, after %zu; %s %lu, after %zu%s\n",
			scene->name, tpsim_call_name(pair[0].call), pair[0].nth,
			pair[0].after, tpsim_call_name(pair[1].call),
			pair[1].nth, pair[1].after,
			pair[1].times == UINT_MAX ? ", for good" : "");
	return wrong;
}

/* Play the scene with this failure and each other one that it makes possible. */
static const char *play_seconds(struct check *t,
				const struct tpsim_fault *first)
{
	unsigned long calls[TPSIM_CALL_COUNT];
	const char *wrong = sweep_count(t, scene, first, calls);

	for (int c = 0; c < TPSIM_CALL_COUNT && !wrong; c++)
		for (unsigned long i = 0; i < NR_SECONDS * calls[c]; i++) {
			struct tpsim_fault pair[2] = {
				*first, seconds[i % NR_SECONDS]
			};

			pair[1].call = (enum tpsim_call)c;
			pair[1].nth = 1 + i / NR_SECONDS;
			if (pair[1].call == first->call &&
			    pair[1].nth == first->nth)
				continue;
			wrong = play_pair(t, pair);
			if (wrong)
				break;
		}
	return wrong;
}

/* The library survives every pair of failures of this scene. */
static void every_pair_of_failures_is_survived(struct check *t)
{
	unsigned long calls[TPSIM_CALL_COUNT];
	const char *wrong;

	sweep_pages = PAGES;
	wrong = sweep_count(t, scene, NULL, calls);
	for (int c = 0; c < TPSIM_CALL_COUNT && !wrong; c++) {
		cells.points += calls[c];
		cells.kinds += calls[c] != 0;
		for (unsigned long i = 0; i < NR_FIRSTS * calls[c] && !wrong;
		     i++) {
			struct tpsim_fault first = firsts[i % NR_FIRSTS];

			first.call = (enum tpsim_call)c;
			first.nth = 1 + i / NR_FIRSTS;
			wrong = play_seconds(t, &first);
		}
	}
	if (wrong)
		check_fail(t, __FILE__, __LINE__, wrong, NULL);
}

CHECK_SUITE(matrix, CHECK_CASE(every_pair_of_failures_is_survived));

static int play(const struct scene *of)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 1024 };
	char *argv[] = { (char *)"matrix", NULL };
	int failed;

	scene = of;
	cells = (struct cells){ 0 };
	failed = check_main(1, argv, &check_suite_matrix, &config);
	printf("matrix: %-18s %2lu kinds of %3lu calls, %5lu pairs happened, "
	       "%4lu exclude each other\n",
	       scene->name, cells.kinds, cells.points, cells.pairs,
	       cells.excluded);
	total.kinds += cells.kinds;
	total.points += cells.points;
	total.pairs += cells.pairs;
	total.excluded += cells.excluded;
	return failed;
}

int main(int argc, char **argv)
{
	unsigned long scenes = 0;
	int failed = 0;

	for (size_t i = 0; i < sweep_pages_nr + sweep_moves_nr; i++) {
		const struct scene *of =
			i < sweep_pages_nr
				? &sweep_pages_scenes[i]
				: &sweep_moves_scenes[i - sweep_pages_nr];

		if (argc > 1 && strcmp(argv[1], of->name))
			continue;
		scenes++;
		failed |= play(of);
	}
	printf("matrix: %lu of %lu pairs of failures tried: %lu happened, %lu "
	       "exclude each other; %lu cells of %lu operations, with %lu "
	       "calls\n",
	       total.pairs + total.excluded, total.pairs + total.excluded,
	       total.pairs, total.excluded, total.kinds, scenes, total.points);
	return failed || !total.pairs ? EXIT_FAILURE : EXIT_SUCCESS;
}
