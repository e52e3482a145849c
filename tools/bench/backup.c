// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * W10: TTM backs up 64 MiB of write-combined pages to its file in shmem, and restores
 * them, as for xe when memory is short; with its own pool, and with the drop-in. The
 * machine has swap space, without which nothing is backed up, and enough memory, so the
 * file stays there.
 *
 * A pool could keep the pages that it has backed up, and claim that they are gone: so the
 * pages that the system gets are counted where they are freed.
 *
 * ttm.ko does not export these functions: a probe finds their addresses.
 */

#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "arm_tt.h"

#define PAGES (SZ_64M >> PAGE_SHIFT)
#define PAIRS 2

long dropin_pool_backup(struct ttm_pool *pool, struct ttm_tt *tt,
			const struct ttm_backup_flags *flags);
int dropin_pool_restore_and_alloc(struct ttm_pool *pool, struct ttm_tt *tt,
				  const struct ttm_operation_ctx *ctx);

/**
 * struct mover - the functions that move a buffer
 * @arm: the arm whose pool they belong to
 * @pool: that pool, while the arm is open
 * @backup, @restore: TTM's, of its own pool or of the drop-in
 */
struct mover {
	const struct arm *arm;
	struct ttm_pool *(*pool)(void);
	long (*backup)(struct ttm_pool *pool, struct ttm_tt *tt,
		       const struct ttm_backup_flags *flags);
	int (*restore)(struct ttm_pool *pool, struct ttm_tt *tt,
		       const struct ttm_operation_ctx *ctx);
};

static struct mover movers[] = {
	{ .arm = &arm_ttm, .pool = arm_ttm_pool },
	{ .arm = &arm_dropin,
	  .pool = arm_dropin_pool,
	  .backup = dropin_pool_backup,
	  .restore = dropin_pool_restore_and_alloc },
};

static char text[600];

static void *address_of(const char *symbol)
{
	struct kprobe probe = { .symbol_name = symbol };

	if (register_kprobe(&probe))
		return NULL;
	unregister_kprobe(&probe);
	return probe.addr;
}

/* Print the time of a step, or its events if @counted. */
static void say(const struct mover *mover, const char *what, u64 ns,
		bool counted)
{
	if (counted)
		pr_info("events: W10 wc %u %s %s%s\n", PAGES, what,
			mover->arm->name, text);
	else
		pr_info("race: W10 wc %u %s %s %llu\n", PAGES, what,
			mover->arm->name, ns);
}

static int there_and_back(const struct mover *mover, struct ttm_tt *tt,
			  bool counted)
{
	const struct ttm_backup_flags flags = {};
	struct ttm_operation_ctx ctx = { .gfp_retry_mayfail = true };
	u64 began = ktime_get_ns();
	long gone;
	int err;

	events_start();
	gone = mover->backup(mover->pool(), tt, &flags);
	events_stop(text, sizeof(text));
	say(mover, "backup", ktime_get_ns() - began, counted);
	if (counted)
		pr_info("count: W10 wc %u freed %s %ld\n", PAGES,
			mover->arm->name, events_freed());
	if (gone != PAGES)
		return gone < 0 ? gone : -EIO;
	tt->page_flags |= TTM_TT_FLAG_BACKED_UP;
	began = ktime_get_ns();
	events_start();
	err = mover->restore(mover->pool(), tt, &ctx);
	events_stop(text, sizeof(text));
	say(mover, "restore", ktime_get_ns() - began, counted);
	if (!err)
		ttm_tt_clear_backed_up(tt);
	return err;
}

static int turn(const struct mover *mover, struct device *dev, bool counted)
{
	struct buffer buffer = { .pages = PAGES,
				 .caching = TTMPOOL_WRITE_COMBINED };
	const struct arm *arm = mover->arm;
	struct ttm_tt *tt;
	int err = arm->open(dev);

	if (err)
		return err;
	err = arm->order(&buffer);
	if (err)
		goto close;
	tt = buffer.arm;
	tt->page_flags |= TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_EXTERNAL_MAPPABLE;
	err = ttm_tt_setup_backup(tt);
	if (!err)
		err = arm->populate(&buffer);
	if (!err) {
		err = there_and_back(mover, tt, counted);
		if (!ttm_tt_is_backed_up(tt))
			arm->unpopulate(&buffer);
	}
	arm->dispose(&buffer);
close:
	arm->close();
	return err;
}

int race_backup(struct device *dev)
{
	int err = 0;

	movers[0].backup = address_of("ttm:ttm_pool_backup");
	movers[0].restore = address_of("ttm:ttm_pool_restore_and_alloc");
	if (!movers[0].backup || !movers[0].restore)
		return -ENOENT;
	for (int i = 0; !err && i < 2 * PAIRS; i++) {
		err = turn(&movers[i % 2], dev, false);
		if (!err)
			err = turn(&movers[!(i % 2)], dev, false);
	}
	events_enable();
	for (size_t i = 0; !err && i < ARRAY_SIZE(movers); i++)
		err = turn(&movers[i], dev, true);
	events_disable();
	return err;
}
