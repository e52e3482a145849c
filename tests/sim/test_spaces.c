// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Addresses belong to a device (S6): a kept mapping of any of its pools ends for any
 * other of its pools that needs addresses, and addresses that come back wake requests to
 * any of them.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WC TTMPOOL_WRITE_COMBINED

/* Add a pool, of the same device as the rig's, or of another one. */
static struct ttmpool_pool *add_pool(struct check *t, struct rig *rig, int dev)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .dev = check_device(t, dev, 64),
					      .node = TTMPOOL_NODE_OF_DEVICE,
					      .policy = &policy };
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));

	return pool && !ttmpool_pool_init(pool, &rig->mgr, &config) ? pool
								    : NULL;
}

static struct buffer *add(struct check *t, struct rig *rig,
			  struct ttmpool_pool *pool, size_t n)
{
	struct buffer *buf =
		buffer_open(t, rig,
			    &(struct buffer_config){ .num_pages = n,
						     .funcs = &buffer_plain,
						     .caching = WC });

	if (buf)
		buf->be.pool = pool;
	return buf;
}

/* Mappings that one pool of a device only keeps end for a buffer of another pool, plain
 * or coherent. The pages stay pooled. */
static void s06_kept_mappings_go_for_any_pool_of_the_device(struct check *t)
{
	for (int i = 0; i < 2; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct ttmpool_pool *other;
		struct buffer *keeps, *wants;

		CHECK(t, rig);
		other = add_pool(t, rig, 0);
		CHECK(t, other);
		keeps = add(t, rig, &rig->pool[0], 1000);
		wants = add(t, rig, other, 200);
		CHECK(t, keeps && wants && !buffer_cycle(keeps));
		if (i)
			wants->be.funcs = &buffer_coherent;
		CHECK_EQ(t, ttmpool_populate(&wants->be), 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 1000);
		CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
		CHECK_EQ(t, ttmpool_pool_fini(other), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A pool of another device has other addresses, and keeps its mappings. */
static void s06_pools_of_other_devices_keep_their_mappings(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *other;
	struct buffer *keeps, *wants;

	CHECK(t, rig);
	other = add_pool(t, rig, 1);
	CHECK(t, other);
	keeps = add(t, rig, &rig->pool[0], 1000);
	wants = add(t, rig, other, 1100);
	CHECK(t, keeps && wants && !buffer_cycle(keeps));
	CHECK_EQ(t, ttmpool_populate(&wants->be), -ENOSPC);
	CHECK_EQ(t, rig_stats(rig).unmaps, 0);
	CHECK_EQ(t, ttmpool_pool_fini(other), 0);
	CHECK(t, rig_close(t, rig));
}

static void give_back(void *buf)
{
	struct buffer *other = buf;

	if (other->be.tt.state == TTMPOOL_TT_POPULATED)
		check_any(ttmpool_unpopulate(&other->be));
}

/* A give to another pool of the device wakes a request that waits for addresses. */
static void s06_any_pool_of_the_device_wakes(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *other;
	struct buffer *holds, *wants;

	CHECK(t, rig);
	other = add_pool(t, rig, 0);
	CHECK(t, other);
	holds = add(t, rig, &rig->pool[0], 1000);
	wants = add(t, rig, other, 200);
	CHECK(t, holds && wants && !ttmpool_populate(&holds->be));
	wants->be.wait_ms = 50;
	tpsim_while_waiting(check_machine(t), give_back, holds);
	CHECK_EQ(t, ttmpool_populate(&wants->be), 0);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(other), 0);
	CHECK(t, rig_close(t, rig));
}

/* Without memory for what the pools of a device share, no pool is started, and nothing
 * has changed. */
static void s10_a_pool_without_memory_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));
	struct ttmpool_pool_config config = { .node = TTMPOOL_NODE_OF_DEVICE };

	CHECK(t, rig && pool);
	config.dev = rig->dev[0];
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC, .nth = 1 });
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &config), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &config), 0);
	CHECK_EQ(t, ttmpool_pool_fini(pool), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(spaces, CHECK_CASE(s06_kept_mappings_go_for_any_pool_of_the_device),
	    CHECK_CASE(s06_pools_of_other_devices_keep_their_mappings),
	    CHECK_CASE(s06_any_pool_of_the_device_wakes),
	    CHECK_CASE(s10_a_pool_without_memory_is_refused));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .iova_bytes = 4 << 20 };

	return check_main(argc, argv, &check_suite_spaces, &config);
}
