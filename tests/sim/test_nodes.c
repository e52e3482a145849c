// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Two nodes: a pool prefers pages of its node, but no pages are given up, reclaimed or
 * swapped out for that while another node has memory.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WC     TTMPOOL_WRITE_COMBINED
#define POOLED 512
#define IDLE   64

/* A rig of two pools, one for each node; write-back pages are pooled, too. */
static struct rig *two_nodes(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_policy policy = rig_policy(t);

	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;

	if (!rig || ttmpool_pool_fini(&rig->pool[0])) /* it has no node */
		return NULL;
	for (rig->nr_pools = 0; rig->nr_pools < 2; rig->nr_pools++) {
		struct ttmpool_pool_config config = {
			.dev = check_device(t, rig->nr_pools, 64),
			.node = rig->nr_pools,
			.policy = &policy,
		};

		rig->dev[rig->nr_pools] = config.dev;
		if (ttmpool_pool_init(&rig->pool[rig->nr_pools], &rig->mgr,
				      &config))
			return NULL;
	}
	return rig;
}

static struct buffer *add(struct check *t, struct rig *rig, int pool, size_t n)
{
	return buffer_open(t, rig,
			   &(struct buffer_config){ .pool = pool,
						    .num_pages = n,
						    .funcs = &buffer_plain,
						    .caching = WC });
}

/* On the second pool: an idle buffer, and pooled pages. */
static struct buffer *others(struct check *t, struct rig *rig)
{
	struct buffer *idle = add(t, rig, 1, IDLE);
	struct buffer *gone = add(t, rig, 1, POOLED);

	if (!idle || !gone || ttmpool_populate(&idle->be) ||
	    ttmpool_lru_add(&idle->be) || buffer_cycle(gone))
		return NULL;
	return idle;
}

static bool is_far(struct rig *rig, const struct buffer *buf)
{
	return tpos_page_node(rig->dev[0], buf->pages[0]) == 1;
}

static uint64_t pooled(struct rig *rig, int i)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(&rig->pool[i], &stats);
	return stats.pages_pooled;
}

/* A node that is full of memory that cannot be reclaimed is passed over: no shrinker is
 * called, for any order, and no other buffer or pool loses a page. */
