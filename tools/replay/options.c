// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The command line. The words of every option are in a table, and the results print the
 * choice with the same tables, so that what is printed can be typed again.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <ttmpool/manager.h>
#include <ttmpool/version.h>

#include "options.h"

struct word {
	const char *word;
	int value;
};

static const struct word caching_words[] = {
	{ "recorded", OPTIONS_RECORDED },
	{ "cached", TTMPOOL_CACHED },
	{ "wc", TTMPOOL_WRITE_COMBINED },
	{ "uc", TTMPOOL_UNCACHED },
	{ NULL, 0 },
};

static const struct word recycle_words[] = {
	{ "on", RECYCLE_ON },
	{ "off", RECYCLE_OFF },
	{ "all", RECYCLE_ALL },
	{ NULL, 0 },
};

static const struct word source_words[] = {
	{ "recorded", SOURCE_RECORDED },
	{ "auto", SOURCE_AUTO },
	{ "plain", SOURCE_PLAIN },
	{ "coherent", SOURCE_COHERENT },
	{ NULL, 0 },
};

static const struct word iommu_words[] = {
	{ "off", TPSIM_IOMMU_OFF },
	{ "lazy", TPSIM_IOMMU_LAZY },
	{ "strict", TPSIM_IOMMU_STRICT },
	{ NULL, 0 },
};

enum {
	OPT_CACHING = 256,
	OPT_RECYCLE,
	OPT_SOURCE,
	OPT_IOMMU,
	OPT_RAM,
	OPT_POOL_LIMIT,
	OPT_MAPPED_LIMIT,
	OPT_BUDGET,
	OPT_DEVICES,
	OPT_SWAP,
	OPT_STORE,
	OPT_PRESSURE,
	OPT_BRIEF,
	OPT_JSON,
	OPT_NO_BASELINE,
	OPT_PLOT,
	OPT_STATE,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "caching", required_argument, NULL, OPT_CACHING },
	{ "recycle", required_argument, NULL, OPT_RECYCLE },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "iommu", required_argument, NULL, OPT_IOMMU },
	{ "ram", required_argument, NULL, OPT_RAM },
	{ "pool-limit", required_argument, NULL, OPT_POOL_LIMIT },
	{ "mapped-limit", required_argument, NULL, OPT_MAPPED_LIMIT },
	{ "budget", required_argument, NULL, OPT_BUDGET },
	{ "devices", required_argument, NULL, OPT_DEVICES },
	{ "swap", no_argument, NULL, OPT_SWAP },
	{ "store", required_argument, NULL, OPT_STORE },
	{ "pressure", required_argument, NULL, OPT_PRESSURE },
	{ "brief", no_argument, NULL, OPT_BRIEF },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "no-baseline", no_argument, NULL, OPT_NO_BASELINE },
	{ "plot", required_argument, NULL, OPT_PLOT },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* help2man makes the man page of this: see cmake/man.cmake. */
static const char help_text[] =
	"Usage: ttmpool-replay [OPTION]... TRACE...\n"
	"Replay recorded GPU buffer traffic through ttmpool, each TRACE on a\n"
	"simulated machine of its own, and report what the pool did.\n"
	"TRACE - is standard input.\n"
	"\n"
	"The machine and the pool:\n"
	"  --caching recorded|cached|wc|uc\n"
	"                         caching of every buffer (recorded)\n"
	"  --recycle on|off|all   keep pages in the pool (on); all: cached\n"
	"                         plain pages, too\n"
	"  --source recorded|auto|plain|coherent\n"
	"                         where pages come from (recorded)\n"
	"  --iommu off|lazy|strict\n"
	"                         DMA translation (strict)\n"
	"  --ram MIB              memory of the machine (256)\n"
	"  --pool-limit PAGES     pages that may lie pooled (half of memory)\n"
	"  --mapped-limit MIB     MiB that may be mapped for DMA (no limit)\n"
	"  --budget PAGES         pages that the pool may have (no limit)\n"
	"  --devices N[@TURN]     so many devices, each with a pool; after "
	"TURN\n"
	"                         buffers it is the next one's turn (1@1)\n"
	"  --swap                 swap out buffers for others (they stay)\n"
	"  --store MIB            room for swapped-out contents (no limit)\n"
	"  --pressure PAGES@N     every N events, the system takes PAGES from\n"
	"                         the pool (never)\n"
	"\n"
	"Output:\n"
	"  --no-baseline          do not replay again without recycling, to\n"
	"                         compare\n"
	"  --brief                one table with a line for each trace\n"
	"  --json                 one JSON object a line for each trace\n"
	"  --plot FILE.svg        draw the pages over time (needs gnuplot)\n"
	"  --state DIR            write the state of the pool to DIR ten "
	"times\n"
	"                         a second; ttmpool-top --path DIR shows it\n"
	"  -h, --help             print this\n"
	"  --version              print the version\n"
	"\n"
	"Exit status:\n"
	"  0  no replay found a fault\n"
	"  1  a replay found one: a leak, foreign bytes in a page, a failed\n"
	"     populate\n"
	"  2  the command line is wrong, a trace is malformed, or a file "
	"could\n"
	"     not be read or written\n";

