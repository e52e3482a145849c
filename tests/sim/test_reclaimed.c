// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A request whose own allocations make the system reclaim pooled pages of its kind. Here the
 * port does it when it allocates a descriptor, at each descriptor in turn.
 */

#include "check_cmocka.h"
#include "rig.h"

/* The manager whose pages are reclaimed, and how many descriptors are allocated before. */
static struct {
	struct ttmpool_manager *mgr;
	unsigned int before;
} reclaim;

struct ttmpool_chunk *__real_tpos_chunk_alloc(tpos_system_t *system, bool named,
					      unsigned int flags);
struct ttmpool_chunk *__wrap_tpos_chunk_alloc(tpos_system_t *system, bool named,
					      unsigned int flags);

struct ttmpool_chunk *__wrap_tpos_chunk_alloc(tpos_system_t *system, bool named,
					      unsigned int flags)
{
	if (reclaim.mgr && !reclaim.before--) {
		ttmpool_manager_shrink_scan(reclaim.mgr, 8, false);
		reclaim.mgr = NULL;
	}
	return __real_tpos_chunk_alloc(system, named, flags);
}

/* Requests 5 pages, when only 8 pooled ones are left, in one chunk, and all of them are
 * reclaimed after @before descriptors. Returns 0 or an error. */
static int take_while_reclaimed(struct check *t, unsigned int before)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request chunk = { .caching = TTMPOOL_WRITE_COMBINED,
					 .num_pages = 8 };
	struct pages_config config = { .num_pages = 5,
				       .caching = TTMPOOL_WRITE_COMBINED };
	struct pages *some = rig ? pages_open(t, rig, &config) : NULL;
	int err;

	if (!some || ttmpool_pool_prime(&rig->pool[0], &chunk, false))
		return -EINVAL;
	some->req.effort = TTMPOOL_NO_WAIT;
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	reclaim.mgr = &rig->mgr;
	reclaim.before = before;
	err = pages_take(some);
	tpsim_ram_release(check_machine(t));
	if (err)
		return err;
	return pages_give(some) || !rig_close(t, rig) ? -EINVAL : 0;
}

/* Pooled pages that the system reclaims during a request, at any descriptor, serve the
 * request. */
static void s11_what_is_reclaimed_meanwhile_serves(struct check *t)
{
	unsigned int before = 0;

	do
		CHECK_EQ(t, take_while_reclaimed(t, before++), 0);
	while (!reclaim.mgr);
	reclaim.mgr = NULL;
	CHECK(t, before > 4);
}

CHECK_SUITE(reclaimed, CHECK_CASE(s11_what_is_reclaimed_meanwhile_serves));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_reclaimed, &config);
}
