// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bulks of objects, got and put, in nanoseconds per object: ours compared with each of
 * the others, in turns, in bulks of several sizes, by one thread and by two at once.
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
	double ns; /* per object; 0 if the thread could not begin */
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

/* The contender that gets and puts, and the number of objects at once. */
struct bulks {
	const struct contender *who;
	size_t bulk;
};

/* One thread: nanoseconds per object. */
static double alone(void *arg)
{
	const struct bulks *bulks = arg;
	struct turn turn = { .who = bulks->who, .bulk = bulks->bulk };

	turn_run(&turn);
	return turn.ns;
}

/* Two threads at once: nanoseconds per object, for both together. */
static double together(void *arg)
{
	const struct bulks *bulks = arg;
	struct turn turns[2];
	pthread_barrier_t start;
	pthread_t threads[2];

	pthread_barrier_init(&start, NULL, 2);
	for (int i = 0; i < 2; i++) {
		turns[i] = (struct turn){ .who = bulks->who,
					  .thread = i + 1,
					  .bulk = bulks->bulk,
					  .start = &start };
		if (pthread_create(&threads[i], NULL, turn_run, &turns[i]))
			return 0;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
	return 1 / (1 / turns[0].ns + 1 / turns[1].ns);
}

/* Ours and another contender, in turns. */
static int race(struct row *row, const struct contender *other, size_t bulk,
		double (*by)(void *arg))
{
	struct bulks ours = { &contender_magazine, bulk };
	struct bulks theirs = { other, bulk };

	return compare(row, &(struct side){ by, &ours },
		       &(struct side){ by, &theirs });
}

/* How much more do twice as many threads do? */
static int scale(struct rows *rows)
{
	struct row *row = rows_add(
		rows, "two threads, 64 each: how much more is done", "T12");
	struct bulks ours = { &contender_magazine, 64 };

	row->goal = 1.9;
	return compare(row, &(struct side){ together, &ours },
		       &(struct side){ alone, &ours });
}

/* Counts, which are the same every time. */
static int count(struct rows *rows)
{
	struct turn turn = { .who = &contender_magazine, .bulk = 64 };
	struct row *row;
	uint64_t before;

	turn_run(&turn);
	before = magazine_cleared();
	turn_run(&turn);
	if (!(turn.ns > 0))
		return -ENOMEM;
	row = rows_add(rows, "locks taken in 16384 rounds of 64", "T12-locks");
	row->ours = (double)turn.locks;
	row->unit = "locks";
	row->at_most = true;
	row = rows_add(rows, "bytes cleared in them, for the same owner", "T6");
	/* What enter took from the pool was cleared; the rounds must not clear. */
	row->ours = (double)(magazine_cleared() - before) -
		    (double)MOST_BULK * 4096;
	row->other = 4096.0 * OBJECTS_A_TURN;
	row->unit = "bytes";
	row->at_most = true;
	return 0;
}

/* Compare with one other contender, in bulks of all sizes. */
static int race_all(struct rows *rows, const struct contender *other,
		    bool two_threads)
{
	static const size_t bulks[] = { 1, 32, 64, 512 };
	char what[72];
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(bulks) / sizeof(*bulks); i++) {
		snprintf(what, sizeof(what), "get and put of %zu, beside %s%s",
			 bulks[i], other->what,
			 two_threads ? "; two threads" : "");
		err = race(rows_add(rows, what, "bulk-%zu-%s%s", bulks[i],
				    other->name, two_threads ? "-2t" : ""),
			   other, bulks[i], two_threads ? together : alone);
	}
	return err;
}

int bench_bulk(struct rows *rows)
{
	static const struct contender *const others[] = { &contender_rte,
							  &contender_ttm,
							  &contender_mutex };
	struct row *target =
		rows_add(rows, "get and put of 64, beside rte_mempool", "T11");
	int err = race(target, &contender_rte, 64, alone);

	target->goal = 1;
	if (!err)
		err = scale(rows);
	if (!err)
		err = count(rows);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		for (int two = 0; !err && two < 2; two++)
			err = race_all(rows, others[i], two);
	if (!err)
		err = race(rows_add(rows,
				    "of 64, beside our pool, which clears",
				    "bulk-64-runs"),
			   &contender_runs, 64, alone);
	return err;
}
