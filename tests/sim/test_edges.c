// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Shapes that do not match, and pages of far nodes; ./dev check mutation found that no
 * other suite tested these: chunks of one size that are copied to chunks of another,
 * sorted among others, or pooled in the last list of a bin; far pages that are reused,
 * refilled or copied; and a worker that has more to clear than one batch.
 */

#include <limits.h>

#include <ttmpool/magazine.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 0x35

static struct buffer *open_buffer(struct check *t, struct rig *rig, size_t n,
				  const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

/* Contents move from large chunks to single pages and back: every byte is copied to its
 * place. */
static void s12_shapes_need_not_match(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, 61, &buffer_coherent);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK(t, buffer_stamp(t, buf, SEED));
	tpsim_ram_fragment(check_machine(t), 0);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	ttmpool_pool_drain(&rig->pool[0]);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	tpsim_ram_fragment(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* Whichever chunks are pooled and whichever are fresh, the chunks of a buffer are in
 * falling order, so each is at a multiple of its size. */
static void s10_mixed_chunks_are_aligned(struct check *t)
{
	static const size_t pooled[] = { 20, 17, 5, 16, 4, 1 };

	for (size_t i = 0; i < sizeof(pooled) / sizeof(*pooled); i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *some, *buf;

		CHECK(t, rig);
		some = open_buffer(t, rig, pooled[i], &buffer_plain);
		buf = open_buffer(t, rig, N, &buffer_plain);
		CHECK(t, some && buf && !buffer_cycle(some));
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		CHECK_EQ(t, rig_stats(rig).pages_hit, pooled[i]);
		for (size_t at = 0; at < N; at++)
			CHECK_EQ(t,
				 ttmpool_pool_owns(&rig->pool[0],
						   buf->pages[at]),
				 at == 0 || at == 16 || at == 20);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A magazine gets chunks of its order or none, but no smaller ones. */
static void s10_a_magazine_takes_no_smaller_chunks(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunks[4], *out[1];
	struct ttmpool_owner owner;
	struct ttmpool_magazine_config config = { .caching = TTMPOOL_UNCACHED,
						  .order = 2,
						  .owner = &owner,
						  .chunks = chunks,
						  .room = 4 };
	struct ttmpool_magazine mag;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "ring");
	config.pool = &rig->pool[0];
	CHECK_EQ(t, ttmpool_magazine_init(&mag, &config), 0);
	tpsim_ram_fragment(check_machine(t), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&mag, out, 1), -ENOMEM);
	CHECK_EQ(t, rig_stats(rig).fallbacks, 0);
	CHECK(t, rig_is_quiet(t, rig));
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, ttmpool_magazine_get(&mag, out, 1), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&mag, out, 1), 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pool uses pooled far pages again before fresh ones. Pages that are far, clear and
 * mapped go to the system like all others. */
static void s11_no_list_is_forgotten(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_config config = { .node = 1, .name = "of node 1" };
	struct ttmpool_pool_stats stats;
	struct buffer *buf;

	CHECK(t, rig);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config), 0);
	rig->nr_pools = 2;
	tpsim_ram_hold(check_machine(t), 1, 0);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = N,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf && !buffer_cycle(buf));
	/* Without the reserve, the search for near pages would release them. */
	ttmpool_pool_reserve(&rig->pool[1], N);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	ttmpool_pool_reserve(&rig->pool[1], 0);
	ttmpool_pool_stats(&rig->pool[1], &stats);
	CHECK_EQ(t, stats.pages_hit, N);
	CHECK_EQ(t, stats.pages_fresh, N);
	CHECK(t, ttmpool_pool_scrub(&rig->pool[1], ULONG_MAX) >= N);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1000, false), N);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* A refill gets pages of the wanted node, or none. */
static void s10_a_refill_is_never_far(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .node = 1,
					      .name = "of node 1",
					      .policy = &policy };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats stats;
	struct buffer *buf;

	CHECK(t, rig);
	policy.refill = true;
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config), 0);
	rig->nr_pools = 2;
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = N,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf);
	tpsim_ram_hold(check_machine(t), 1, 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	ttmpool_pool_stats(&rig->pool[1], &stats);
	CHECK_EQ(t, stats.pages_pooled, 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* Pages that are far, and could only be copied to far pages, become the device's pages
 * again. */
static void s12_far_is_better_than_never(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_config config = { .node = 1, .name = "of node 1" };
	struct buffer *buf;

	CHECK(t, rig);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config), 0);
	rig->nr_pools = 2;
	tpsim_ram_hold(check_machine(t), 1, 0);
	buf = buffer_ready(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = N,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* The worker clears all dirty pages, not only one batch. */
static void s10_the_worker_clears_all(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer *buf;
	struct rig *rig;

	policy.scrub = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = open_buffer(t, rig, 1100, &buffer_plain);
	CHECK(t, buf && !buffer_cycle(buf));
	CHECK_EQ(t, tpsim_work_run(check_machine(t)), 1);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 1100 * 4096);
	CHECK(t, rig_close(t, rig));
}

/* Pages that were far for one pool may be near for another: they are handed over in
 * place. */
static void s12_what_is_near_now_is_not_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_config config = { .name = "of a node" };
	struct ttmpool_pool *near;
	struct ttmpool_pool_stats stats;
	struct buffer *from, *to;

	CHECK(t, rig);
	near = check_zalloc(t, sizeof(*near));
	CHECK(t, near);
	config.dev = rig->dev[0];
	config.node = 1;
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config), 0);
	rig->nr_pools = 2;
	config.node = 0;
	CHECK_EQ(t, ttmpool_pool_init(near, &rig->mgr, &config), 0);
	tpsim_ram_hold(check_machine(t), 1, 0);
	from = buffer_ready(t, rig,
			    &(struct buffer_config){ .pool = 1,
						     .num_pages = N,
						     .funcs = &buffer_plain },
			    SEED);
	to = open_buffer(t, rig, N, &buffer_plain);
	CHECK(t, from && to);
	to->be.pool = near;
	CHECK_EQ(t, ttmpool_to_anonymous(&from->be), 0);
	CHECK_EQ(t, ttmpool_handover(&from->be, &to->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&to->be), 0);
	ttmpool_pool_stats(near, &stats);
	CHECK_EQ(t, stats.bytes_copied, 0);
	CHECK(t, buffer_is_stamped(t, to, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&to->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(near), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(edges, CHECK_CASE(s10_a_magazine_takes_no_smaller_chunks),
	    CHECK_CASE(s12_shapes_need_not_match),
	    CHECK_CASE(s10_mixed_chunks_are_aligned),
	    CHECK_CASE(s11_no_list_is_forgotten),
	    CHECK_CASE(s10_a_refill_is_never_far),
	    CHECK_CASE(s12_far_is_better_than_never),
	    CHECK_CASE(s10_the_worker_clears_all),
	    CHECK_CASE(s12_what_is_near_now_is_not_copied));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .nr_nodes = 2,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_edges, &config);
}
