/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_OUTPUT_H
#define REPLAY_OUTPUT_H

#include "options.h"
#include "result.h"

/**
 * struct outcome - what is printed of one trace
 * @options: how it was replayed
 * @with: what that found
 * @without: what a replay without recycling found, or NULL
 */
struct outcome {
	const struct options *options;
	const struct replay_result *with;
	const struct replay_result *without;
};

/** output_report() - a page of text. */
void output_report(const struct outcome *outcome);

/** output_brief_head() - the headings of the table that has a line a trace. */
void output_brief_head(void);

/** output_brief_row() - one line of that table. */
void output_brief_row(const struct outcome *outcome);

/** output_json() - one object, on a line of its own. */
void output_json(const struct outcome *outcome);

#endif
