// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The replay itself: reads row after row, and drives the library with each.
 *
 * A row that contradicts the rows before it (a free of a buffer that is not live) makes
 * the trace malformed, and ends the replay. A call of the library that goes wrong is what
 * the replay looks for: it is counted, and the replay goes on.
 *
 * The time between rows is the trace's. It weighs the mean levels, and makes the lazy
 * IOMMU's timer fire. The cost of the work is in the machine's simulated time.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "drive.h"
#include "progress.h"
#include "replay.h"
#include "snapshot.h"

/* Linux: IOVA_DEFAULT_FQ_TIMEOUT, drivers/iommu/dma-iommu.c. */
#define IOTLB_TIMER_NS 10000000

/* Does the row contradict those before it? */
static int check_row(struct replay *replay, const struct trace_row *row,
		     const struct buffer *buffer)
{
	const char *op = trace_op_name(row->op);

	if (row->op == TRACE_ALLOC && buffer)
		return trace_fail(&replay->trace,
				  "alloc of buffer %" PRIu64
				  ", which is live since line %" PRIu64,
				  row->buf, buffer->line);
	if (row->op == TRACE_ALLOC)
		return 0;
	if (!buffer)
		return trace_fail(&replay->trace,
				  "%s of buffer %" PRIu64 ", which is not live",
				  op, row->buf);
	if (row->pages != buffer->recorded_pages ||
	    row->caching != buffer->recorded_caching)
		return trace_fail(&replay->trace,
				  "%s of buffer %" PRIu64
				  " with other pages or caching than in line "
				  "%" PRIu64,
				  op, row->buf, buffer->line);
	return 0;
}

static int on_row(struct replay *replay, const struct trace_row *row)
{
	struct buffer *buffer = buffers_find(&replay->live, row->buf);
	int err = check_row(replay, row, buffer);

	if (err)
		return err;
	switch (row->op) {
	case TRACE_ALLOC:
		return drive_alloc(replay, row);
	case TRACE_FREE:
		return drive_free(replay, buffer);
	case TRACE_SWAPOUT:
		return drive_swapout(replay, buffer);
	default:
		return drive_swapin(replay);
	}
}

/* Let the time up to this row pass. */
static void pass_time(struct replay *replay, uint64_t t_ns)
{
	double passed;

	if (replay->result->events == 0) {
		replay->start_ns = t_ns;
		replay->last_ns = t_ns;
		replay->expired_ns = t_ns;
	}
	passed = (double)(t_ns - replay->last_ns);
	replay->in_use_ns += passed * (double)replay->levels.in_use;
	replay->pooled_ns += passed * (double)replay->levels.pooled;
	replay->last_ns = t_ns;
	if (t_ns - replay->expired_ns >= IOTLB_TIMER_NS) {
		tpsim_iotlb_expire(replay->rig.machine);
		replay->expired_ns = t_ns;
	}
}

static int replay_rows(struct replay *replay)
{
	struct trace_row row;
	int err;

	while ((err = trace_next(&replay->trace, &row)) > 0) {
		/* The header has been read now, and no buffer has begun. */
		if (replay->result->events == 0)
			rig_choose(&replay->rig, replay->options->source,
				   replay->trace.coherent);
		pass_time(replay, row.t_ns);
		err = on_row(replay, &row);
		if (err)
			return err;
		replay->result->events++;
		tpsim_work_run(replay->rig.machine);
		drive_pressure(replay);
		progress_show(&replay->trace,
			      replay->options->recycle != RECYCLE_OFF);
		if (replay->options->state)
			snapshot_show(replay->options->state, &replay->rig,
				      replay->result->events);
	}
	return err;
}

/* The final check of the machine and its ledger. */
static void stop(struct replay *replay)
{
	struct replay_result *result = replay->result;
	double passed = (double)(replay->last_ns - replay->start_ns);
	int err;

	if (passed > 0) {
		result->mean_in_use = replay->in_use_ns / passed;
		result->mean_pooled = replay->pooled_ns / passed;
	}
	err = rig_stop(&replay->rig, result);
	if (result->pages_leaked)
		drive_found(replay, "%" PRIu64 " pages leaked",
			    result->pages_leaked);
	else if (err)
		drive_found(replay, "the machine's ledger is not empty");
	if (result->machine.aliases)
		drive_found(replay, "%" PRIu64 " accesses of the wrong caching",
			    result->machine.aliases);
	if (result->machine.dma_faults || result->machine.stray_dma)
		drive_found(replay, "%" PRIu64 " DMA faults, %" PRIu64 " stray",
			    result->machine.dma_faults,
			    result->machine.stray_dma);
}

int replay_trace(const char *path, const struct options *options,
		 struct replay_result *result, struct timeline *timeline)
{
	struct replay replay = { .options = options,
				 .result = result,
				 .timeline = timeline };
	int err;

	memset(result, 0, sizeof(*result));
	result->trace = trace_shown_name(path);
	err = trace_open(&replay.trace, path);
	if (err) {
		trace_complain(&replay.trace, stderr);
		goto close_trace;
	}
	err = buffers_init(&replay.live);
	if (!err)
		err = rig_start(&replay.rig, options);
	if (err) {
		fprintf(stderr,
			"ttmpool-replay: no memory for a machine with %" PRIu64
			" MiB\n",
			options->ram_mib);
		goto free_buffers;
	}
	err = replay_rows(&replay);
	progress_clear();
	if (err)
		trace_complain(&replay.trace, stderr);
	result->backend = replay.rig.funcs.name ? replay.rig.funcs.name : "";
	if (options->state)
		snapshot_write(options->state, &replay.rig);
	drive_release_all(&replay);
	stop(&replay);
free_buffers:
	buffers_fini(&replay.live);
close_trace:
	trace_close(&replay.trace);
	return err;
}
