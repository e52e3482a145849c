/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_PLOT_H
#define REPLAY_PLOT_H

#include "options.h"
#include "timeline.h"

/**
 * plot_try() - can gnuplot run, and can the plot be written?
 * @path: the SVG file, which is created if it does not exist
 *
 * The caller checks that before a long replay. A failure leaves no file that was not
 * there before.
 *
 * Return: 0, or a negative errno; one line on stderr says why.
 */
int plot_try(const char *path);

/**
 * plot_draw() - let gnuplot draw a timeline
 * @path: the SVG file; no other file is left
 * @trace: the file that was replayed, whose name is in the title
 * @options: of the replay, which are in the title, too
 * @timeline: what to draw
 *
 * Return: 0, or a negative errno; one line on stderr says why.
 */
int plot_draw(const char *path, const char *trace,
	      const struct options *options, const struct timeline *timeline);

#endif
