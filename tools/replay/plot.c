// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The picture of a replay: pages in use, pooled and swapped over the time of
 * the trace, and below it the events. gnuplot draws it, from a data file and a
 * script that stay beside the picture: who wants other colours, or a stretch of
 * it, edits the script.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "plot.h"

extern char **environ;

/*
 * @path with @suffix; the caller frees it. gnuplot takes a name that begins
 * with a dash for an option, and knows no "--".
 */
static char *beside(const char *path, const char *suffix)
{
	const char *here = *path == '-' ? "./" : "";
	size_t size = strlen(here) + strlen(path) + strlen(suffix) + 1;
	char *joined = malloc(size);

	if (joined)
		snprintf(joined, size, "%s%s%s", here, path, suffix);
	return joined;
}

static int complain(const char *path, int err)
{
	fprintf(stderr, "ttmpool-replay: cannot write %s: %s\n", path,
		strerror(err));
	return -err;
}

/* Close what was written; the disk may be full only now. */
static int finish(FILE *file, const char *path)
{
	int failed = ferror(file);
	int err = 0;

	errno = EIO;
	if (fclose(file) || failed)
		err = complain(path, errno);
	return err;
}

/* When bin @i begins, in seconds. */
static double bin_start(const struct timeline *timeline, size_t i)
{
	return (double)i * (double)timeline->width_ns / 1e9;
}

static int write_data(const char *path, const struct timeline *timeline)
{
	FILE *file = fopen(path, "w");
	size_t i;
	size_t event;

	if (!file)
		return complain(path, errno);
	fputs("# seconds in_use pooled swapped populates unpopulates swapouts "
	      "swapins pressures failures\n",
	      file);
	for (i = 0; i < timeline->nr_bins; i++) {
		const struct timeline_bin *bin = &timeline->bins[i];

		fprintf(file, "%.6f %" PRIu64 " %" PRIu64 " %" PRIu64,
			bin_start(timeline, i), bin->peak.in_use,
			bin->peak.pooled, bin->peak.swapped);
		for (event = 0; event < TIMELINE_EVENT_COUNT; event++)
			fprintf(file, " %" PRIu64, bin->events[event]);
		fputc('\n', file);
	}
	return finish(file, path);
}

/* The name of a file without the folders that it is in. */
static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A string as gnuplot quotes it: a quote is doubled. */
static void print_quoted(FILE *file, const char *text)
{
	fputc('\'', file);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', file);
		fputc(*text, file);
	}
	fputc('\'', file);
}

static const char script_setup[] = "set lmargin 12\n"
				   "set key top left horizontal\n"
				   "set grid\n"
				   "set ylabel 'pages'\n";

static const char script_in_ram[] =
	"plot data using 1:2 with steps lw 1.5 lc rgb '#1f4e9c' "
	"title 'in use', \\\n"
	"     data using 1:3 with steps lw 1.5 lc rgb '#d07b16' "
	"title 'pooled'\n"
	"unset title\n";

static const char script_in_store[] =
	"plot data using 1:4 with steps lw 1.5 lc rgb '#3a8a3a' "
	"title 'swapped out and not back (or destroyed since)'\n";

/* A mark for each bin in which there was such an event. */
static const char script_events[] =
	"unset key\n"
	"unset ylabel\n"
	"set xlabel 'seconds'\n"
	"set yrange [0.5:5.5]\n"
	"set ytics ('populate' 5, 'swapout' 4, 'swapin' 3, 'pressure' 2, "
	"'failed' 1)\n"
	"row(column, y) = column(column) > 0 ? y : NaN\n"
	"set style data points\n"
	"plot data using 1:(row(5, 5)) pt 1 ps 0.6 lc rgb '#1f4e9c', \\\n"
	"     data using 1:(row(7, 4)) pt 1 ps 0.6 lc rgb '#3a8a3a', \\\n"
	"     data using 1:(row(8, 3)) pt 1 ps 0.6 lc rgb '#7a4fa3', \\\n"
	"     data using 1:(row(9, 2)) pt 1 ps 0.6 lc rgb '#d07b16', \\\n"
	"     data using 1:(row(10, 1)) pt 1 ps 0.6 lc rgb '#c01818'\n"
	"unset multiplot\n";

/* Room for the highest of @levels, and for the key above it. */
static void print_range(FILE *file, uint64_t a, uint64_t b)
{
	uint64_t most = a > b ? a : b;

	fprintf(file, "set yrange [0:%.0f]\n", 1.2 * (double)most + 1);
}

static void print_script(FILE *file, const char *svg, const char *data,
			 const char *title, const struct timeline *timeline)
{
	struct timeline_levels most = { .in_use = 0 };
	size_t i;

	for (i = 0; i < timeline->nr_bins; i++)
		timeline_raise(&most, &timeline->bins[i].peak);
	fputs("set terminal svg size 1100,900 noenhanced background "
	      "'#ffffff'\n"
	      "set output ",
	      file);
	print_quoted(file, svg);
	fputs("\ndata = ", file);
	print_quoted(file, data);
	fputs("\nset title ", file);
	print_quoted(file, file_name(title));
	fprintf(file, "\nset xrange [0:%.6f]\n",
		bin_start(timeline, timeline->nr_bins));
	/* A trace without swapping has no panel for it. */
	fprintf(file, "set multiplot layout %d,1\n", most.swapped ? 3 : 2);
	fputs(script_setup, file);
	print_range(file, most.in_use, most.pooled);
	fputs(script_in_ram, file);
	if (most.swapped) {
		print_range(file, most.swapped, 0);
		fputs(script_in_store, file);
	}
	fputs(script_events, file);
}

static int write_script(const char *path, const char *svg, const char *data,
			const char *title, const struct timeline *timeline)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return complain(path, errno);
	print_script(file, svg, data, title, timeline);
	return finish(file, path);
}

static int run_gnuplot(const char *script)
{
	char *argv[] = { "gnuplot", (char *)(uintptr_t)script, NULL };
	int status = 0;
	pid_t pid;
	int err;

	err = posix_spawnp(&pid, "gnuplot", NULL, NULL, argv, environ);
	if (err) {
		fprintf(stderr,
			"ttmpool-replay: cannot run gnuplot: %s (the Debian "
			"package is gnuplot-nox)\n",
			strerror(err));
		return -err;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "ttmpool-replay: gnuplot failed on %s\n",
			script);
		return -EIO;
	}
	return 0;
}

int plot_draw(const char *path, const char *title,
	      const struct timeline *timeline)
{
	char *data = beside(path, ".dat");
	char *script = beside(path, ".gnuplot");
	int err = -ENOMEM;

	if (!data || !script) {
		complain(path, ENOMEM);
		goto free_names;
	}
	err = write_data(data, timeline);
	if (!err)
		err = write_script(script, path, data, title, timeline);
	if (!err)
		err = run_gnuplot(script);
free_names:
	free(script);
	free(data);
	return err;
}
