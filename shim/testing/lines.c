// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a fixture says. */

#include <stdio.h>

#include "fixture.h"

static void say_line(const struct ttmpool_test_config *config, const char *line)
{
	if (config->say)
		config->say(config->arg, line);
	else
		fprintf(stderr, "%s\n", line);
}

void ttmpool_test_leak(struct fixture *fixture, const char *format, ...)
{
	va_list args;

	if (fixture->leaks++ >= MOST_LINES)
		return;
	va_start(args, format);
	vsnprintf(fixture->lines[fixture->leaks - 1], LINE_BYTES, format, args);
	va_end(args);
}

void ttmpool_test_say(const struct ttmpool_test_config *config,
		      const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	say_line(config, line);
}

void ttmpool_test_say_leaks(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->leaks && i < MOST_LINES; i++)
		say_line(&fixture->config, fixture->lines[i]);
	if (fixture->leaks > MOST_LINES)
		ttmpool_test_say(&fixture->config,
				 "ttmpool: and %zu leaks more",
				 fixture->leaks - MOST_LINES);
}
