// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs the cases of the facade with cmocka.
 *
 *     PROGRAM           run the cases
 *     PROGRAM --list    print their names, one per line
 *     PROGRAM PATTERN   run those that match (cmocka's * and ?)
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check_run.h"

#define MAX_CASES 128

struct job {
	const struct check_case *test;
	const struct tpsim_config *config;
};

static void run_case(void **state)
{
	const struct job *job = *state;
	char message[512];

	if (!check_run(job->test, job->config, message, sizeof(message)))
		fail_msg("%s", message);
}

int check_main(int argc, char **argv, const struct check_suite *suite,
	       const struct tpsim_config *config)
{
	struct CMUnitTest tests[MAX_CASES] = { 0 };
	struct job jobs[MAX_CASES];
	size_t n = 0;

	for (const struct check_case *c = suite->cases; c->name; c++, n++) {
		if (argc > 1 && !strcmp(argv[1], "--list"))
			puts(c->name);
		if (n == MAX_CASES)
			return EXIT_FAILURE;
		jobs[n] = (struct job){ .test = c, .config = config };
		tests[n] = (struct CMUnitTest){ .name = c->name,
						.test_func = run_case,
						.initial_state = &jobs[n] };
	}
	if (argc > 1 && !strcmp(argv[1], "--list"))
		return EXIT_SUCCESS;
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return _cmocka_run_group_tests(suite->name, tests, n, NULL, NULL);
}