static const char *word_of(const struct word *words, int value)
{
	while (words->word && words->value != value)
		words++;
	return words->word;
}

const char *options_caching_word(int caching)
{
	return word_of(caching_words, caching);
}

const char *options_recycle_word(enum options_recycle recycle)
{
	return word_of(recycle_words, (int)recycle);
}

const char *options_source_word(enum options_source source)
{
	return word_of(source_words, (int)source);
}

const char *options_iommu_word(enum tpsim_iommu iommu)
{
	return word_of(iommu_words, (int)iommu);
}

/* Print what is wrong with option @name: it takes one of @words. */
static int wants_word(const char *name, const struct word *words)
{
	fprintf(stderr, "ttmpool-replay: --%s takes ", name);
	for (; words->word; words++)
		fprintf(stderr, "%s%s", words->word, words[1].word ? "|" : "");
	fprintf(stderr, ", not \"%s\"\n", optarg);
	return -EINVAL;
}

static int parse_word(const char *name, const struct word *words, int *value)
{
	const struct word *word;

	for (word = words; word->word; word++) {
		if (!strcmp(word->word, optarg)) {
			*value = word->value;
			return 0;
		}
	}
	return wants_word(name, words);
}

/* Read a number at @text, only digits; @end is behind it afterwards. */
static int scan_number(const char *text, char **end, uint64_t max,
		       uint64_t *value)
{
	unsigned long long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, end, 10);
	if (errno || n > max)
		return -ERANGE;
	*value = n;
	return 0;
}

static int parse_number(const char *name, uint64_t min, uint64_t max,
			uint64_t *value)
{
	char *end = NULL;

	if (!scan_number(optarg, &end, max, value) && !*end && *value >= min)
		return 0;
	fprintf(stderr,
		"ttmpool-replay: --%s takes a number from %llu to %llu, not "
		"\"%s\"\n",
		name, (unsigned long long)min, (unsigned long long)max, optarg);
	return -EINVAL;
}

static int parse_pressure(struct options *options)
{
	uint64_t pages = 0;
	uint64_t every = 0;
	char *end = NULL;

	if (scan_number(optarg, &end, ULONG_MAX, &pages) || *end != '@' ||
	    scan_number(end + 1, &end, ULONG_MAX, &every) || *end || !pages ||
	    !every) {
		fprintf(stderr,
			"ttmpool-replay: --pressure takes PAGES@N, as 512@100, "
			"not \"%s\"\n",
			optarg);
		return -EINVAL;
	}
	options->pressure_pages = pages;
	options->pressure_every = every;
	return 0;
}

static int parse_devices(struct options *options)
{
	char *end = NULL;

	options->turn = 1;
	if (scan_number(optarg, &end, OPTIONS_DEVICES_MAX, &options->devices) ||
	    (*end == '@' &&
	     scan_number(end + 1, &end, LONG_MAX, &options->turn)) ||
	    *end || !options->devices || !options->turn) {
		fprintf(stderr,
			"ttmpool-replay: --devices takes N[@TURN], N from 1 to "
			"%d, as 2 or 2@100, not \"%s\"\n",
			OPTIONS_DEVICES_MAX, optarg);
		return -EINVAL;
	}
	return 0;
}

