/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_PLOT_H
#define REPLAY_PLOT_H

#include "timeline.h"

/**
 * plot_draw() - have gnuplot draw a timeline
 * @path: the SVG file; @path.dat and @path.gnuplot are left beside it, to draw
 *	it in another way
 * @title: above the picture
 * @timeline: what to draw
 *
 * Return: 0, or a negative errno; one line on stderr says why.
 */
int plot_draw(const char *path, const char *title,
	      const struct timeline *timeline);

#endif
