// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs the cases of the facade in a loop, where cmocka cannot be used: under
 * MemorySanitizer, which reports memory as uninitialised if a library that it has not
 * compiled has written it, and on architectures for which cmocka is not installed. The
 * output is the same as cmocka's.
 *
 *     PROGRAM           run the cases
 *     PROGRAM --list    print their names, one per line
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"

static bool run_one(const struct check_case *test,
		    const struct tpsim_config *config)
{
	char message[512];
	bool held;

	printf("[ RUN      ] %s\n", test->name);
	fflush(stdout);
	held = check_run(test, config, message, sizeof(message));
	if (!held)
		puts(message);
	printf("[ %s ] %s\n", held ? "      OK" : " FAILED ", test->name);
	return held;
}

int check_main(int argc, char **argv, const struct check_suite *suite,
	       const struct tpsim_config *config)
{
	bool list = argc == 2 && !strcmp(argv[1], "--list");
	int cases = 0, failed = 0;

	if (argc > 1 && !list) {
		fprintf(stderr, "usage: %s [--list]\n", argv[0]);
		return 2;
	}
	for (const struct check_case *c = suite->cases; c->name; c++, cases++) {
		if (list)
			puts(c->name);
		else
			failed += !run_one(c, config);
	}
	if (!list)
		printf("[==========] %s: %d test(s) run, %d failed\n",
		       suite->name, cases, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
