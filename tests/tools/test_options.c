// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The command line of ttmpool-replay: what each option sets, and what is
 * refused. */

#include "cases.h"

#include <ttmpool/manager.h>

#include "options.h"

#define MAX_WORDS 12

/* Parse "ttmpool-replay @words...", ended by NULL. */
static enum options_verdict parse(struct options *options, ...)
{
	static char *argv[MAX_WORDS + 2] = { (char *)"ttmpool-replay" };
	va_list words;
	int argc = 1;

	va_start(words, options);
	while ((argv[argc] = va_arg(words, char *))) {
		assert_true(argc < MAX_WORDS);
		argc++;
	}
	va_end(words);
	return options_parse(options, argc, argv);
}

/* A trace alone is enough; all other options have the defaults that --help names. */
static void options_have_defaults(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "a.csv", NULL), OPTIONS_RUN);
	assert_int_equal(options.caching, OPTIONS_RECORDED);
	assert_int_equal(options.recycle, RECYCLE_ON);
	assert_int_equal(options.source, SOURCE_RECORDED);
	assert_int_equal(options.iommu, TPSIM_IOMMU_STRICT);
	assert_int_equal(options.ram_mib, 256);
	assert_true(options.pool_limit == OPTIONS_HALF_OF_RAM);
	assert_int_equal(options.mapped_limit_mib, 0);
	assert_int_equal(options.pressure_every, 0);
	assert_true(options.page_budget == TTMPOOL_NO_LIMIT);
	assert_int_equal(options.store_mib, 0);
	assert_int_equal(options.devices, 1);
	assert_int_equal(options.turn, 1);
	assert_false(options.swap);
	assert_int_equal(options.format, FORMAT_REPORT);
	assert_true(options.baseline);
	assert_null(options.plot);
	assert_int_equal(options.nr_traces, 1);
	assert_string_equal(options.traces[0], "a.csv");
}

/* Each word of an option sets its value, and is the name of that value. */
static void options_take_words(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--caching", "uc", "--recycle=off",
			       "--source=coherent", "--iommu", "lazy", "a",
			       NULL),
			 OPTIONS_RUN);
	assert_int_equal(options.caching, TTMPOOL_UNCACHED);
	assert_string_equal(options_caching_word(options.caching), "uc");
	assert_int_equal(options.recycle, RECYCLE_OFF);
	assert_string_equal(options_recycle_word(options.recycle), "off");
	assert_int_equal(options.source, SOURCE_COHERENT);
	assert_string_equal(options_source_word(options.source), "coherent");
	assert_int_equal(options.iommu, TPSIM_IOMMU_LAZY);
	assert_string_equal(options_iommu_word(options.iommu), "lazy");
}

/* Numbers have the value that was typed. */
static void options_take_numbers(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--ram=64", "--pool-limit=0",
			       "--mapped-limit=7", "--pressure=512@100",
			       "--budget=90", "--store=5", "--swap",
			       "--devices=3@40", "a", NULL),
			 OPTIONS_RUN);
	assert_int_equal(options.ram_mib, 64);
	assert_int_equal(options.pool_limit, 0);
	assert_int_equal(options.mapped_limit_mib, 7);
	assert_int_equal(options.pressure_pages, 512);
	assert_int_equal(options.pressure_every, 100);
	assert_int_equal(options.page_budget, 90);
	assert_int_equal(options.store_mib, 5);
	assert_true(options.swap);
	assert_int_equal(options.devices, 3);
	assert_int_equal(options.turn, 40);
}

/* Each output format is chosen by its option. */
static void options_choose_a_format(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--json", "--no-baseline", "a", NULL),
			 OPTIONS_RUN);
	assert_int_equal(options.format, FORMAT_JSON);
	assert_false(options.baseline);
	assert_int_equal(parse(&options, "--brief", "a", NULL), OPTIONS_RUN);
	assert_int_equal(options.format, FORMAT_BRIEF);
}

/* Several traces on one line are several runs. */
static void options_take_several_traces(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "a", "--json", "b", "-", NULL),
			 OPTIONS_RUN);
	assert_int_equal(options.nr_traces, 3);
	assert_string_equal(options.traces[1], "b");
	assert_string_equal(options.traces[2], "-");
}

