// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Drives the library with the rows of a trace:
 *
 *     alloc     a backend for the buffer, and its populate
 *     free      its unpopulate, and the end of the backend
 *     swapout   counted: the free row that follows it gives up the pages
 *     swapin    counted: the alloc row before it got the pages
 *
 * All pages are written to when a buffer gets them, and checked when it gives them back:
 * see content.c.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "drive.h"

#define FAULTS_SHOWN 10

void drive_found(struct replay *replay, const char *format, ...)
{
	uint64_t faults = ++replay->result->faults;
	const char *which = "";
	va_list args;

	if (faults > FAULTS_SHOWN)
		return;
	if (replay->options->recycle == RECYCLE_OFF)
		which = "without the pool: ";
	fprintf(stderr, "%s:%" PRIu64 ": %s",
		trace_shown_name(replay->trace.path), replay->trace.line,
		which);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputs(faults == FAULTS_SHOWN ? "; more are counted, not shown\n" : "\n",
	      stderr);
}

static uint64_t machine_ns(struct replay *replay)
{
	struct tpsim_counters counters;

	tpsim_counters(replay->rig.machine, &counters);
	return counters.ns;
}

static void note(struct replay *replay, enum timeline_event event)
{
	struct ttmpool_pool_stats stats;

	rig_stats(&replay->rig, &stats);
	replay->levels.in_use = stats.pages_in_use;
	replay->levels.pooled = stats.pages_pooled;
	replay->levels.swapped = stats.pages_swapped;
	if (replay->timeline)
		timeline_add(replay->timeline, replay->last_ns, event,
			     &replay->levels);
}

/* The pool of the device whose turn it is. */
static struct ttmpool_pool *pool_in_turn(struct replay *replay)
{
	uint64_t turn = replay->buffers++ / replay->options->turn;

	return &replay->rig.pools[turn % replay->rig.nr_devices];
}

/* Of the pages that come from the system: how many could have come from the idle pages of
 * their kind in the pools of other devices? */
struct elsewhere {
	uint64_t fresh;
	uint64_t idle;
};

static uint64_t pages_fresh(struct ttmpool_pool *pool)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(pool, &stats);
	return stats.pages_fresh;
}

/* With one device this does nothing, since it would take locks, which are counted. */
static void look_elsewhere(struct replay *replay, struct ttmpool_pool *pool,
			   enum ttmpool_caching caching,
			   struct elsewhere *elsewhere)
{
	*elsewhere = (struct elsewhere){ 0 };
	if (replay->rig.nr_devices == 1)
		return;
	elsewhere->fresh = pages_fresh(pool);
	elsewhere->idle = rig_idle(&replay->rig, pool, caching);
}

static void count_elsewhere(struct replay *replay, struct ttmpool_pool *pool,
			    const struct elsewhere *before)
{
	uint64_t fresh;

	if (!before->idle)
		return;
	fresh = pages_fresh(pool) - before->fresh;
	replay->result->pages_idle_elsewhere +=
		fresh < before->idle ? fresh : before->idle;
}

static int populate(struct replay *replay, struct buffer *buffer,
		    enum ttmpool_caching caching)
{
	struct ttmpool_pool *pool = pool_in_turn(replay);
	struct ttmpool_backend_config config = {
		.pool = pool,
		.funcs = &replay->rig.funcs,
		.pages = buffer->pages,
		.dma_addr = buffer->dma_addr,
		.num_pages = buffer->num_pages,
		.caching = caching,
	};
	struct elsewhere elsewhere;
	uint64_t before;
	int err;

	look_elsewhere(replay, pool, caching, &elsewhere);
	err = ttmpool_backend_init(&buffer->be, &config);
	if (err)
		return err;
	before = machine_ns(replay);
	err = ttmpool_populate(&buffer->be);
	if (err && ttmpool_backend_fini(&buffer->be))
		abort();
	if (err)
		return err;
	latency_add(&replay->result->latency, buffer->num_pages,
		    machine_ns(replay) - before);
	count_elsewhere(replay, pool, &elsewhere);
	buffer->populated = true;
	return 0;
}

static void populate_and_write(struct replay *replay, struct buffer *buffer,
			       enum ttmpool_caching caching)
{
	const char *wrong;
	size_t page = 0;
	int err = -ENOMEM;

