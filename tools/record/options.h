/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_OPTIONS_H
#define RECORD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/** enum source - which pool is recorded */
enum source {
	SOURCE_ANY, /* whichever is there */
	SOURCE_TTM,
	SOURCE_TTMPOOL,
};

/**
 * struct options - the command line
 * @output: the file that is written, or "-"
 * @device: the only device that is recorded, or NULL
 * @source: which pool is recorded
 * @system: of ttmpool's trace events
 * @seconds: how long; 0: until it is interrupted, or @command ends
 * @max_bytes: the size at which the recording ends
 * @buffer_kib: for each CPU, room for events in the kernel
 * @quiet: print no progress
 * @command: to be run and recorded, ended by NULL; or NULL
 */
struct options {
	const char *output;
	const char *device;
	enum source source;
	const char *system;
	unsigned int seconds;
	uint64_t max_bytes;
	unsigned int buffer_kib;
	bool quiet;
	char **command;
};

/** enum options_verdict - what to do next */
enum options_verdict {
	OPTIONS_GO,
	OPTIONS_DONE, /* the requested text was printed */
	OPTIONS_BAD,  /* a line on stderr says why */
};

/** options_parse() - read the command line; @options points into @argv. */
enum options_verdict options_parse(struct options *options, int argc,
				   char *argv[]);

#endif
