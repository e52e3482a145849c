/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BENCH_H
#define BENCH_H

#include "measure.h"

/** bench_clear() - T5: clearing, compared with the same stores written out. */
int bench_clear(struct rows *rows);

/** bench_bulk() - T6, T11, T12: get and put single pages in bulks. */
int bench_bulk(struct rows *rows);

/** bench_pass() - one thread gets bulks and another puts them. */
int bench_pass(struct rows *rows);

/** bench_buffers() - whole buffers, compared with malloc() and mmap(). */
int bench_buffers(struct rows *rows);

/** struct contender - what bulks are compared with
 * @name: short, for rows
 * @what: for people
 * @open: prepare it, once
 * @enter: a thread begins, 0 for the one that starts all others; returns the thread's own
 *	state, or NULL
 * @rounds: of a get and a put of @bulk each
 * @get: fill @to, which has room for @bulk pointers
 * @put: give them back, perhaps got by another thread
 * @leave: the thread ends */
struct contender {
	const char *name;
	const char *what;
	int (*open)(void);
	void *(*enter)(int thread);
	void (*rounds)(void *at, size_t bulk, size_t rounds);
	void (*get)(void *at, void *to, size_t bulk);
	void (*put)(void *at, void *from, size_t bulk);
	void (*leave)(void *at);
};

#define MOST_BULK 512

extern const struct contender contender_magazine;
extern const struct contender contender_runs;
extern const struct contender contender_rte;
extern const struct contender contender_ttm;
extern const struct contender contender_ttm_clears;
extern const struct contender contender_mutex;

/** magazine_locks() - locks that this thread has taken since it entered. */
unsigned long magazine_locks(void);

/** magazine_cleared() - bytes that the pool has cleared since it was opened. */
uint64_t magazine_cleared(void);

#endif
