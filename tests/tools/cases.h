/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TOOLS_CASES_H
#define TOOLS_CASES_H

/*
 * The main() of a cmocka program that can also list its cases:
 *
 *     PROGRAM           run the cases
 *     PROGRAM --list    print their names, one per line
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CASES_MAIN(subject, tests, setup, teardown)                          \
	int main(int argc, char *argv[])                                     \
	{                                                                    \
		size_t i;                                                    \
                                                                             \
		if (argc != 2 || strcmp(argv[1], "--list"))                  \
			return cmocka_run_group_tests_name(subject, tests,   \
							   setup, teardown); \
		for (i = 0; i < sizeof(tests) / sizeof((tests)[0]); i++)     \
			puts((tests)[i].name);                               \
		return 0;                                                    \
	}

#endif
