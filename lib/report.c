// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The words for what was found wrong. They are here, and not in a port, so that
 * the same finding reads the same in a kernel log and in a test.
 */

#include "internal.h"

static const char *const names[TTMPOOL_REPORT_KIND_COUNT] = {
	[TTMPOOL_REPORT_FOREIGN] = "not a page of this pool",
	[TTMPOOL_REPORT_DOUBLE] = "given back, but not in use",
	[TTMPOOL_REPORT_WRONG_ORDER] = "not the whole chunk, in order",
	[TTMPOOL_REPORT_WRONG_CACHING] = "given back as of another caching",
	[TTMPOOL_REPORT_IN_USE] = "still in use at teardown",
	[TTMPOOL_REPORT_QUARANTINED] = "cannot be made write-back, quarantined",
	[TTMPOOL_REPORT_BAD_ADDRESS] = "DMA address out of the device's reach",
};

const char *ttmpool_report_name(enum ttmpool_report_kind kind)
{
	if ((unsigned int)kind >= TTMPOOL_REPORT_KIND_COUNT)
		return "unknown";
	return names[kind];
}
