/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_PROGRESS_H
#define REPLAY_PROGRESS_H

#include <stdbool.h>

#include "trace.h"

/** progress_show() - show on a terminal how far the replay of @trace is. */
void progress_show(const struct trace *trace, bool recycle);

/** progress_clear() - remove the line again. */
void progress_clear(void);

#endif
