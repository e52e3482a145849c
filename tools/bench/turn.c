// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One turn of one pool: a buffer is populated and given back, and then the pooled pages
 * go to the system. One line for each step:
 *
 *     race: WORKLOAD CACHING PAGES WHAT ARM NANOSECONDS
 *
 * where the machine's clock counts instructions, a nanosecond each; or with the events
 * counted instead:
 *
 *     events: WORKLOAD CACHING PAGES WHAT ARM name=n ...
 *
 * A worker that clears pooled pages runs here between two populates, when it is called;
 * its part is a line, too, because the time that it saves the populates is not free.
 */

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "race.h"

static const char *const caching_names[] = { [TTMPOOL_UNCACHED] = "uc",
					     [TTMPOOL_WRITE_COMBINED] = "wc",
					     [TTMPOOL_CACHED] = "wb" };

static char text[600];
static u64 began;

static void start(const struct turn *turn)
{
	if (turn->events)
		events_start();
	began = ktime_get_ns();
}

static void stop(const struct turn *turn, const char *what)
{
	u64 took = ktime_get_ns() - began;

	if (turn->events) {
		events_stop(text, sizeof(text));
		pr_info("events: %s %s %zu %s %s%s\n", turn->workload,
			caching_names[turn->caching], turn->pages, what,
			turn->arm->name, text);
		return;
	}
	pr_info("race: %s %s %zu %s %s %llu\n", turn->workload,
		caching_names[turn->caching], turn->pages, what,
		turn->arm->name, took);
}

/* A count that is neither a time nor events. */
static void say(const struct turn *turn, const char *what, size_t n)
{
	pr_info("count: %s %s %zu %s %s %zu\n", turn->workload,
		caching_names[turn->caching], turn->pages, what,
		turn->arm->name, n);
}

/* Pages in whole 2 MiB blocks that the linear map no longer maps with one entry. */
static size_t pages_in_split_blocks(struct page **pages, size_t n)
{
	size_t split = 0;
	unsigned int level;

	for (size_t i = 0; i + PTRS_PER_PTE <= n; i++) {
		if (page_to_pfn(pages[i]) % PTRS_PER_PTE ||
		    page_to_pfn(pages[i + PTRS_PER_PTE - 1]) !=
			    page_to_pfn(pages[i]) + PTRS_PER_PTE - 1)
			continue;
		if (lookup_address((unsigned long)page_address(pages[i]),
				   &level) &&
		    level == PG_LEVEL_4K)
			split++;
		i += PTRS_PER_PTE - 1;
	}
	return split;
}

static void work(const struct turn *turn, bool said)
{
	size_t n;

	if (!turn->arm->work)
		return;
	if (said)
		start(turn);
	n = turn->arm->work();
	if (!said)
		return;
	stop(turn, "worker");
	if (!turn->events)
		say(turn, "worker-cleared", n);
}

static int populate_and_back(const struct turn *turn, struct buffer *buffer)
{
	const struct arm *arm = turn->arm;
	int err;

	if (turn->warm) {
		err = arm->populate(buffer);
		if (err)
			return err;
		arm->unpopulate(buffer);
		work(turn, false);
	}
	start(turn);
	err = arm->populate(buffer);
	stop(turn, "populate");
	if (err)
		return err;
	if (arm->pages && turn->events && !turn->warm)
		say(turn, "blocks-split",
		    pages_in_split_blocks(arm->pages(buffer), turn->pages));
	start(turn);
	arm->unpopulate(buffer);
	stop(turn, "unpopulate");
	if (turn->warm)
		work(turn, true);
	return 0;
}

int turn_take(const struct turn *turn, struct device *dev)
{
	struct buffer buffer = { .pages = turn->pages,
				 .caching = turn->caching };
	const struct arm *arm = turn->arm;
	int err = arm->open(dev);

	if (err)
		return err;
	err = arm->order(&buffer);
	if (err)
		goto close;
	err = populate_and_back(turn, &buffer);
	arm->dispose(&buffer);
close:
	start(turn);
	arm->close();
	if (!err)
		stop(turn, "teardown");
	else if (turn->events)
		events_stop(text, sizeof(text));
	return err;
}
