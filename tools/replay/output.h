/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_OUTPUT_H
#define REPLAY_OUTPUT_H

#include "options.h"
#include "result.h"

/**
 * struct outcome - what is printed for one trace
 * @options: how it was replayed
 * @with: the result of that
 * @without: the result of a replay without recycling, or NULL
 */
struct outcome {
	const struct options *options;
	const struct replay_result *with;
	const struct replay_result *without;
};

/** output_report() - a page of text. */
void output_report(const struct outcome *outcome);

/** output_brief_head() - the headings of the table with one line per trace. */
void output_brief_head(void);

/** output_brief_row() - one line of that table. */
void output_brief_row(const struct outcome *outcome);

/** output_json() - one object, on a line of its own. */
void output_json(const struct outcome *outcome);

#endif
