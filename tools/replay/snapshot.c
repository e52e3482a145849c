// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The state of a running replay, for ttmpool-top: the files "stats" and "page_pool", with
 * the lines that the Linux port has in debugfs (shim/linux/debugfs.c). Each is written
 * under another name and renamed, so that a reader never sees half of one.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "snapshot.h"

#define EVERY_ROWS 64 /* reading the clock costs more than most rows */
#define EVERY_MS   100
#define PATH_MOST  4096
#define NAME_MOST  32

static int complain(const char *directory, int err)
{
	fprintf(stderr, "ttmpool-replay: --state %s: %s\n", directory,
		strerror(-err));
	return err;
}

/* "replay"; if there are several pools, with the number of the pool. */
static void pool_name(const struct rig *rig, size_t i, char name[NAME_MOST])
{
	if (rig->nr_devices == 1)
		snprintf(name, NAME_MOST, "%s", rig->pools[i].name);
	else
		snprintf(name, NAME_MOST, "%s-%zu", rig->pools[i].name, i);
}

static void write_pool(FILE *to, struct rig *rig, size_t i)
{
	char name[NAME_MOST];
	static const struct {
		const char *name;
		size_t offset;
	} counters[] = {
#define COUNTER(member) { #member, offsetof(struct ttmpool_pool_stats, member) }
		COUNTER(takes),         COUNTER(takes_failed),
		COUNTER(gives),         COUNTER(pages_in_use),
		COUNTER(pages_pooled),  COUNTER(pages_hit),
		COUNTER(pages_fresh),   COUNTER(pages_released),
		COUNTER(bytes_mapped),  COUNTER(bytes_held),
		COUNTER(bytes_cleared), COUNTER(caching_batches),
		COUNTER(caching_pages), COUNTER(map_batches),
		COUNTER(maps),          COUNTER(unmap_batches),
		COUNTER(unmaps),        COUNTER(maps_kept),
		COUNTER(fallbacks),
#undef COUNTER
	};
	struct ttmpool_pool_stats stats;

	pool_name(rig, i, name);
	ttmpool_pool_stats(&rig->pools[i], &stats);
	for (size_t n = 0; n < sizeof(counters) / sizeof(*counters); n++) {
		uint64_t value;

		memcpy(&value, (const char *)&stats + counters[n].offset,
		       sizeof(value));
		fprintf(to, "%s %s %" PRIu64 "\n", name, counters[n].name,
			value);
	}
}

/* The machine's counters take the place of the Linux port's own. */
static void write_stats(FILE *to, struct rig *rig)
{
	struct ttmpool_manager_stats stats;
	struct tpsim_counters counters;
	struct tpsim_ledger ledger;

	ttmpool_manager_stats(&rig->mgr, &stats);
	tpsim_counters(rig->machine, &counters);
	tpsim_ledger(rig->machine, &ledger);
	fprintf(to, "manager pages %lu\nmanager pages_pooled %lu\n",
		stats.pages, stats.pages_pooled);
	fprintf(to, "manager pages_quarantined %lu\nmanager pages_shrunk %lu\n",
		stats.pages_quarantined, stats.pages_shrunk);
	fprintf(to, "linux iotlb_flushes %" PRIu64 "\n",
		counters.iotlb_invalidations);
	fprintf(to, "linux pages_stored %zu\n", ledger.store_pages);
	for (size_t i = 0; i < rig->nr_devices; i++)
		write_pool(to, rig, i);
}

static void write_bins(FILE *to, struct ttmpool_pool *pool,
		       enum ttmpool_source source)
{
	static const char *const names[] = { [TTMPOOL_UNCACHED] = "uc",
					     [TTMPOOL_WRITE_COMBINED] = "wc",
					     [TTMPOOL_CACHED] = "wb" };

	for (int caching = 0; caching < TTMPOOL_CACHING_COUNT; caching++) {
		fprintf(to, "%s\t:", names[caching]);
		for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++)
			fprintf(to, " %8zu",
				ttmpool_pool_count(
					pool, source,
					(enum ttmpool_caching)caching, order));
		fputc('\n', to);
	}
}

static void write_page_pool(FILE *to, struct rig *rig)
{
	char name[NAME_MOST];

	for (size_t i = 0; i < rig->nr_devices; i++) {
		pool_name(rig, i, name);
		fprintf(to, "%s plain\n", name);
		write_bins(to, &rig->pools[i], TTMPOOL_PLAIN);
		fprintf(to, "%s coherent\n", name);
		write_bins(to, &rig->pools[i], TTMPOOL_COHERENT);
	}
}

static int write_file(const char *directory, const char *name, struct rig *rig,
		      void (*fill)(FILE *to, struct rig *rig))
{
	char path[PATH_MOST], beside[PATH_MOST];
	FILE *to;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >=
		    (int)sizeof(path) - 4 ||
	    snprintf(beside, sizeof(beside), "%s.new", path) < 0)
		return -ENAMETOOLONG;
	to = fopen(beside, "w");
	if (!to)
		return -errno;
	if (fill)
		fill(to, rig);
	if (fclose(to) || (fill && rename(beside, path)) ||
	    (!fill && remove(beside)))
		return -errno;
	return 0;
}

int snapshot_try(const char *directory)
{
	int err = 0;

	if (mkdir(directory, 0777) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = write_file(directory, "stats", NULL, NULL);
	return err ? complain(directory, err) : 0;
}

int snapshot_write(const char *directory, struct rig *rig)
{
	int err = write_file(directory, "page_pool", rig, write_page_pool);

	if (!err)
		err = write_file(directory, "stats", rig, write_stats);
	return err ? complain(directory, err) : 0;
}

void snapshot_show(const char *directory, struct rig *rig, uint64_t row)
{
	static int64_t next_ms;
	struct timespec now;
	int64_t ms;

	if (row % EVERY_ROWS)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (ms < next_ms)
		return;
	next_ms = ms + EVERY_MS;
	snapshot_write(directory, rig);
}
