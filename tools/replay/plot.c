// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The plot of a replay. Above, areas show where the pages were over the time of the
 * trace: in use, pooled, and in the store. Below, there is a row for each kind of event
 * that occurred; it shows how often, relative to its own busiest moment, which the label
 * of the row names.
 *
 * gnuplot draws it. The data are in its script, and the script is its standard input, so
 * the plot is the only file.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plot.h"

/* How many columns a row of events has: each is about six pixels wide. */
#define COLUMNS 160

/* Rows of events, from the bottom. */
static const struct {
	enum timeline_event event;
	const char *name;
	const char *colour;
} rows[] = {
	{ TIMELINE_FAILURE, "failed", "#c01818" },
	{ TIMELINE_PRESSURE, "shrinks", "#d07b16" },
	{ TIMELINE_SWAPIN, "recorded swapins", "#7a4fa3" },
	{ TIMELINE_SWAPOUT, "recorded swapouts", "#3a8a3a" },
	{ TIMELINE_UNPOPULATE, "unpopulates", "#5f8fd0" },
	{ TIMELINE_POPULATE, "populates", "#1f4e9c" },
};

#define NR_ROWS (sizeof(rows) / sizeof(rows[0]))

extern char **environ;

static int complain(const char *path, int err)
{
	fprintf(stderr, "ttmpool-replay: cannot write %s: %s\n", path,
		strerror(err));
	return -err;
}

/* The time at which bin @i begins, in seconds. */
static double bin_start(const struct timeline *timeline, size_t i)
{
	return (double)i * (double)timeline->width_ns / 1e9;
}

/* The data block of the areas: seconds, and three sums of pages. */
static void print_levels(FILE *file, const struct timeline *timeline)
{
	size_t i;

	fputs("$levels << END\n", file);
	for (i = 0; i < timeline->nr_bins; i++) {
		const struct timeline_levels *peak = &timeline->bins[i].peak;

		fprintf(file, "%.6f %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			bin_start(timeline, i), peak->in_use,
			peak->in_use + peak->pooled,
			peak->in_use + peak->pooled + peak->swapped);
	}
	fputs("END\n", file);
}

/* The number of columns: at most that of bins. */
static size_t column_count(const struct timeline *timeline)
{
	return timeline->nr_bins < COLUMNS ? timeline->nr_bins : COLUMNS;
}

/* Count how often @event occurred in each column. Returns the largest count. */
static uint64_t count_columns(const struct timeline *timeline,
			      enum timeline_event event,
			      uint64_t counts[COLUMNS])
{
	size_t columns = column_count(timeline);
	uint64_t most = 0;
	size_t i;

	memset(counts, 0, COLUMNS * sizeof(counts[0]));
	for (i = 0; i < timeline->nr_bins; i++)
		counts[i * columns / timeline->nr_bins] +=
			timeline->bins[i].events[event];
	for (i = 0; i < columns; i++)
		if (most < counts[i])
			most = counts[i];
	return most;
}

/* The data block of row @y: the two ends of each column, and how high it is. */
static void print_row(FILE *file, const struct timeline *timeline, size_t y,
		      const uint64_t counts[COLUMNS], uint64_t most)
{
	size_t columns = column_count(timeline);
	double width = bin_start(timeline, timeline->nr_bins) / (double)columns;
	size_t i;

	fprintf(file, "$row%zu << END\n", y);
	for (i = 0; i < columns; i++)
		if (counts[i])
			fprintf(file, "%.6f %.6f %.4f\n", (double)i * width,
				(double)(i + 1) * width,
				0.8 * (double)counts[i] / (double)most);
	fputs("END\n", file);
}

/* The panel of events. */
static void print_events(FILE *file, const struct timeline *timeline)
{
	uint64_t counts[COLUMNS];
	size_t shown[NR_ROWS];
	size_t nr_shown = 0;
	uint64_t most;
	size_t i;

	fputs("set ytics scale 0 (", file);
	for (i = 0; i < NR_ROWS; i++) {
		most = count_columns(timeline, rows[i].event, counts);
		if (!most)
			continue;
		fprintf(file, "%s'%s, up to %" PRIu64 "' %zu.4",
			nr_shown ? ", " : "", rows[i].name, most, nr_shown);
		shown[nr_shown++] = i;
	}
	fprintf(file, ")\nset yrange [-0.1:%zu]\n", nr_shown);
	for (i = 0; i < nr_shown; i++) {
		most = count_columns(timeline, rows[shown[i]].event, counts);
		print_row(file, timeline, i, counts, most);
	}
	for (i = 0; i < nr_shown; i++)
		fprintf(file,
			"%s $row%zu using 1:(%zu):1:2:(%zu):(%zu+$3) "
			"with boxxyerror lc rgb '%s' notitle",
			i ? "," : "plot", i, i, i, i, rows[shown[i]].colour);
	fputs("\n", file);
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
	fputs("'\n", file);
}

/* The trace counts pages of 4 KiB. */
static const char script_setup[] =
	"set multiplot\n"
	"set lmargin at screen 0.19\n"
	"set rmargin at screen 0.97\n"
	"set tics font ',12'\n"
	"set border 3\n"
	"set tics nomirror out\n"
	"set style fill solid noborder\n"
	"set tmargin at screen 0.87\n"
	"set bmargin at screen 0.42\n"
	"set format x ''\n"
	"set ylabel 'MiB' offset 1\n"
	"set key at screen 0.58,0.93 center horizontal samplen 1\n"
	"mib(pages) = pages / 256.0\n";