/* The options that choose a word. */
static int set_word(struct options *options, int opt)
{
	int value = 0;
	int err;

	switch (opt) {
	case OPT_CACHING:
		return parse_word("caching", caching_words, &options->caching);
	case OPT_RECYCLE:
		err = parse_word("recycle", recycle_words, &value);
		options->recycle = (enum options_recycle)value;
		return err;
	case OPT_SOURCE:
		err = parse_word("source", source_words, &value);
		options->source = (enum options_source)value;
		return err;
	default:
		err = parse_word("iommu", iommu_words, &value);
		options->iommu = (enum tpsim_iommu)value;
		return err;
	}
}

/* The options that take a number. A machine needs memory for the descriptors of its page
 * frames: half a GiB for 64 GiB. */
static int set_number(struct options *options, int opt)
{
	uint64_t n = 0;
	int err;

	switch (opt) {
	case OPT_RAM:
		return parse_number("ram", 1, 65536, &options->ram_mib);
	case OPT_MAPPED_LIMIT:
		return parse_number("mapped-limit", 1, 1 << 20,
				    &options->mapped_limit_mib);
	case OPT_STORE:
		return parse_number("store", 1, 1 << 20, &options->store_mib);
	case OPT_PRESSURE:
		return parse_pressure(options);
	case OPT_DEVICES:
		return parse_devices(options);
	case OPT_BUDGET:
		err = parse_number("budget", 1, LONG_MAX, &n);
		options->page_budget = n;
		return err;
	default:
		err = parse_number("pool-limit", 0, LONG_MAX, &n);
		options->pool_limit = n;
		return err;
	}
}

static int set_option(struct options *options, int opt)
{
	switch (opt) {
	case OPT_CACHING:
	case OPT_RECYCLE:
	case OPT_SOURCE:
	case OPT_IOMMU:
		return set_word(options, opt);
	case OPT_BRIEF:
		options->format = FORMAT_BRIEF;
		return 0;
	case OPT_JSON:
		options->format = FORMAT_JSON;
		return 0;
	case OPT_NO_BASELINE:
		options->baseline = false;
		return 0;
	case OPT_SWAP:
		options->swap = true;
		return 0;
	case OPT_PLOT:
		options->plot = optarg;
		return 0;
	case OPT_STATE:
		options->state = optarg;
		return 0;
	default:
		return set_number(options, opt);
	}
}

static enum options_verdict bad(const char *what, const char *about)
{
	fprintf(stderr, "ttmpool-replay: %s%s; see --help\n", what, about);
	return OPTIONS_BAD;
}

/* getopt_long() did not know the option, or misses its argument. */
static enum options_verdict bad_option(int opt, char *argv[])
{
	return bad(opt == ':' ? "an argument is missing after "
			      : "no such option, or not so: ",
		   argv[optind - 1]);
}

static enum options_verdict check_traces(struct options *options, int argc,
					 char *argv[])
{
	options->traces = argv + optind;
	options->nr_traces = (size_t)(argc - optind);
	if (options->nr_traces == 0)
		return bad("name a trace to replay", "");
	if (options->plot && options->nr_traces > 1)
		return bad("--plot draws one trace, and several are named", "");
	if (options->plot && !*options->plot)
		return bad("--plot needs the name of a file", "");
	if (options->state && !*options->state)
		return bad("--state needs the name of a directory", "");
	return OPTIONS_RUN;
}

enum options_verdict options_parse(struct options *options, int argc,
				   char *argv[])
{
	int opt;

	*options = (struct options){
		.caching = OPTIONS_RECORDED,
		.recycle = RECYCLE_ON,
		.source = SOURCE_RECORDED,
		.iommu = TPSIM_IOMMU_STRICT,
		.ram_mib = 256,
		.pool_limit = OPTIONS_HALF_OF_RAM,
		.page_budget = TTMPOOL_NO_LIMIT,
		.devices = 1,
		.turn = 1,
		.format = FORMAT_REPORT,
		.baseline = true,
	};
	optind = 0; /* glibc: start over, for a second call in one process */
	while ((opt = getopt_long(argc, argv, ":h", long_options, NULL)) !=
	       -1) {
		if (opt == '?' || opt == ':')
			return bad_option(opt, argv);
		if (opt == OPT_HELP || opt == 'h') {
			fputs(help_text, stdout);
			return OPTIONS_DONE;
		}
		if (opt == OPT_VERSION) {
			puts("ttmpool-replay " TTMPOOL_VERSION_STRING);
			return OPTIONS_DONE;
		}
		if (set_option(options, opt))
			return OPTIONS_BAD;
	}
	return check_traces(options, argc, argv);
}
