// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One line on stderr that shows how far the replay is, only if stderr is a terminal: a
 * log has no use for it.
 */
#define _POSIX_C_SOURCE 200809L

#include <inttypes.h>
#include <unistd.h>

#include "progress.h"

#define EVERY 1024 /* rows: often enough to move, too seldom to cost */

void progress_show(const struct trace *trace, bool recycle)
{
	const char *with = recycle ? "with the pool" : "without the pool";

	if (trace->rows % EVERY || !isatty(STDERR_FILENO))
		return;
	if (trace->size)
		fprintf(stderr, "\r%s, %s: %3" PRIu64 " %%\033[K", trace->path,
			with, trace->bytes * 100 / trace->size);
	else
		fprintf(stderr, "\r%s, %s: %" PRIu64 " events\033[K",
			trace->path, with, trace->rows);
}

void progress_clear(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}
