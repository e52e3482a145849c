// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reports. Each is one line of the kernel log, with all that is known. A driver that errs in
 * a loop does not fill the log: the lines are rate-limited, and the counters are not.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/ratelimit.h>

#include "ttmpool_system.h"

static const char *caching_name(enum ttmpool_caching caching)
{
	static const char *const names[] = {
		[TTMPOOL_UNCACHED] = "uc",
		[TTMPOOL_WRITE_COMBINED] = "wc",
		[TTMPOOL_CACHED] = "wb",
	};

	return caching < TTMPOOL_CACHING_COUNT ? names[caching] : "unknown";
}

void tpos_report(struct ttmpool_system *system,
		 const struct ttmpool_report *report)
{
	atomic_long_inc(&system->reports[report->kind]);
	pr_warn_ratelimited("%s: %s: pages[%zu] %p order %d caching %s owner "
			    "%s dma %#llx age %u\n",
			    report->pool, ttmpool_report_name(report->kind),
			    report->index, report->page, report->order,
			    caching_name(report->caching),
			    report->owner ?: "none",
			    (unsigned long long)report->dma_addr, report->age);
}
