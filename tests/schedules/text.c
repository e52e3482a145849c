// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Scenarios as text: "gp/sd" is two threads with two operations each. So a scenario that
 * failed can be printed, and played again.
 */

#include <stdio.h>
#include <string.h>

#include "scenario.h"

const char scenario_letters[] = "gGpPoOaAlrkxswdtubmc";

bool scenario_parse(struct scenario *scenario, const char *text)
{
	size_t ops = 0;

	*scenario = (struct scenario){ .n = 1 };
	for (; *text; text++) {
		if (*text == '/') {
			if (++scenario->n > MOST_THREADS)
				return false;
			ops = 0;
			continue;
		}
		if ((!strchr(scenario_letters, *text) && *text != 'z') ||
		    ops == MOST_OPS)
			return false;
		scenario->ops[scenario->n - 1][ops++] = *text;
	}
	return true;
}

void scenario_print(const struct scenario *scenario, char *text)
{
	for (unsigned int i = 0; i < scenario->n; i++)
		text += sprintf(text, "%s%s", i ? "/" : "", scenario->ops[i]);
}