	/* Without arrays the buffer is larger than RAM: see drive_alloc(). */
	if (buffer->num_pages)
		err = populate(replay, buffer, caching);
	if (err) {
		replay->result->populates_failed++;
		drive_found(replay,
			    "buffer %" PRIu64 ": populate failed on the "
			    "simulated machine (--ram %" PRIu64 "): %s",
			    buffer->id, replay->options->ram_mib,
			    strerror(-err));
		note(replay, TIMELINE_FAILURE);
		return;
	}
	replay->result->populates++;
	replay->result->pages += buffer->num_pages;
	wrong = content_write(&replay->rig, buffer, &page);
	buffer->written = !wrong;
	if (wrong)
		drive_found(replay, "buffer %" PRIu64 ": page %zu %s",
			    buffer->id, page, wrong);
	if (replay->options->swap)
		ttmpool_lru_add(&buffer->be);
	note(replay, TIMELINE_POPULATE);
}

/* Swap a buffer in, so that its contents can be checked. */
static int bring_back(struct replay *replay, struct buffer *buffer)
{
	ttmpool_lru_remove(&buffer->be);
	if (buffer->be.tt.state == TTMPOOL_TT_POPULATED)
		return 0;
	replay->result->brought_back++;
	return ttmpool_swapin(&buffer->be, TTMPOOL_ALL_PAGES);
}

static void unpopulate(struct replay *replay, struct buffer *buffer)
{
	const char *wrong = NULL;
	size_t page = 0;
	int err;

	err = bring_back(replay, buffer);
	if (err)
		drive_found(replay, "buffer %" PRIu64 ": swapin failed: %s",
			    buffer->id, strerror(-err));
	else if (buffer->written)
		wrong = content_verify(&replay->rig, buffer, &page);
	if (wrong)
		drive_found(replay, "buffer %" PRIu64 ": page %zu %s",
			    buffer->id, page, wrong);
	err = err ? ttmpool_drop(&buffer->be) : ttmpool_unpopulate(&buffer->be);
	if (!err)
		err = ttmpool_backend_fini(&buffer->be);
	if (err)
		drive_found(replay, "buffer %" PRIu64 ": unpopulate failed: %s",
			    buffer->id, strerror(-err));
	note(replay, TIMELINE_UNPOPULATE);
}

int drive_alloc(struct replay *replay, const struct trace_row *row)
{
	const struct options *options = replay->options;
	enum ttmpool_caching caching = row->caching;
	size_t arrays = row->pages;
	struct buffer *buffer;

	/* No pool can serve it, and its arrays could need more than all memory. */
	if (row->pages > replay->rig.ram_pages)
		arrays = 0;
	buffer = buffers_create(&replay->live, row->buf, arrays);
	if (!buffer) {
		trace_fail(&replay->trace,
			   "no memory for this buffer's arrays");
		return -ENOMEM;
	}
	buffer->line = replay->trace.line;
	buffer->recorded_pages = row->pages;
	buffer->recorded_caching = row->caching;
	if (options->caching != OPTIONS_RECORDED)
		caching = (enum ttmpool_caching)options->caching;
	populate_and_write(replay, buffer, caching);
	return 0;
}

int drive_free(struct replay *replay, struct buffer *buffer)
{
	if (buffer->populated) {
		unpopulate(replay, buffer);
		replay->result->unpopulates++;
	}
	buffers_destroy(&replay->live, buffer);
	return 0;
}

int drive_swapout(struct replay *replay, struct buffer *buffer)
{
	if (buffer->swapped_out)
		return trace_fail(&replay->trace,
				  "swapout of buffer %" PRIu64
				  " again, without a free row between",
				  buffer->id);
	buffer->swapped_out = true;
	replay->result->swapouts++;
	note(replay, TIMELINE_SWAPOUT);
	return 0;
}

int drive_swapin(struct replay *replay)
{
	replay->result->swapins++;
	note(replay, TIMELINE_SWAPIN);
	return 0;
}

void drive_pressure(struct replay *replay)
{
	const struct options *options = replay->options;

	if (!options->pressure_every ||
	    replay->result->events % options->pressure_every)
		return;
	tpsim_shrink(replay->rig.machine, options->pressure_pages);
	replay->result->pressures++;
	note(replay, TIMELINE_PRESSURE);
}

/* Buffers that the trace left live give their pages back. */
void drive_release_all(struct replay *replay)
{
	struct buffer *buffer;
	size_t cursor = 0;

	while ((buffer = buffers_next(&replay->live, &cursor))) {
		if (buffer->populated) {
			unpopulate(replay, buffer);
			replay->result->freed_at_end++;
		}
		buffers_destroy(&replay->live, buffer);
	}
}
