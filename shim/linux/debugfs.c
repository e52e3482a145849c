// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The files in /sys/kernel/debug/ttmpool:
 *
 *     page_pool   pooled chunks by pool, caching and order, in the table form
 *                 of TTM's file of that name
 *     stats       the counters of the manager, of this port and of each pool
 *     shrink      writing a number gives up that many pages, as if the system
 *                 had asked for them. Reading changes nothing, and says how
 *                 many pages could be given up.
 */

#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "ttmpool_debugfs.h"
#include "ttmpool_system.h"

#include <ttmpool/pool.h>

static struct dentry *files[3];

/* A function to call for each pool. */
struct show {
	struct seq_file *m;
	void (*show)(struct seq_file *m, struct ttmpool_pool *pool);
};

static void show_one(struct ttmpool_pool *pool, void *arg)
{
	struct show *show = arg;

	show->show(show->m, pool);
}

static void show_header(struct seq_file *m)
{
	seq_puts(m, "\t ");
	for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++)
		seq_printf(m, " ---%2u---", order);
	seq_putc(m, '\n');
}

static void show_bins(struct seq_file *m, struct ttmpool_pool *pool,
		      enum ttmpool_source source)
{
	static const char *const names[] = { [TTMPOOL_UNCACHED] = "uc",
					     [TTMPOOL_WRITE_COMBINED] = "wc",
					     [TTMPOOL_CACHED] = "wb" };

	for (int caching = 0; caching < TTMPOOL_CACHING_COUNT; caching++) {
		seq_printf(m, "%s\t:", names[caching]);
		for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++)
			seq_printf(m, " %8zu",
				   ttmpool_pool_count(pool, source, caching,
						      order));
		seq_putc(m, '\n');
	}
}

static void show_pool_table(struct seq_file *m, struct ttmpool_pool *pool)
{
	seq_printf(m, "%s plain\n", pool->name);
	show_bins(m, pool, TTMPOOL_PLAIN);
	seq_printf(m, "%s coherent\n", pool->name);
	show_bins(m, pool, TTMPOOL_COHERENT);
}

static void show_total(struct seq_file *m, struct ttmpool_manager *mgr)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(mgr, &stats);
	seq_printf(m, "\ntotal\t: %8lu of %8lu\n", stats.pages_pooled,
		   (unsigned long)tpos_atomic_read(&mgr->pool_limit));
}

void ttmpool_debugfs_pool(struct seq_file *m, struct ttmpool_pool *pool)
{
	show_header(m);
	show_pool_table(m, pool);
	show_total(m, pool->mgr);
}

static int page_pool_show(struct seq_file *m, void *data)
{
	struct ttmpool_manager *mgr = m->private;
	struct show show = { m, show_pool_table };

	show_header(m);
	ttmpool_manager_each_pool(mgr, show_one, &show);
	show_total(m, mgr);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(page_pool);

static void show_pool_stats(struct seq_file *m, struct ttmpool_pool *pool)
{
	static const struct {
		const char *name;
		size_t offset;
	} counters[] = {
#define COUNTER(member) { #member, offsetof(struct ttmpool_pool_stats, member) }
		COUNTER(takes),          COUNTER(takes_failed),
		COUNTER(gives),          COUNTER(pages_in_use),
		COUNTER(pages_pooled),   COUNTER(pages_hit),
		COUNTER(pages_fresh),    COUNTER(pages_released),
		COUNTER(bytes_mapped),   COUNTER(bytes_held),
		COUNTER(bytes_cleared),  COUNTER(caching_batches),
		COUNTER(caching_pages),  COUNTER(map_batches),
		COUNTER(maps),           COUNTER(unmap_batches),
		COUNTER(unmaps),         COUNTER(maps_kept),
		COUNTER(fallbacks),      COUNTER(bytes_stored),
		COUNTER(bytes_restored),
#undef COUNTER
	};
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(pool, &stats);
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		seq_printf(m, "%s %s %llu\n", pool->name, counters[i].name,
			   *(u64 *)((char *)&stats + counters[i].offset));
	for (int kind = 0; kind < TTMPOOL_REPORT_KIND_COUNT; kind++)
		if (stats.refused[kind])
			seq_printf(m, "%s \"%s\" %llu\n", pool->name,
				   ttmpool_report_name(kind),
				   (u64)stats.refused[kind]);
}

static void show_counter(struct seq_file *m, const char *name, atomic_long_t *n)
{
	seq_printf(m, "linux %s %ld\n", name, atomic_long_read(n));
}

static int stats_show(struct seq_file *m, void *data)
{
	struct ttmpool_manager *mgr = m->private;
	struct show show = { m, show_pool_stats };
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(mgr, &stats);
	seq_printf(m, "manager pages %lu\n", stats.pages);
	seq_printf(m, "manager pages_pooled %lu\n", stats.pages_pooled);
	seq_printf(m, "manager pages_quarantined %lu\n",
		   stats.pages_quarantined);
	seq_printf(m, "manager pages_shrunk %lu\n", stats.pages_shrunk);
	show_counter(m, "pages_out", &ttmpool_counters.pages_out);
	show_counter(m, "caching_calls", &ttmpool_counters.caching_calls);
	show_counter(m, "caching_repairs", &ttmpool_counters.caching_repairs);
	show_counter(m, "maps", &ttmpool_counters.maps);
	show_counter(m, "unmaps", &ttmpool_counters.unmaps);
	show_counter(m, "iotlb_flushes", &ttmpool_counters.iotlb_flushes);
	show_counter(m, "stores", &ttmpool_counters.stores);
	show_counter(m, "pages_stored", &ttmpool_counters.pages_stored);
	ttmpool_manager_each_pool(mgr, show_one, &show);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int shrink_get(void *data, u64 *pages)
{
	*pages = ttmpool_manager_shrink_count(data, true);
	return 0;
}

static int shrink_set(void *data, u64 pages)
{
	ttmpool_manager_shrink_scan(data, pages, true);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(shrink_fops, shrink_get, shrink_set, "%llu\n");

void ttmpool_debugfs_init(struct ttmpool_manager *mgr, struct dentry *dir)
{
	files[0] = debugfs_create_file("page_pool", 0444, dir, mgr,
				       &page_pool_fops);
	files[1] = debugfs_create_file("stats", 0400, dir, mgr, &stats_fops);
	files[2] = debugfs_create_file_unsafe("shrink", 0600, dir, mgr,
					      &shrink_fops);
}

/* Waits for all readers. */
void ttmpool_debugfs_fini(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		debugfs_remove(files[i]);
		files[i] = NULL;
	}
}
