// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the careful policies cost, in the simulated time of the machine (the cost table is
 * in shim/userspace/cost.c). One run measures the work on a buffer of 2 MiB with each of
 * these policies, and without. The work is what a driver does most: a populate from full
 * bins, and the give-back. For checksums, it also moves the contents to the store and
 * back.
 */

#include <inttypes.h>
#include <stdio.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define PAGES  512
#define ROUNDS 8

static uint64_t now(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.ns;
}

/* Returns the simulated nanoseconds of a round; 0 if something failed. */
static uint64_t cost(struct check *t, const struct ttmpool_policy *policy,
		     enum ttmpool_caching caching, bool swap)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .policy = policy });
	struct buffer *buf =
		buffer_open(t, rig,
			    &(struct buffer_config){ .num_pages = PAGES,
						     .funcs = &buffer_plain,
						     .caching = caching });
	int err = buffer_cycle(buf);
	uint64_t start = now(t);

	for (int i = 0; i < ROUNDS && !err; i++) {
		err = ttmpool_populate(&buf->be);
		if (!err && swap)
			err = ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES);
		if (!err && swap)
			err = ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES);
		if (!err)
			err = ttmpool_unpopulate(&buf->be);
	}
	start = now(t) - start;
	return rig_close(t, rig) && !err ? start / ROUNDS : 0;
}

static bool show(struct check *t, const char *what,
		 enum ttmpool_caching caching, bool swap)
{
	struct ttmpool_policy plain = rig_policy(t), careful;
	uint64_t without, with;

	plain.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	careful = plain;
	careful.verify = !swap;
	careful.checksum = swap;
	without = cost(t, &plain, caching, swap);
	with = cost(t, &careful, caching, swap);
	if (!without || with < without)
		return false;
	printf("hardening: %s: %" PRIu64 ".%02" PRIu64
	       " times the cost (%" PRIu64 " of %" PRIu64
	       " us of simulated time for 2 MiB)\n",
	       what, with / without, with % without * 100 / without,
	       with / 1000, without / 1000);
	return true;
}

/* With a careful policy, the same work is never cheaper than without; the test prints the
 * costs. */
static void f30_what_care_costs(struct check *t)
{
	CHECK(t,
	      show(t, "verify, recycled cached pages", TTMPOOL_CACHED, false));
	CHECK(t, show(t, "verify, recycled write-combined pages",
		      TTMPOOL_WRITE_COMBINED, false));
	CHECK(t, show(t, "checksum, out to the store and in, cached",
		      TTMPOOL_CACHED, true));
	CHECK(t, show(t, "checksum, out to the store and in, write-combined",
		      TTMPOOL_WRITE_COMBINED, true));
}

CHECK_SUITE(hardening, CHECK_CASE(f30_what_care_costs));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_hardening, &config);
}
