// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a driver must not do, and the simulated machine reports at once: on another machine
 * it would only go wrong if threads met. */

#include "bed.h"
#include "check_cmocka.h"
#include "rig_buffer.h"

/* A driver's own shrinker, which ends a buffer. */
static struct driver {
	struct tpos_shrinker shrinker;
	struct buffer *buf;
} driver;

static unsigned long remove_buffer(struct tpos_shrinker *shrinker, bool swap)
{
	(void)shrinker;
	(void)swap;
	ttmpool_lru_remove(&driver.buf->be);
	return 0;
}

static void shrink(void *arg)
{
	tpsim_shrink(arg, 1);
}

/* A driver with a buffer that has pages. */
static bool driver_opens(struct check *t, struct rig *rig)
{
	struct buffer_config config = { .funcs = &buffer_plain };

	driver = (struct driver){ .shrinker = { .count = remove_buffer } };
	driver.buf = buffer_ready(t, rig, &config, 1);
	return driver.buf &&
	       !tpos_shrinker_register(check_machine(t), &driver.shrinker);
}

static bool driver_closes(struct check *t)
{
	tpos_shrinker_unregister(check_machine(t), &driver.shrinker);
	ttmpool_lru_remove(&driver.buf->be);
	return !ttmpool_unpopulate(&driver.buf->be);
}

/* A shrinker that takes a buffer off the swapper's list ends the program, also if nobody is
 * swapping it out. */
static void s07_no_listed_buffer_is_removed_in_reclaim(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig && driver_opens(t, rig));
	CHECK_EQ(t, ttmpool_lru_add(&driver.buf->be), 0);
	assert_complains("a shrinker waits for swap-outs", shrink,
			 check_machine(t));
	CHECK(t, driver_closes(t));
	CHECK(t, rig_close(t, rig));
}

/* A buffer that is not on the list may be removed anywhere, because nobody can be swapping
 * it out. */
static void s07_who_is_not_listed_is_removed_anywhere(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig && driver_opens(t, rig));
	shrink(check_machine(t));
	CHECK(t, driver_closes(t));
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(forbidden, CHECK_CASE(s07_no_listed_buffer_is_removed_in_reclaim),
	    CHECK_CASE(s07_who_is_not_listed_is_removed_anywhere));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_forbidden, &config);
}
