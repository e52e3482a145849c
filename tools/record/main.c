// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool-record: records the buffer traffic of this machine's GPU drivers as a trace for
 * ttmpool-replay.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ttmpool/version.h>

#include "capture.h"
#include "options.h"
#include "recording.h"

#define READ_EVERY_NS (100 * 1000 * 1000)

enum exit_status {
	EXIT_CLEAN = 0,
	EXIT_TROUBLE = 1, /* something was not recorded */
	EXIT_USAGE = 2,
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	interrupted = signal;
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	execvp(*command, command);
	fprintf(stderr, "ttmpool-record: cannot run %s: %s\n", *command,
		strerror(errno));
	_exit(127);
}

/* Has the command ended? Then its status is in @status. */
static bool ended(pid_t pid, int *status)
{
	int how;

	if (pid <= 0 || waitpid(pid, &how, WNOHANG) != pid)
		return false;
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
	return true;
}

/* The end of the recording ends the command, too. */
static void stop(pid_t pid, int *status)
{
	int how;

	if (pid <= 0 || kill(pid, SIGTERM) || waitpid(pid, &how, 0) != pid)
		return;
	if (WIFEXITED(how))
		*status = WEXITSTATUS(how);
}

static void show(const struct capture *capture, bool last)
{
	const struct recording *recording = capture->recording;
	bool terminal = isatty(STDERR_FILENO);

	fprintf(stderr,
		"%s%" PRIu64 " events, %" PRIu64 " buffers live with %" PRIu64
		" pages, %" PRIu64 " KiB written, %" PRIu64 " lost%s",
		terminal ? "\r" : "",
		recording->counts.allocs + recording->counts.frees +
			recording->counts.swapouts + recording->counts.swapins,
		recording->counts.live, recording->counts.pages,
		recording->rows.bytes / 1024, capture->lost,
		terminal && !last ? "  " : "\n");
}

/* Once a second on a terminal, and every ten seconds elsewhere. */
static void show_progress(const struct capture *capture, time_t *shown)
{
	time_t now = time(NULL);

	if (capture->options->quiet ||
	    now - *shown < (isatty(STDERR_FILENO) ? 1 : 10))
		return;
	*shown = now;
	show(capture, false);
}

static int record(struct capture *capture, int *status)
{
	const struct options *options = capture->options;
	const struct timespec nap = { .tv_nsec = READ_EVERY_NS };
	pid_t pid = options->command ? start(options->command) : 0;
	time_t began = time(NULL);
	time_t shown = began;
	bool over = false;
	int err = 0;

	if (pid < 0)
		return -errno;
	while (!interrupted && !over && !err) {
		nanosleep(&nap, NULL);
		if (ended(pid, status)) {
			pid = 0;
			over = true;
		}
		if (options->seconds &&
		    time(NULL) - began >= (time_t)options->seconds)
			over = true;
		err = capture_read(capture);
		if (capture->recording->rows.bytes >= options->max_bytes) {
			fprintf(stderr, "ttmpool-record: the trace has its "
					"full size (--max-size): stopped\n");
			over = true;
		}
		show_progress(capture, &shown);
	}
	stop(pid, status);
	return err;
}

static int write_head(struct recording *recording,
		      const struct options *options)
{
	struct utsname name;
	int err;

	uname(&name);
	err = recording_head(
		recording, "recorded by ttmpool-record %s on %s %s",
		TTMPOOL_VERSION_STRING, name.sysname, name.release);
	if (!err && options->command)
		err = recording_head(recording, "command: %s",
				     *options->command);
	if (!err)
		err = recording_head(recording, "columns: t_ns,cpu,pid,op,buf,"
						"pages,caching,flags,dur_ns");
	/* A program that waits for the recording to begin must see a file with
	 * contents. */
	if (!err && fflush(recording->rows.file))
		err = -errno;
	return err;
}

/* Report what the trace lacks, since its reader has to know. */
static bool tell(const struct capture *capture)
{
	const struct recording_counts *counts = &capture->recording->counts;
	uint64_t missed = capture->lost + capture->probes.pending.missed;

	if (!capture->options->quiet)
		show(capture, true);
	if (counts->failed)
		fprintf(stderr, "left out: %" PRIu64 " calls that failed\n",
			counts->failed);
	if (counts->older)
		fprintf(stderr,
			"left out: %" PRIu64
			" calls on buffers that are older than the recording\n",
			counts->older);
	if (counts->others)
		fprintf(stderr,
			"left out: %" PRIu64 " calls of other devices\n",
			counts->others);
	if (!missed && !counts->odd)
		return true;
	fprintf(stderr,
		"ttmpool-record: %" PRIu64 " events were lost, and %" PRIu64
		" calls do not fit the others: a larger --buffer may help\n",
		missed, counts->odd);
	return false;
}

/* The file is opened last: if there is nothing to record, an existing file stays. */
static FILE *open_output(const struct options *options)
{
	FILE *file = strcmp(options->output, "-") ? fopen(options->output, "w")
						  : stdout;

	if (!file)
		fprintf(stderr, "ttmpool-record: cannot write %s: %s\n",
			options->output, strerror(errno));
	return file;
}

static int close_output(FILE *file, const struct options *options)
{
	if (!fclose(file))
		return 0;
	fprintf(stderr, "ttmpool-record: cannot write %s: %s\n",
		options->output, strerror(errno));
	return -EIO;
}

/* Record: the kernel records events, and the file is open. */
static enum exit_status run(struct capture *capture)
{
	const struct options *options = capture->options;
	int status = EXIT_CLEAN;
	int end;
	int err;

	err = write_head(capture->recording, options);
	if (!err)
		err = record(capture, &status);
	end = capture_end(capture);
	err = err ? err : end;
	if (!tell(capture) && !status)
		status = EXIT_TROUBLE;
	if (!err)
		return (enum exit_status)status;
	fprintf(stderr, "ttmpool-record: the recording ended early: %s\n",
		strerror(-err));
	return status ? (enum exit_status)status : EXIT_TROUBLE;
}

static enum exit_status begin(const struct options *options)
{
	enum exit_status status = EXIT_TROUBLE;
	struct recording recording;
	struct capture capture;
	FILE *file;

	if (recording_init(&recording, NULL)) {
		fputs("ttmpool-record: no memory\n", stderr);
		return EXIT_TROUBLE;
	}
	recording.device = options->device;
	if (capture_begin(&capture, options, &recording))
		goto out;
	file = open_output(options);
	if (!file) {
		capture_abandon(&capture);
		goto out;
	}
	recording.rows.file = file;
	status = run(&capture);
	if (close_output(file, options) && !status)
		status = EXIT_TROUBLE;
out:
	recording_fini(&recording);
	return status;
}

int main(int argc, char *argv[])
{
	struct options options;

	switch (options_parse(&options, argc, argv)) {
	case OPTIONS_DONE:
		return EXIT_CLEAN;
	case OPTIONS_BAD:
		return EXIT_USAGE;
	default:
		catch_signals();
		return begin(&options);
	}
}
