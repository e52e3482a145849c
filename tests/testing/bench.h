/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BENCH_H
#define BENCH_H

/* What both suites of <ttmpool/testing.h> need. */

#include <ttmpool/testing_lines.h>

#include <cmocka.h>
#include <tpsim.h>

#define MOST_HEARD 32

/* The lines that a fixture printed. */
struct heard {
	char line[MOST_HEARD][512];
	size_t lines;
};

/** hear() - collect these lines in a struct heard, for struct ttmpool_test_config. */
static inline void hear(void *arg, const char *line)
{
	struct heard *heard = arg;

	if (heard->lines < MOST_HEARD)
		strncpy(heard->line[heard->lines], line, 511);
	heard->lines++;
}

/** chunk_of() - a request for one write-combined chunk of 16 pages, mapped. */
#define CHUNK 16
static inline struct ttmpool_request chunk_of(struct ttmpool_owner *owner)
{
	return (struct ttmpool_request){ .caching = TTMPOOL_WRITE_COMBINED,
					 .num_pages = CHUNK,
					 .owner = owner };
}

static inline int chunk_give(struct ttmpool_pool *pool,
			     tpos_page_t *pages[CHUNK])
{
	return ttmpool_pool_give(pool, pages, CHUNK, TTMPOOL_WRITE_COMBINED);
}

/** chunk_cycle() - take such a chunk and give it back; the first error. */
static inline int chunk_cycle(struct ttmpool_test *test, void *arg)
{
	struct ttmpool_request req = chunk_of(test->owner);
	tpos_dma_addr_t addr[CHUNK];
	tpos_page_t *pages[CHUNK];
	int err = ttmpool_pool_take(test->pool, &req, pages, addr);

	(void)arg;
	return err ? err : chunk_give(test->pool, pages);
}

#endif
