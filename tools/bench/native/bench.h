/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BENCH_H
#define BENCH_H

#include "measure.h"

/** bench_clear() - T5: clearing, beside the same stores written out. */
int bench_clear(struct row *rows);
#define CLEAR_ROWS 2

/** bench_bulk() - T6, T11, T12: bulks of single pages, got and put. */
int bench_bulk(struct row *rows);
#define BULK_ROWS 11

/*
 * What bulks are compared with: rounds of a get and a put of @bulk each.
 * @open may be called by each thread once.
 */
struct contender {
	const char *name;
	int (*open)(int threads);
	void *(*enter)(int thread);
	void (*rounds)(void *at, size_t bulk, size_t rounds);
	void (*leave)(void *at);
	void (*close)(void);
};

extern const struct contender contender_magazine;
extern const struct contender contender_runs;
extern const struct contender contender_rte;
extern const struct contender contender_ttm;
extern const struct contender contender_mutex;

/** magazine_locks() - locks that this thread took since it entered. */
unsigned long magazine_locks(void);

/** magazine_cleared() - bytes that the pool has cleared since it was opened. */
uint64_t magazine_cleared(void);

#endif