static void a_full_node_costs_nobody_anything(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct tpsim_counters before, after;
	struct buffer *idle, *buf;

	CHECK(t, rig);
	idle = others(t, rig);
	buf = add(t, rig, 0, 77);
	CHECK(t, idle && buf);
	tpsim_ram_hold(check_machine(t), 0, 0);
	tpsim_counters(check_machine(t), &before);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	tpsim_counters(check_machine(t), &after);
	tpsim_ram_release(check_machine(t));
	CHECK(t, is_far(rig, buf));
	CHECK_EQ(t, after.shrinks, before.shrinks);
	CHECK_EQ(t, idle->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, pooled(rig, 1), POOLED);
	ttmpool_lru_remove(&idle->be);
	CHECK_EQ(t, ttmpool_unpopulate(&idle->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* When all nodes are full, the system reclaims. */
static void a_full_machine_is_reclaimed(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct buffer *idle, *buf;

	CHECK(t, rig);
	idle = others(t, rig);
	buf = add(t, rig, 0, 77);
	CHECK(t, idle && buf);
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, pooled(rig, 1) < POOLED);
	ttmpool_lru_remove(&idle->be);
	CHECK_EQ(t, ttmpool_drop(&idle->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* At the page budget, far pages that the pool has pooled are used before another pool has
 * to give up pages for near ones. */
static void far_pages_go_before_others_give_up_theirs(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct ttmpool_manager_stats stats;
	struct buffer *idle, *buf;

	CHECK(t, rig);
	buf = add(t, rig, 0, 77);
	CHECK(t, buf);
	tpsim_ram_hold(check_machine(t), 0, 0);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, pooled(rig, 0), 77);
	idle = others(t, rig);
	CHECK(t, idle);
	ttmpool_manager_stats(&rig->mgr, &stats);
	ttmpool_manager_set_page_budget(&rig->mgr, stats.pages);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, is_far(rig, buf));
	CHECK_EQ(t, pooled(rig, 1), POOLED);
	ttmpool_lru_remove(&idle->be);
	CHECK_EQ(t, ttmpool_unpopulate(&idle->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If no far pages are pooled, the other pool makes room, and the new pages are near. */
static void room_that_was_made_is_for_near_pages(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct ttmpool_manager_stats stats;
	struct buffer *idle, *buf;

	CHECK(t, rig);
	idle = others(t, rig);
	buf = add(t, rig, 0, 77);
	CHECK(t, idle && buf);
	ttmpool_manager_stats(&rig->mgr, &stats);
	ttmpool_manager_set_page_budget(&rig->mgr, stats.pages);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, !is_far(rig, buf));
	CHECK(t, pooled(rig, 1) < POOLED);
	ttmpool_lru_remove(&idle->be);
	CHECK_EQ(t, ttmpool_unpopulate(&idle->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A signal ends a request for pages of a node; the request does not turn to the other
 * node for the rest. */
static void s06_a_signal_ends_a_request_of_a_node(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct tpsim_counters before, after;
	struct buffer *buf;

	CHECK(t, rig);
	buf = add(t, rig, 0, 4096);
	CHECK(t, buf);
	tpsim_counters(check_machine(t), &before);
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -EINTR);
	tpsim_signal_clear(check_machine(t));
	tpsim_counters(check_machine(t), &after);
	CHECK_EQ(t, after.pages_allocated - before.pages_allocated, 512);
	CHECK(t, rig_close(t, rig));
}

/* A buffer that comes back to the device with far pages keeps them if no near pages are
 * free; prepared pages that are as far away are not divided for it. */
static void what_was_prepared_far_is_no_nearer(struct check *t)
{
	struct ttmpool_request req = { .num_pages = 512 };
	struct rig *rig = two_nodes(t);
	struct ttmpool_pool_stats stats;
	struct buffer *buf;

	CHECK(t, rig);
	buf = add(t, rig, 0, 4);
	tpsim_ram_hold(check_machine(t), 0, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be) && is_far(rig, buf));
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	tpsim_ram_release(check_machine(t));
	ttmpool_pool_stats(&rig->pool[0], &stats);
	CHECK_EQ(t, stats.bytes_copied, 0);
	CHECK_EQ(t, stats.splits, 0);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Prepared far pages serve before near pages are allocated. */
static void what_was_prepared_far_is_enough(struct check *t)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	struct rig *rig = two_nodes(t);
	struct ttmpool_pool_stats stats;
	struct buffer *buf;

	CHECK(t, rig);
	buf = add(t, rig, 0, 77);
	CHECK(t, buf);
	tpsim_ram_hold(check_machine(t), 0, 0);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, is_far(rig, buf));
	ttmpool_pool_stats(&rig->pool[0], &stats);
	CHECK_EQ(t, stats.pages_fresh, 512);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Add a third pool, of @node, and pool pages: 30 and 100 in the pools of the two nodes,
 * and 7 in this one. */
static struct ttmpool_pool *stocked(struct check *t, struct rig *rig, int node)
{
	const size_t pages[] = { 30, 100, 7 };
	struct ttmpool_pool *third = check_zalloc(t, sizeof(*third));
	struct ttmpool_pool_config config = { .dev = rig->dev[0],
					      .node = node };
	struct ttmpool_request req = { .caching = WC };

	if (!third || ttmpool_pool_init(third, &rig->mgr, &config))
		return NULL;
	for (int i = 0; i < 3; i++) {
		struct ttmpool_pool *pool = i == 2 ? third : &rig->pool[i];

		pool->max_order[TTMPOOL_PLAIN] = 0;
		req.num_pages = pages[i];
		if (ttmpool_pool_prime(pool, &req, false))
			return NULL;
	}
	return third;
}

static unsigned long count(struct rig *rig, int node)
{
	return ttmpool_manager_shrink_count_node(&rig->mgr, node, false);
}

/* A node can get the pages of pools that want this node, and of pools that want no
 * particular node. */
static void s11_a_node_is_told_what_could_go_for_it(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct ttmpool_pool *third;

	CHECK(t, rig);
	third = stocked(t, rig, TTMPOOL_NODE_ANY);
	CHECK(t, third);
	CHECK_EQ(t, count(rig, 0), 37);
	CHECK_EQ(t, count(rig, 1), 107);
	CHECK_EQ(t, count(rig, TTMPOOL_NODE_ANY), 137);
	CHECK_EQ(t, ttmpool_pool_fini(third), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[1]), 0);
	rig->nr_pools = 1;
	CHECK_EQ(t, count(rig, 1), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages of a pool whose node has no memory can go for any node, because the system never
 * asks for that one. */
static void s11_pages_of_a_node_without_memory_go_for_any(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct ttmpool_pool *third;

	CHECK(t, rig);
	third = stocked(t, rig, 5);
	CHECK(t, third);
	CHECK_EQ(t, count(rig, 0), 37);
	CHECK_EQ(t, count(rig, 1), 107);
	CHECK_EQ(t, ttmpool_pool_fini(third), 0);
	CHECK(t, rig_close(t, rig));
}

/* A node cannot get reserved pages, and the number that it can get changes with the
 * reserve. */
static void s11_a_reserve_does_not_count_for_its_node(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct ttmpool_pool *third;

	CHECK(t, rig);
	third = stocked(t, rig, TTMPOOL_NODE_ANY);
	CHECK(t, third);
	ttmpool_pool_reserve(&rig->pool[0], 10);
	CHECK_EQ(t, count(rig, 0), 27);
	CHECK_EQ(t, count(rig, 1), 107);
	ttmpool_pool_reserve(&rig->pool[0], 4);
	CHECK_EQ(t, count(rig, 0), 33);
	CHECK_EQ(t, ttmpool_pool_fini(third), 0);
	CHECK(t, rig_close(t, rig));
}

/* A shrink for one node takes no pages of pools that want another, however many it asks
 * for. */
static void s11_the_shrinker_of_a_node_leaves_others_alone(struct check *t)
{
	struct rig *rig = two_nodes(t);
	struct ttmpool_pool *third;

	CHECK(t, rig);
	third = stocked(t, rig, TTMPOOL_NODE_ANY);
	CHECK(t, third);
	CHECK_EQ(t, tpsim_shrink_node(check_machine(t), 0, 1000), 37);
	CHECK_EQ(t, pooled(rig, 0), 0);
	CHECK_EQ(t, pooled(rig, 1), 100);
	CHECK_EQ(t, tpsim_shrink_node(check_machine(t), 0, 1000), 0);
	CHECK_EQ(t, tpsim_shrink_node(check_machine(t), 1, 40), 40);
	CHECK_EQ(t, tpsim_shrink(check_machine(t), 1000), 60);
	CHECK_EQ(t, ttmpool_pool_fini(third), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(nodes, CHECK_CASE(s11_a_node_is_told_what_could_go_for_it),
	    CHECK_CASE(s11_pages_of_a_node_without_memory_go_for_any),
	    CHECK_CASE(s11_a_reserve_does_not_count_for_its_node),
	    CHECK_CASE(s11_the_shrinker_of_a_node_leaves_others_alone),
	    CHECK_CASE(s06_a_signal_ends_a_request_of_a_node),
	    CHECK_CASE(what_was_prepared_far_is_no_nearer),
	    CHECK_CASE(what_was_prepared_far_is_enough),
	    CHECK_CASE(a_full_node_costs_nobody_anything),
	    CHECK_CASE(a_full_machine_is_reclaimed),
	    CHECK_CASE(far_pages_go_before_others_give_up_theirs),
	    CHECK_CASE(room_that_was_made_is_for_near_pages));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.nr_nodes = 2, .ram_pages = 16384, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_nodes, &config);
}
