// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Values that are computed from the counters of a replay. */
#include "result.h"

double replay_result_hit_rate(const struct replay_result *result)
{
	uint64_t pages = result->pool.pages_hit + result->pool.pages_fresh;

	return pages ? (double)result->pool.pages_hit / (double)pages : 0;
}
