// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The sweep: for each operation, every allocation that the kernel makes for it fails
 * once, one at a time, from the first to the last; on our pool, and on the kernel's own
 * (stock.c). After each failure all pages are given back to the system, and the code
 * walks the linear map: a page that is not write-back then is one that the system hands
 * out uncached, to any user, for ever.
 *
 * Our pool must leave no such page. Those of the kernel's pool are reported, and
 * repaired, so that the next point begins with a clean map.
 *
 * No page is mapped for a device: DMA_API_DEBUG allocates memory for each mapping, and
 * turns itself off for good when that fails. Mappings fail elsewhere (churn.c).
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/set_memory.h>

#include "churn.h"
#include "sweep.h"

/* With more allocations in one operation, something must be wrong. */
#define PATIENCE 5000

/**
 * struct tally - the result of one sweep
 * @points: allocations that failed
 * @refused: how often the operation failed because of that
 * @lost: pages that the system got back with another caching than write-back
 * @worst: the most of one point
 */
struct tally {
	unsigned int points;
	unsigned int refused;
	unsigned long lost;
	unsigned long worst;
};

static const char *const caching_names[] = {
	[TTMPOOL_UNCACHED] = "uc",
	[TTMPOOL_WRITE_COMBINED] = "wc",
};

/* Test the walk itself: it must find one page that is uncached. */
static int sight_check(void)
{
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned long seen;

	if (!page || set_memory_uc((unsigned long)page_address(page), 1))
		return -ENOMEM;
	seen = linear_map_special();
	if (seen != PAGE_SIZE)
		churn_wrong("of 4096 uncached bytes were seen", (long)seen);
	linear_map_repair();
	if (linear_map_special())
		churn_wrong("a repaired page is not write-back", 0);
	__free_page(page);
	return 0;
}

/* The system has all pages: count those that are not write-back. */
static void count_lost(const struct sweep_op *op, struct tally *tally,
		       unsigned int nth)
{
	unsigned long lost = linear_map_special() >> PAGE_SHIFT;

	if (!lost)
		return;
	tally->lost += lost;
	tally->worst = max(tally->worst, lost);
	if (op->pool == sweep_ours->pool)
		churn_wrong("pages went to the system not write-back, "
			    "allocation",
			    nth);
	linear_map_repair();
	if (linear_map_special())
		churn_wrong("what was lost cannot be repaired, allocation",
			    nth);
}

/* Make the @nth allocation fail; 1 if there was none, or -errno. */
static int sweep_point(const struct sweep_op *op, struct device *dev,
		       enum ttmpool_caching caching, unsigned int nth,
		       struct tally *tally)
{
	unsigned int left;
	int err = blocks_provide(op->pages);

	if (!err)
		err = op->open(dev, op->pages, caching);
	if (err)
		return err;
	WRITE_ONCE(current->fail_nth, nth);
	err = op->run();
	left = READ_ONCE(current->fail_nth);
	WRITE_ONCE(current->fail_nth, 0);
	op->close();
	if (left) {
		if (err)
			churn_wrong("failed, and nothing was made to", err);
		return 1;
	}
	tally->points++;
	tally->refused += err != 0;
	count_lost(op, tally, nth);
	return 0;
}

static int sweep_one(const struct sweep_op *op, struct device *dev,
		     enum ttmpool_caching caching)
{
	struct tally tally = {};
	unsigned int nth = 1;
	int err;

	do {
		err = sweep_point(op, dev, caching, nth, &tally);
	} while (!err && nth++ < PATIENCE);
	if (!err)
		churn_wrong("no end of allocations, of pages", (long)op->pages);
	pr_info("sweep: %s %s %s %zu points %u refused %u lost %lu worst %lu\n",
		op->pool, op->name, caching_names[caching], op->pages,
		tally.points, tally.refused, tally.lost, tally.worst);
	return err < 0 ? err : 0;
}

static int sweep_all(const struct sweep_op *op, struct device *dev)
{
	int err = 0;

	for (; op->name && !err; op++) {
		err = sweep_one(op, dev, TTMPOOL_UNCACHED);
		if (!err)
			err = sweep_one(op, dev, TTMPOOL_WRITE_COMBINED);
	}
	return err;
}

int churn_sweep(struct device *dev)
{
	int err = sight_check();

	if (!err)
		err = sweep_all(sweep_ours, dev);
	if (!err)
		err = stock_start();
	if (err)
		goto end_blocks;
	err = sweep_all(sweep_stock, dev);
	stock_end();
end_blocks:
	blocks_end();
	return err;
}
