// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The command line. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ttmpool/version.h>

#include "options.h"

enum {
	OPT_SOURCE = 256,
	OPT_SYSTEM,
	OPT_MAX_SIZE,
	OPT_BUFFER,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "device", required_argument, NULL, 'd' },
	{ "time", required_argument, NULL, 't' },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "events", required_argument, NULL, OPT_SYSTEM },
	{ "max-size", required_argument, NULL, OPT_MAX_SIZE },
	{ "buffer", required_argument, NULL, OPT_BUFFER },
	{ "quiet", no_argument, NULL, 'q' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* help2man makes the man page of this: see cmake/man.cmake. */
static const char help_text[] =
	"Usage: ttmpool-record -o TRACE [OPTION]... [COMMAND [ARGUMENT]...]\n"
	"Record what the GPU drivers of this machine ask of their page pools, "
	"as\n"
	"a trace for ttmpool-replay: until COMMAND ends, or until Ctrl-C. "
	"Needs\n"
	"root.\n"
	"\n"
	"What is recorded:\n"
	"  -d, --device NAME      one device, as 0000:00:02.0 (all)\n"
	"  --source any|ttm|ttmpool\n"
	"                         drivers on TTM, on ttmpool, or both (any)\n"
	"  --events SYSTEM        trace events of a driver that has ttmpool "
	"in\n"
	"                         it (ttmpool)\n"
	"  -t, --time SECONDS     stop after so long\n"
	"  --max-size MIB         stop when the trace is so large (1024)\n"
	"  --buffer KIB           room for events that are not read yet, for\n"
	"                         each CPU (4096)\n"
	"\n"
	"Output:\n"
	"  -o, --output TRACE     the file to write; - is standard output\n"
	"  -q, --quiet            do not show the progress\n"
	"  -h, --help             print this\n"
	"  --version              print the version\n"
	"\n"
	"Exit status:\n"
	"  0  everything was recorded, and COMMAND, if there was one, exited\n"
	"     with 0; else its status\n"
	"  1  nothing could be recorded, or events were lost\n"
	"  2  the command line is wrong\n";

static enum options_verdict bad(const char *what, const char *word)
{
	fprintf(stderr,
		"ttmpool-record: %s%s%s%s; try: ttmpool-record --help\n", what,
		word ? " \"" : "", word ? word : "", word ? "\"" : "");
	return OPTIONS_BAD;
}

/* A number from 1 to @max. */
static bool parse(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !*end && !errno && *number > 0 &&
	       *number <= max;
}

static bool parse_source(const char *text, enum source *source)
{
	if (!strcmp(text, "any"))
		*source = SOURCE_ANY;
	else if (!strcmp(text, "ttm"))
		*source = SOURCE_TTM;
	else if (!strcmp(text, "ttmpool"))
		*source = SOURCE_TTMPOOL;
	else
		return false;
	return true;
}

static enum options_verdict parse_one(struct options *options, int opt,
				      const char *arg)
{
	uint64_t n = 0;

	switch (opt) {
	case 'o':
		options->output = arg;
		return OPTIONS_GO;
	case 'd':
		options->device = arg;
		return OPTIONS_GO;
	case 'q':
		options->quiet = true;
		return OPTIONS_GO;
	case OPT_SYSTEM:
		options->system = arg;
		return OPTIONS_GO;
	case OPT_SOURCE:
		if (!parse_source(arg, &options->source))
			return bad("--source is any, ttm or ttmpool, not", arg);
		return OPTIONS_GO;
	case 't':
		if (!parse(arg, 1000000, &n))
			return bad("--time is 1 to 1000000 seconds, not", arg);
		options->seconds = (unsigned int)n;
		return OPTIONS_GO;
	case OPT_MAX_SIZE:
		if (!parse(arg, 1 << 20, &n))
			return bad("--max-size is 1 to 1048576 MiB, not", arg);
		options->max_bytes = n << 20;
		return OPTIONS_GO;
	case OPT_BUFFER:
		if (!parse(arg, 1 << 20, &n))
			return bad("--buffer is 1 to 1048576 KiB, not", arg);
		options->buffer_kib = (unsigned int)n;
		return OPTIONS_GO;
	case 'h':
		fputs(help_text, stdout);
		return OPTIONS_DONE;
	case OPT_VERSION:
		printf("ttmpool-record %s\n", TTMPOOL_VERSION_STRING);
		return OPTIONS_DONE;
	default:
		/* getopt_long() has printed what is wrong. */
		fputs("try: ttmpool-record --help\n", stderr);
		return OPTIONS_BAD;
	}
}

enum options_verdict options_parse(struct options *options, int argc,
				   char *argv[])
{
	enum options_verdict verdict = OPTIONS_GO;
	int opt;

	*options = (struct options){ .system = "ttmpool",
				     .max_bytes = UINT64_C(1024) << 20,
				     .buffer_kib = 4096 };
	/* "+": all words after the first one that is no option are COMMAND's. */
	while (verdict == OPTIONS_GO &&
	       (opt = getopt_long(argc, argv, "+o:d:t:qh", long_options,
				  NULL)) != -1)
		verdict = parse_one(options, opt, optarg);
	if (verdict != OPTIONS_GO)
		return verdict;
	if (!options->output)
		return bad("-o TRACE is missing: where shall it be written?",
			   NULL);
	if (optind < argc)
		options->command = argv + optind;
	return OPTIONS_GO;
}
