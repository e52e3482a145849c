/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef FIXTURE_H
#define FIXTURE_H

/* What the files of ttmpool_testing say to each other. */

#include <stdarg.h>
#include <tpsim.h>
#include <ttmpool/testing.h>
#include <ttmpool/ttmpool.h>

#define PLACE_BUCKETS 1024
#define MOST_LINES    16
#define LINE_BYTES    512
#define MOST_FAULTS   8 /* of tpsim_fault_plan() */

/* Where a block of pages was taken. */
struct place {
	struct place *next; /* in its bucket */
	const tpos_page_t *page;
	const char *file; /* NULL: not known */
	int line;
};

/* A buffer of ttmpool_test_buffer(). */
struct test_buffer {
	struct test_buffer *next;
	struct ttmpool_backend be;
	tpos_dma_addr_t *dma_addr;
	tpos_page_t **pages;
};

/*
 * What is behind a struct ttmpool_test. @leaks and @lines are written while the machine
 * is locked, and printed when it is not.
 */
struct fixture {
	struct ttmpool_test test;
	struct ttmpool_test_config config;
	struct tpsim_watch watch;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	struct ttmpool_owner owner;
	struct test_buffer *buffers;
	struct fixture *set_aside; /* in the list of those */
	size_t page_size;
	size_t planned;
	size_t leaks;
	char lines[MOST_LINES][LINE_BYTES];
	struct place *places[PLACE_BUCKETS];
};

static inline struct fixture *fixture_of(struct ttmpool_test *test)
{
	return ttmpool_list_entry(test, struct fixture, test);
}

/* lines.c: one more leak; and all lines. */
void ttmpool_test_leak(struct fixture *fixture, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void ttmpool_test_say(const struct ttmpool_test_config *config,
		      const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void ttmpool_test_say_leaks(struct fixture *fixture);

/* places.c: the source line that took each page. */
void ttmpool_test_places_watch(struct fixture *fixture);
void ttmpool_test_places_end(struct fixture *fixture);

#endif