/* A command line without a trace is refused. */
static void options_want_a_trace(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, NULL), OPTIONS_BAD);
	assert_int_equal(parse(&options, "--json", NULL), OPTIONS_BAD);
}

/* One plot cannot show two traces. */
static void options_plot_one_trace(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--plot", "p.svg", "a", NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.plot, "p.svg");
	assert_int_equal(parse(&options, "--plot", "p.svg", "a", "b", NULL),
			 OPTIONS_BAD);
	assert_int_equal(parse(&options, "--plot=", "a", NULL), OPTIONS_BAD);
}

/* The option for the state takes the name of a directory. */
static void options_name_the_state(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--state", "d", "a", "b", NULL),
			 OPTIONS_RUN);
	assert_string_equal(options.state, "d");
	assert_int_equal(parse(&options, "--state=", "a", NULL), OPTIONS_BAD);
}

/* An unknown word of an option is refused. */
static void options_refuse_unknown_words(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--caching=wb", "a", NULL),
			 OPTIONS_BAD);
	assert_int_equal(parse(&options, "--recycle=yes", "a", NULL),
			 OPTIONS_BAD);
	assert_int_equal(parse(&options, "--source=", "a", NULL), OPTIONS_BAD);
	assert_int_equal(parse(&options, "--iommu=on", "a", NULL), OPTIONS_BAD);
}

/* A word that is no number, or a number that does not fit, is refused. */
static void options_refuse_bad_numbers(void **state)
{
	static const char *const bad[] = { "--ram=0",
					   "--ram=-1",
					   "--ram=12x",
					   "--ram=",
					   "--ram= 5",
					   "--ram=65537",
					   "--ram=99999999999999999999",
					   "--pool-limit=-1",
					   "--pool-limit=9223372036854775808",
					   "--mapped-limit=0" };
	struct options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&options, bad[i], "a", NULL),
				 OPTIONS_BAD);
}

/* Pressure needs both of its numbers, and neither may be zero. */
static void options_refuse_half_a_pressure(void **state)
{
	static const char *const bad[] = { "--pressure=512", "--pressure=512@",
					   "--pressure=@5",  "--pressure=0@5",
					   "--pressure=5@0", "--pressure=5@5x",
					   "--pressure=5@-1" };
	struct options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&options, bad[i], "a", NULL),
				 OPTIONS_BAD);
}

/* The number of devices is from one to eight, and a turn has at least one buffer. */
static void options_refuse_devices_that_cannot_be(void **state)
{
	static const char *const bad[] = { "--devices=0",   "--devices=9",
					   "--devices=2@0", "--devices=2@",
					   "--devices=x",   "--devices=2@3x" };
	struct options options;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse(&options, bad[i], "a", NULL),
				 OPTIONS_BAD);
}

/* An unknown option, or one without its argument, is refused. */
static void options_refuse_what_they_do_not_know(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--frobnicate", "a", NULL),
			 OPTIONS_BAD);
	assert_int_equal(parse(&options, "-x", "a", NULL), OPTIONS_BAD);
	assert_int_equal(parse(&options, "a", "--ram", NULL), OPTIONS_BAD);
	assert_int_equal(parse(&options, "--json=yes", "a", NULL), OPTIONS_BAD);
}

/* After -- every word is a trace. */
static void options_end_at_two_dashes(void **state)
{
	struct options options;

	(void)state;
	assert_int_equal(parse(&options, "--", "--json", NULL), OPTIONS_RUN);
	assert_int_equal(options.format, FORMAT_REPORT);
	assert_string_equal(options.traces[0], "--json");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(options_have_defaults),
	cmocka_unit_test(options_take_words),
	cmocka_unit_test(options_take_numbers),
	cmocka_unit_test(options_choose_a_format),
	cmocka_unit_test(options_take_several_traces),
	cmocka_unit_test(options_want_a_trace),
	cmocka_unit_test(options_plot_one_trace),
	cmocka_unit_test(options_name_the_state),
	cmocka_unit_test(options_refuse_unknown_words),
	cmocka_unit_test(options_refuse_bad_numbers),
	cmocka_unit_test(options_refuse_half_a_pressure),
	cmocka_unit_test(options_refuse_devices_that_cannot_be),
	cmocka_unit_test(options_refuse_what_they_do_not_know),
	cmocka_unit_test(options_end_at_two_dashes),
};

CASES_MAIN("options", tests, NULL, NULL)
