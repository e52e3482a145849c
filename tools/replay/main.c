// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool-replay: drives ttmpool on a simulated machine with recorded buffer traffic of
 * real GPU drivers.
 *
 * Each trace is replayed on a fresh machine, and then, unless the command line says not
 * to, on another one without recycling, so that the two can be compared. A malformed
 * trace does not prevent the replay of the others.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output.h"
#include "plot.h"
#include "replay.h"
#include "snapshot.h"
#include "trace.h"

enum exit_status {
	EXIT_CLEAN = 0,
	EXIT_FAULT = 1, /* the replay found a fault */
	EXIT_INPUT = 2, /* command line, trace, or a file that cannot be used */
};

/** struct session - all traces of one command line */
struct session {
	const struct options *options;
	struct replay_result with;
	struct replay_result without;
	struct timeline timeline;
	size_t nr_replayed;
	uint64_t pages_leaked;
	uint64_t faults;
	enum exit_status status;
	int output_err;
};

static void worsen(struct session *session, enum exit_status status)
{
	if (session->status < status)
		session->status = status;
}

static void count(struct session *session, const struct replay_result *result)
{
	session->pages_leaked += result->pages_leaked;
	session->faults += result->faults;
	if (result->faults)
		worsen(session, EXIT_FAULT);
}

static bool wants_baseline(const struct options *options, const char *path)
{
	if (!options->baseline || options->recycle == RECYCLE_OFF)
		return false;
	if (trace_rereadable(path))
		return true;
	fprintf(stderr,
		"ttmpool-replay: %s cannot be read twice: no replay without "
		"the pool to compare with\n",
		trace_shown_name(path));
	return false;
}

static int replay_both(struct session *session, const char *path,
		       struct outcome *outcome)
{
	struct options without = *session->options;
	struct timeline *timeline = NULL;
	int err;

	if (session->options->plot)
		timeline = &session->timeline;
	err = replay_trace(path, session->options, &session->with, timeline);
	if (err)
		return err;
	count(session, &session->with);
	*outcome = (struct outcome){ .options = session->options,
				     .with = &session->with };
	if (!wants_baseline(session->options, path))
		return 0;
	without.recycle = RECYCLE_OFF;
	without.state = NULL; /* the state is only that of the pool */
	err = replay_trace(path, &without, &session->without, NULL);
	if (err)
		return err;
	count(session, &session->without);
	outcome->without = &session->without;
	return 0;
}

static void print(const struct session *session, const struct outcome *outcome)
{
	switch (session->options->format) {
	case FORMAT_JSON:
		output_json(outcome);
		break;
	case FORMAT_BRIEF:
		output_brief_row(outcome);
		break;
	default:
		output_report(outcome);
		break;
	}
}

static void run_trace(struct session *session, const char *path)
{
	struct outcome outcome;

	if (replay_both(session, path, &outcome)) {
		worsen(session, EXIT_INPUT);
		return;
	}
	session->nr_replayed++;
	print(session, &outcome);
	if (fflush(stdout))
		session->output_err = errno;
	if (session->options->plot &&
	    plot_draw(session->options->plot, session->with.trace,
		      session->options, &session->timeline))
		worsen(session, EXIT_INPUT);
}

static void print_closing(const struct session *session)
{
	size_t all = session->options->nr_traces;

	if (session->options->format == FORMAT_JSON || !session->nr_replayed)
		return;
	if (session->nr_replayed < all)
		printf("%zu of ", session->nr_replayed);
	printf("%zu trace%s replayed, %" PRIu64 " pages leaked, %" PRIu64
	       " faults\n",
	       all, all == 1 ? "" : "s", session->pages_leaked,
	       session->faults);
}

/* If the output could not be written, the exit status is an error, whatever the replay
 * found. */
static enum exit_status close_output(enum exit_status status, int err)
{
	if (fclose(stdout) && !err)
		err = errno;
	if (!err)
		return status;
	fprintf(stderr, "ttmpool-replay: cannot write the output: %s\n",
		strerror(err));
	return EXIT_INPUT;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct session *session;
	enum exit_status status;
	size_t i;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return close_output(EXIT_CLEAN, 0);
	case OPTIONS_BAD:
		return EXIT_INPUT;
	default:
		break;
	}
	if ((options.plot && plot_try(options.plot)) ||
	    (options.state && snapshot_try(options.state)))
		return EXIT_INPUT;
	session = calloc(1, sizeof(*session));
	if (!session) {
		fputs("ttmpool-replay: no memory\n", stderr);
		return EXIT_INPUT;
	}
	session->options = &options;
	if (options.format == FORMAT_BRIEF)
		output_brief_head();
	for (i = 0; i < options.nr_traces; i++)
		run_trace(session, options.traces[i]);
	print_closing(session);
	status = close_output(session->status, session->output_err);
	free(session);
	return status;
}
