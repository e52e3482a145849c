// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where pages were taken: a record for each block that a driver has. The machine tells
 * which blocks these are, in the thread that takes them, and that thread knows its line.
 *
 * A record is allocated in the call that takes the block. Under Valgrind the record of a
 * block that leaks is not freed, so that the leak report shows the stack of that call.
 */

#include <stdio.h>
#include <stdlib.h>

#include "annotate.h"
#include "fixture.h"

struct here {
	const char *file;
	int line;
	unsigned int depth; /* of calls within calls */
};

static _Thread_local struct here here;

void ttmpool_test_enter(const char *file, int line)
{
	if (!here.depth++) {
		here.file = file;
		here.line = line;
	}
}

int ttmpool_test_leave(int result)
{
	if (here.depth && !--here.depth)
		here.file = NULL;
	return result;
}

static struct place **bucket_of(struct fixture *fixture,
				const tpos_page_t *page)
{
	uintptr_t number = (uintptr_t)page / sizeof(*page);

	return &fixture->places[number % PLACE_BUCKETS];
}

/* The record of a block, which is in no bucket any more; NULL if there is none. */
static struct place *place_remove(struct fixture *fixture,
				  const tpos_page_t *page)
{
	struct place **link = bucket_of(fixture, page);
	struct place *place;

	while (*link && (*link)->page != page)
		link = &(*link)->next;
	place = *link;
	if (place) {
		*link = place->next;
		place->next = NULL;
	}
	return place;
}

static void place_add(struct fixture *fixture, const tpos_page_t *page,
		      const char *file, int line)
{
	struct place **bucket = bucket_of(fixture, page);
	struct place *place = malloc(sizeof(*place));

	if (!place)
		return; /* then its line is not known */
	*place = (struct place){ *bucket, page, file, line };
	*bucket = place;
}

/* The record of a block that leaked has no use but to be found by Valgrind. */
static void place_leave(struct place *place)
{
#ifdef ANNOTATE_VALGRIND
	if (RUNNING_ON_VALGRIND)
		return;
#endif
	free(place);
}

static void place_handed_out(void *arg, const tpos_page_t *page,
			     unsigned int order)
{
	(void)order;
	free(place_remove(arg, page));
	place_add(arg, page, here.file, here.line);
}

static void place_halved(void *arg, const tpos_page_t *page,
			 const tpos_page_t *upper)
{
	struct place *place = place_remove(arg, page);

	if (!place)
		return;
	place_add(arg, page, place->file, place->line);
	place_add(arg, upper, place->file, place->line);
	free(place);
}

static void place_came_back(void *arg, const tpos_page_t *page)
{
	free(place_remove(arg, page));
}

/* " taken at FILE:LINE", or why that is not known. */
static void place_write(char *text, size_t size, const struct place *place)
{
	if (place && place->file)
		snprintf(text, size, "taken at %s:%d", place->file,
			 place->line);
	else
		snprintf(text, size,
			 "taken by a file that does not include "
			 "<ttmpool/testing_lines.h>");
}

/* A pool ends, and a chunk of its is in use. */
static void place_reported(void *arg, const struct ttmpool_report *report)
{
	static const char *const cachings[] = { "uncached", "write-combined",
						"cached" };
	struct fixture *fixture = arg;
	unsigned int caching = report->caching;
	struct place *place;
	char text[LINE_BYTES / 2];

	if (report->kind != TTMPOOL_REPORT_IN_USE)
		return;
	place = place_remove(fixture, report->page);
	place_write(text, sizeof(text), place);
	ttmpool_test_leak(fixture,
			  "ttmpool: leak: %zu KiB (order %d, %s) of pool %s, "
			  "owner %s, %s",
			  (fixture->page_size << report->order) / 1024,
			  report->order,
			  caching < TTMPOOL_CACHING_COUNT ? cachings[caching]
							  : "unknown caching",
			  report->pool ? report->pool : "without a name",
			  report->owner ? report->owner : "none", text);
	place_leave(place);
}

void ttmpool_test_places_watch(struct fixture *fixture)
{
	here = (struct here){ 0 };
	fixture->watch = (struct tpsim_watch){
		.handed_out = place_handed_out,
		.halved = place_halved,
		.came_back = place_came_back,
		.reported = place_reported,
		.arg = fixture,
	};
	tpsim_watch(fixture->test.machine, &fixture->watch);
}

/* What is still recorded is of a pool that did not end. */
void ttmpool_test_places_end(struct fixture *fixture)
{
	char text[LINE_BYTES / 2];

	tpsim_watch(fixture->test.machine, NULL);
	for (size_t i = 0; i < PLACE_BUCKETS; i++) {
		struct place *place;

		while ((place = fixture->places[i])) {
			fixture->places[i] = place->next;
			place->next = NULL;
			place_write(text, sizeof(text), place);
			ttmpool_test_leak(fixture,
					  "ttmpool: leak: pages of a pool that "
					  "did not end, %s",
					  text);
			place_leave(place);
		}
	}
}
