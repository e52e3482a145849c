// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One thread gets, another puts: the first thread gets bulks and passes them on through a
 * small ring, and the other one puts them back. So a thread never puts what it got, and a
 * cache of one thread runs empty at one end and full at the other.
 *
 * The ring is the same for all contenders, and its cost is part of their times:
 *
 *     producer --- get --> slot 0 | 1 | ... | 7 --- put --> consumer
 *                          ^ done                  ^ made
 */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define SLOTS         8
#define OBJECTS       ((size_t)1 << 17)
#define MOST_BULKS    16384
#define SPINS_A_YIELD 1024

/* One turn: @made and @done count the bulks since it began. */
struct ring {
	const struct contender *who;
	size_t bulk;
	size_t bulks;
	pthread_barrier_t start;
	void *slots[SLOTS]; /* room for a bulk of pointers each */
	atomic_bool failed;
	double ns; /* per object */
	alignas(64) atomic_size_t made;
	alignas(64) atomic_size_t done;
};

/* Wait until the other thread has passed @past; each thread has its own processor. */
static void await(const atomic_size_t *count, size_t past)
{
	for (unsigned int spins = 1;
	     atomic_load_explicit(count, memory_order_acquire) <= past; spins++)
		if (!(spins % SPINS_A_YIELD))
			sched_yield();
}

static void produce(struct ring *ring, void *at)
{
	for (size_t i = 0; i < ring->bulks; i++) {
		if (i >= SLOTS)
			await(&ring->done, i - SLOTS);
		ring->who->get(at, ring->slots[i % SLOTS], ring->bulk);
		atomic_store_explicit(&ring->made, i + 1, memory_order_release);
	}
}

static void consume(struct ring *ring, void *at)
{
	uint64_t began = now_ns();

	for (size_t i = 0; i < ring->bulks; i++) {
		await(&ring->made, i);
		ring->who->put(at, ring->slots[i % SLOTS], ring->bulk);
		atomic_store_explicit(&ring->done, i + 1, memory_order_release);
	}
	ring->ns =
		(double)(now_ns() - began) / (double)(ring->bulks * ring->bulk);
}

static void run(struct ring *ring, int thread,
		void (*part)(struct ring *ring, void *at))
{
	void *at = ring->who->enter(thread);

	if (!at)
		ring->failed = true;
	pthread_barrier_wait(&ring->start);
	if (!ring->failed)
		part(ring, at);
	pthread_barrier_wait(&ring->start);
	if (at)
		ring->who->leave(at);
}

static void *producer(void *ring)
{
	run(ring, 1, produce);
	return NULL;
}

static void *consumer(void *ring)
{
	run(ring, 2, consume);
	return NULL;
}

static double pass(void *arg)
{
	struct ring *ring = arg;
	pthread_t threads[2];

	ring->made = ring->done = 0;
	ring->failed = false;
	ring->ns = 0;
	pthread_barrier_init(&ring->start, NULL, 2);
	if (pthread_create(&threads[0], NULL, producer, ring))
		return 0;
	if (pthread_create(&threads[1], NULL, consumer, ring))
		abort(); /* the producer waits for this thread */
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&ring->start);
	return ring->ns;
}

static int ring_open(struct ring *ring, const struct contender *who,
		     size_t bulk)
{
	ring->who = who;
	ring->bulk = bulk;
	ring->bulks = OBJECTS / bulk > MOST_BULKS ? MOST_BULKS : OBJECTS / bulk;
	for (int i = 0; i < SLOTS; i++) {
		ring->slots[i] = malloc(MOST_BULK * sizeof(void *));
		if (!ring->slots[i])
			return -ENOMEM;
	}
	return 0;
}

static void ring_close(struct ring *ring)
{
	for (int i = 0; i < SLOTS; i++)
		free(ring->slots[i]);
}

static int race(struct row *row, const struct contender *other, size_t bulk)
{
	static struct ring ours, theirs;
	int err = ring_open(&ours, &contender_magazine, bulk);

	if (!err)
		err = ring_open(&theirs, other, bulk);
	if (!err)
		err = compare(row, &(struct side){ pass, &ours },
			      &(struct side){ pass, &theirs });
	ring_close(&ours);
	ring_close(&theirs);
	return err;
}

int bench_pass(struct rows *rows)
{
	static const struct contender *const others[] = {
		&contender_rte, &contender_ttm, &contender_ttm_clears
	};
	static const size_t bulks[] = { 1, 64, 512 };
	char what[72];
	int err = 0;

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		for (size_t j = 0; !err && j < sizeof(bulks) / sizeof(*bulks);
		     j++) {
			snprintf(what, sizeof(what),
				 "got here, put there, %zu, beside %s",
				 bulks[j], others[i]->what);
			err = race(rows_add(rows, what, "pass-%zu-%s", bulks[j],
					    others[i]->name),
				   others[i], bulks[j]);
		}
	return err;
}
