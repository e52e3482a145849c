// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bulks of objects, got and put, in nanoseconds an object: ours beside each of the
 * others, by turns, in bulks of several sizes; and by two threads at once.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "bench.h"

#define OBJECTS_A_TURN ((size_t)1 << 20)

/* One turn of one thread. */
struct turn {
	const struct contender *who;
	int thread;
	size_t bulk;
	double ns; /* an object; 0 if it could not begin */
	unsigned long locks;
	pthread_barrier_t *start;
};

static void *turn_run(void *arg)
{
	struct turn *turn = arg;
	size_t rounds = OBJECTS_A_TURN / turn->bulk;
	void *at = turn->who->enter(turn->thread);
	uint64_t began;

	if (turn->start)
		pthread_barrier_wait(turn->start);
	if (!at)
		return NULL;
	turn->who->rounds(at, turn->bulk, rounds / 16);
	began = now_ns();
	turn->who->rounds(at, turn->bulk, rounds);
	turn->ns = (double)(now_ns() - began) / (double)(rounds * turn->bulk);
	turn->locks = magazine_locks();
	turn->who->leave(at);
	return NULL;
}

/* By one thread: nanoseconds an object. */
static double alone(const struct contender *who, size_t bulk,
		    unsigned long *locks)
{
	struct turn turn = { .who = who, .bulk = bulk };

	turn_run(&turn);
	if (locks)
		*locks = turn.locks;
	return turn.ns;
}

/* By two threads at once: nanoseconds an object, for both together. */
static double together(const struct contender *who, size_t bulk)
{
	struct turn turns[2];
	pthread_barrier_t start;
	pthread_t threads[2];

	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++) {
		turns[i] = (struct turn){ .who = who,
					  .thread = i + 1,
					  .bulk = bulk,
					  .start = &start };
		if (pthread_create(&threads[i], NULL, turn_run, &turns[i]))
			return 0;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	return 1 / (1 / turns[0].ns + 1 / turns[1].ns);
}

/* Ours and another, by turns. */
static int race(const struct contender *other, size_t bulk, struct row *row)
{
	struct pairs pairs = { .n = PAIRS };

	for (int i = 0; i < PAIRS; i++) {
		pairs.ours[i] = alone(&contender_magazine, bulk, NULL);
		pairs.other[i] = alone(other, bulk, NULL);
		if (!(pairs.ours[i] > 0) || !(pairs.other[i] > 0))
			return -ENOMEM;
	}
	row->unit = "ns";
	pairs_row(&pairs, row);
	return 0;
}

/* Twice as many threads: how many times as much is done? */
static int scale(struct row *row)
{
	struct pairs pairs = { .n = PAIRS };

	for (int i = 0; i < PAIRS; i++) {
		pairs.other[i] = alone(&contender_magazine, 64, NULL);
		pairs.ours[i] = together(&contender_magazine, 64);
		if (!(pairs.ours[i] > 0))
			return -ENOMEM;
	}
	row->unit = "ns";
	pairs_row(&pairs, row);
	return 0;
}

/* Counts, which are the same every time. */
static int count(struct row *locks, struct row *cleared)
{
	unsigned long taken;
	uint64_t before;

	alone(&contender_magazine, 64, NULL);
	before = magazine_cleared();
	if (!(alone(&contender_magazine, 64, &taken) > 0))
		return -ENOMEM;
	locks->ours = (double)taken;
	/* What entering took of the pool was cleared; the rounds must not. */
	cleared->ours = (double)(magazine_cleared() - before) - 512 * 4096;
	return 0;
}

static const struct {
	const struct contender *other;
	size_t bulk;
	const char *name;
	const char *what;
	double goal;
} races[] = {
	{ &contender_rte, 64, "T11", "get and put of 64, beside rte_mempool",
	  1 },
	{ &contender_rte, 1, "", "of 1", 0 },
	{ &contender_rte, 32, "", "of 32", 0 },
	{ &contender_rte, 512, "", "of 512", 0 },
	{ &contender_ttm, 1, "", "of 1, beside TTM's pattern", 0 },
	{ &contender_ttm, 64, "", "of 64", 0 },
	{ &contender_mutex, 64, "", "of 64, beside a list with a mutex", 0 },
	{ &contender_runs, 64, "", "of 64, beside our pool, which clears", 0 },
};

#define NR_RACES (sizeof(races) / sizeof(*races))
_Static_assert(NR_RACES + 3 == BULK_ROWS, "a row for each, and three more");

int bench_bulk(struct row *rows)
{
	struct row *rest = rows + NR_RACES;
	int err = contender_magazine.open(2);

	if (!err)
		err = contender_rte.open(2);
	if (!err)
		err = contender_ttm.open(2);
	for (size_t i = 0; !err && i < NR_RACES; i++) {
		rows[i] = (struct row){ .name = races[i].name,
					.what = races[i].what,
					.goal = races[i].goal };
		err = race(races[i].other, races[i].bulk, &rows[i]);
	}
	rest[0] = (struct row){
		.name = "T12",
		.what = "two threads, 64 each: how much more is done",
		.goal = 1.9
	};
	rest[1] = (struct row){ .name = "T12-locks",
				.what = "locks taken in 16384 rounds of 64",
				.unit = "locks",
				.at_most = true };
	rest[2] = (struct row){
		.name = "T6",
		.what = "bytes cleared in them, for the same owner",
		.other = 4096.0 * OBJECTS_A_TURN,
		.unit = "bytes",
		.at_most = true
	};
	if (!err)
		err = scale(&rest[0]);
	if (!err)
		err = count(&rest[1], &rest[2]);
	if (err)
		fprintf(stderr, "bench: bulk: %d\n", err);
	return err;
}