/* The rest of the plot: the panel of events is as wide, with the time axis below it. */
static const char script_lower[] = "unset title\n"
				   "unset ylabel\n"
				   "set format x '%g'\n"
				   "set tmargin at screen 0.36\n"
				   "set bmargin at screen 0.14\n"
				   "set xlabel 'seconds of the trace'\n";

static const char script_areas[] =
	"plot $levels using 1:(0):(mib($2)) with filledcurves "
	"lc rgb '#1f4e9c' title 'in use', \\\n"
	"     '' using 1:(mib($2)):(mib($3)) with filledcurves "
	"lc rgb '#e8a33d' title 'pooled'";

static const char script_store[] =
	", \\\n     '' using 1:(mib($3)):(mib($4)) with filledcurves "
	"lc rgb '#7fb77e' title 'in the store'";

/* The title: the name of the trace, and below it how it was replayed. */
static void print_title(FILE *file, const char *path,
			const struct options *options)
{
	const char *slash = strrchr(path, '/');
	char text[512];
	int at;

	at = snprintf(text, sizeof(text),
		      "%.250s: caching %s, recycle %s, IOMMU %s, %" PRIu64
		      " MiB of RAM%s",
		      slash ? slash + 1 : path,
		      options_caching_word(options->caching),
		      options_recycle_word(options->recycle),
		      options_iommu_word(options->iommu), options->ram_mib,
		      options->swap ? ", swap" : "");
	if (options->pressure_every)
		snprintf(text + at, sizeof(text) - (size_t)at,
			 ", %lu pages shrunk every %lu events",
			 options->pressure_pages, options->pressure_every);
	fputs("set title offset 0,1.4 ", file);
	print_quoted(file, text);
}

static void print_script(FILE *file, const char *svg, const char *trace,
			 const struct options *options,
			 const struct timeline *timeline)
{
	bool swapped = false;
	size_t i;

	for (i = 0; i < timeline->nr_bins; i++)
		swapped = swapped || timeline->bins[i].peak.swapped;
	fputs("set terminal svg size 1000,560 noenhanced font 'sans,14' "
	      "background '#ffffff'\nset output ",
	      file);
	print_quoted(file, svg);
	print_levels(file, timeline);
	fputs(script_setup, file);
	print_title(file, trace, options);
	fprintf(file, "set xrange [0:%.6f]\nset yrange [0:*]\n",
		bin_start(timeline, timeline->nr_bins));
	fputs(script_areas, file);
	fputs(swapped ? script_store : "", file);
	fputs("\n", file);
	fputs(script_lower, file);
	print_events(file, timeline);
	fputs("unset multiplot\n", file);
}

/* Run gnuplot with @script as its standard input. */
static int run_gnuplot(FILE *script)
{
	char *argv[] = { (char *)(uintptr_t) "gnuplot", NULL };
	posix_spawn_file_actions_t actions;
	int status = 0;
	pid_t pid;
	int err;

	err = posix_spawn_file_actions_init(&actions);
	if (err)
		return err;
	err = posix_spawn_file_actions_adddup2(&actions, fileno(script), 0);
	if (!err)
		err = posix_spawnp(&pid, argv[0], &actions, NULL, argv,
				   environ);
	posix_spawn_file_actions_destroy(&actions);
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
		fputs("ttmpool-replay: gnuplot could not draw the plot\n",
		      stderr);
		return -EIO;
	}
	return 0;
}

/* If the disk is full, gnuplot writes a part of the plot, and reports success. */
static int check_written(const char *path)
{
	static const char end[] = "</svg>";
	char tail[32] = "";
	FILE *file = fopen(path, "r");
	size_t got = 0;

	if (!file)
		return complain(path, errno);
	if (!fseek(file, -(long)(sizeof(tail) - 1), SEEK_END))
		got = fread(tail, 1, sizeof(tail) - 1, file);
	fclose(file);
	tail[got] = '\0';
	return strstr(tail, end) ? 0 : complain(path, ENOSPC);
}

int plot_draw(const char *path, const char *trace,
	      const struct options *options, const struct timeline *timeline)
{
	FILE *script = tmpfile();
	int err = 0;

	if (!script)
		return complain("a temporary file", errno);
	print_script(script, path, trace, options, timeline);
	if (ferror(script) || fflush(script) || fseek(script, 0, SEEK_SET))
		err = complain("a temporary file", errno ? errno : EIO);
	if (!err)
		err = run_gnuplot(script);
	if (!err)
		err = check_written(path);
	fclose(script);
	return err;
}

/* gnuplot reads an empty script, draws nothing, and exits. */
static int try_gnuplot(void)
{
	FILE *script = tmpfile();
	int err;

	if (!script)
		return complain("a temporary file", errno);
	err = run_gnuplot(script);
	fclose(script);
	return err;
}

int plot_try(const char *path)
{
	bool was_there = !access(path, F_OK);
	FILE *file = fopen(path, "a");
	int err;

	if (!file)
		return complain(path, errno);
	fclose(file);
	err = try_gnuplot();
	if (err && !was_there)
		unlink(path);
	return err;
}
