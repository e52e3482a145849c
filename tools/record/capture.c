// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel's trace buffers, through libtracefs, in an instance of our own:
 *
 *     probes on TTM   --.                        probes_decode()
 *                        >-- ring buffers --.-->                 --> recording
 *     ttmpool's events -'    of each CPU         events_decode()
 *
 * Each CPU has a buffer, and they are read one after the other. So an event may come
 * after later ones, and a call that began early may end late: a row is written when it is
 * older than SETTLED_NS, and older than all calls that have not returned.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "events.h"

#define SETTLED_NS (UINT64_C(2) * 1000 * 1000 * 1000)

/* A user that is not root may not even see where tracefs is. */
static int complain(const char *what, int err)
{
	const char *hint = "";

	if (geteuid())
		hint = ": it must be run as root";
	else if (err == -EACCES || err == -EPERM)
		hint = ": a locked-down kernel does not allow it";
	fprintf(stderr, "ttmpool-record: %s: %s%s\n", what, strerror(-err),
		hint);
	return err;
}

static int create_instance(struct capture *capture)
{
	char name[48];
	const char *directory = tracefs_tracing_dir();

	if (!directory)
		return complain("cannot find or mount tracefs",
				errno ? -errno : -ENOENT);
	if (access(directory, R_OK | W_OK | X_OK))
		return complain(directory, -errno);
	snprintf(name, sizeof(name), "ttmpool-record-%d", (int)getpid());
	capture->instance = tracefs_instance_create(name);
	if (!capture->instance)
		return complain("cannot create a trace instance",
				errno ? -errno : -ENOMEM);
	tracefs_instance_set_buffer_size(capture->instance,
					 capture->options->buffer_kib, -1);
	if (tracefs_instance_file_write(capture->instance, "trace_clock",
					"mono") < 0)
		return complain("cannot choose the clock \"mono\"", -errno);
	return 0;
}

static int attach(struct capture *capture)
{
	enum source source = capture->options->source;
	int err;

	capture->traced = source != SOURCE_TTM &&
			  events_possible(capture->options->system);
	if (source != SOURCE_TTMPOOL && probes_possible()) {
		err = probes_attach(&capture->probes);
		if (err)
			return err;
		capture->probed = true;
	}
	if (capture->probed || capture->traced)
		return 0;
	fprintf(stderr, "ttmpool-record: nothing to record: %s\n",
		source == SOURCE_TTM ? "ttm.ko is not loaded"
		: source == SOURCE_TTMPOOL
			? "no trace events of ttmpool: is its module loaded?"
			: "neither ttm.ko nor ttmpool.ko is loaded");
	return -ENOENT;
}

static int enable(struct capture *capture)
{
	const char *system = capture->options->system;
	const char *const *name;

	if (capture->probed &&
	    tracefs_event_enable(capture->instance, capture->probes.group,
				 NULL))
		return complain("cannot enable the probes", -errno);
	for (name = events_names; capture->traced && *name; name++)
		if (tracefs_event_enable(capture->instance, system, *name))
			return complain("cannot enable the trace events",
					-errno);
	return 0;
}

static int load_formats(struct capture *capture)
{
	const char *systems[] = { capture->probed ? capture->probes.group
						  : capture->options->system,
				  capture->probed && capture->traced
					  ? capture->options->system
					  : NULL,
				  NULL };

	capture->tep = tracefs_local_events_system(NULL, systems);
	return capture->tep ? 0
			    : complain("cannot read the events' formats",
				       errno ? -errno : -EINVAL);
}

void capture_abandon(struct capture *capture)
{
	if (capture->instance) {
		tracefs_trace_off(capture->instance);
		tracefs_event_disable(capture->instance, NULL, NULL);
	}
	if (capture->tep)
		tep_free(capture->tep);
	if (capture->instance) {
		tracefs_instance_destroy(capture->instance);
		tracefs_instance_free(capture->instance);
	}
	if (capture->probed)
		probes_detach(&capture->probes);
}

int capture_begin(struct capture *capture, const struct options *options,
		  struct recording *recording)
{
	int err;

	memset(capture, 0, sizeof(*capture));
	capture->options = options;
	capture->recording = recording;
	errno = 0;
	err = create_instance(capture);
	if (!err)
		err = attach(capture);
	if (!err)
		err = load_formats(capture);
	if (!err)
		err = enable(capture);
	if (err)
		capture_abandon(capture);
	return err;
}

static int note_event(struct tep_event *event, struct tep_record *record,
		      int cpu, void *arg)
{
	struct capture *capture = arg;
	struct call call = { .t_ns = record->ts,
			     .cpu = cpu,
			     .pid = tep_data_pid(event->tep, record) };
	int err;

	if (record->missed_events)
		capture->lost += record->missed_events > 0
					 ? (uint64_t)record->missed_events
					 : 1;
	if (record->ts > capture->newest_ns)
		capture->newest_ns = record->ts;
	if (capture->probed && !strcmp(event->system, capture->probes.group))
		err = probes_decode(&capture->probes, event, record, &call);
	else
		err = events_decode(event, record, &call);
	if (err > 0)
		err = recording_add(capture->recording, &call);
	capture->err = err;
	return err;
}

static int write_settled(struct capture *capture)
{
	uint64_t limit = capture->newest_ns > SETTLED_NS
				 ? capture->newest_ns - SETTLED_NS
				 : 0;

	if (capture->probed) {
		uint64_t oldest = pending_oldest(&capture->probes.pending,
						 capture->newest_ns);

		limit = oldest < limit ? oldest : limit;
	}
	return rows_write(&capture->recording->rows, limit);
}

int capture_read(struct capture *capture)
{
	/* It fails if there is nothing to read, too. */
	tracefs_iterate_raw_events(capture->tep, capture->instance, NULL, 0,
				   note_event, capture);
	if (capture->err < 0)
		return capture->err;
	return write_settled(capture);
}

int capture_end(struct capture *capture)
{
	int err;

	tracefs_trace_off(capture->instance);
	err = capture_read(capture);
	if (!err)
		err = rows_write(&capture->recording->rows, UINT64_MAX);
	capture_abandon(capture);
	return err;
}
