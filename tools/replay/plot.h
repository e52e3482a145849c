/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_PLOT_H
#define REPLAY_PLOT_H

#include "options.h"
#include "timeline.h"

/**
 * plot_try() - can gnuplot run, and can the picture be written?
 * @path: the SVG file, which is made if it is not there
 *
 * The caller finds that out before a long replay. After a failure there is no file that was
 * not there before.
 *
 * Return: 0, or a negative errno; one line on stderr says why.
 */
int plot_try(const char *path);

/**
 * plot_draw() - have gnuplot draw a timeline
 * @path: the SVG file; no other file is left
 * @trace: the file that was replayed, whose name the title has
 * @options: how, which the title says, too
 * @timeline: what to draw
 *
 * Return: 0, or a negative errno; one line on stderr says why.
 */
int plot_draw(const char *path, const char *trace,
	      const struct options *options, const struct timeline *timeline);

#endif
