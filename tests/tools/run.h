/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TOOLS_RUN_H
#define TOOLS_RUN_H

/*
 * Runs of ttmpool-replay, for cases that test it from outside. The program runs in a
 * directory of its own, which is removed with the test program.
 *
 *     TTMPOOL_REPLAY   the command to run; the build's own if it is not set
 *     TTMPOOL_TRACES   the directory of the real traces
 */

#include <sys/types.h>

#include "cases.h"

#define ALLOC "5,0,1,alloc,7,16,2,34,900\n"
#define FREE  "6,0,1,free,7,16,2,34,900\n"

/**
 * struct run - the result of the last run
 * @status: its exit status, or -1 if it was killed
 * @max_rss_kib: its peak memory
 * @out: what it wrote to stdout
 * @err: what it wrote to stderr
 */
struct run {
	int status;
	long max_rss_kib;
	char out[65536];
	char err[8192];
};

extern struct run run;

/* Group setup and teardown: make the directory, and remove it. */
int run_open(void **state);
int run_close(void **state);

/** run_path() - the path of a file in that directory. */
const char *run_path(const char *name);

/** run_trace_path() - the path of a real trace. */
const char *run_trace_path(const char *name);

/** run_write() - write a file there. */
void run_write(const char *name, const char *text);

/** run_replay() - run the program with @args, which a shell splits. */
void run_replay(const char *args);

/** run_start() - start the program with @args; @input becomes a pipe to its stdin. */
pid_t run_start(const char *args, int *input);

/** run_await() - wait for the program that run_start() started. */
void run_await(pid_t pid);

/** run_number() - the number after "@name": in the first JSON object. */
long long run_number(const char *name);

/** run_assert_has() - @words must be in @text. */
void run_assert_has(const char *text, const char *words);

/** run_assert_refused() - the program must have ended with status 2 and one line on
 * stderr, which begins with @where and contains @words. */
void run_assert_refused(const char *where, const char *words);

#endif
