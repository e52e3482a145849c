// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Budgets of address space (S6): that of one pool, and that of all pools of a device,
 * with a high and a low mark; and the accounts of owners.
 */

#include "rig_buffer.h"

static uint64_t bytes_of(struct rig *rig, size_t pages)
{
	return (uint64_t)pages << rig->pool[0].info.page_shift;
}

static size_t bytes_of_a_page(struct check *t)
{
	struct tpos_device_info info;

	tpos_device_query(check_device(t, 0, 64), &info);
	return (size_t)1 << info.page_shift;
}

static struct buffer *buffer_of(struct check *t, struct rig *rig, int pool,
				size_t n)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = pool,
					 .num_pages = n,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

/* At the limit, the pool ends idle mappings down to the low mark, in one batch. A device
 * whose mappings bounce has no idle mappings. */
static void s06_kept_mappings_go_down_to_the_low_mark(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 32 * size,
						  .mapped_low = 8 * size });
	struct ttmpool_pool_stats before, after;
	struct buffer *buf[8], *more;

	CHECK(t, rig);
	for (int i = 0; i < 8; i++) {
		buf[i] = buffer_of(t, rig, 0, 4);
		CHECK(t, buf[i]);
		CHECK_EQ(t, ttmpool_populate(&buf[i]->be), 0);
	}
	for (int i = 0; i < 8; i++)
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	more = buffer_of(t, rig, 0, 1);
	CHECK(t, more);
	before = rig_stats(rig);
	if (rig->pool[0].info.bounces) {
		CHECK_EQ(t, before.bytes_mapped, 0);
		CHECK(t, rig_close(t, rig));
		return;
	}
	CHECK_EQ(t, before.bytes_mapped, bytes_of(rig, 32));
	CHECK_EQ(t, ttmpool_populate(&more->be), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.unmap_batches - before.unmap_batches, 1);
	CHECK_EQ(t, after.unmaps - before.unmaps, 6);
	CHECK_EQ(t, after.bytes_mapped, bytes_of(rig, 9));
	CHECK_EQ(t, ttmpool_unpopulate(&more->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Two pools of one device share a budget: one pool's idle mappings make room for the
 * other, and together they never map more than the limit. */
static void s06_pools_of_a_device_share_a_budget(struct check *t)
{
	struct ttmpool_iova *iova = check_zalloc(t, sizeof(*iova));
	size_t size = bytes_of_a_page(t);
	struct buffer *a, *b, *c;
	struct rig *rig;

	CHECK(t, iova);
	CHECK_EQ(t, ttmpool_iova_init(iova, 8 * size, 9 * size), -EINVAL);
	CHECK_EQ(t, ttmpool_iova_init(iova, 8 * size, 8 * size), 0);
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2, .iova = iova });
	CHECK(t, rig);
	a = buffer_of(t, rig, 0, 6);
	b = buffer_of(t, rig, 1, 4);
	c = buffer_of(t, rig, 0, 5);
	CHECK(t, a && b && c);
	CHECK_EQ(t, buffer_cycle(a), 0);
	CHECK_EQ(t, ttmpool_iova_pages(iova),
		 rig->pool[0].info.bounces ? 0 : 6);
	CHECK_EQ(t, ttmpool_populate(&b->be), 0);
	CHECK(t, ttmpool_iova_pages(iova) <= 8);
	CHECK_EQ(t, ttmpool_populate(&c->be), -ENOSPC);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, ttmpool_populate(&c->be), 0);
	CHECK(t, ttmpool_iova_pages(iova) <= 8);
	CHECK_EQ(t, ttmpool_unpopulate(&c->be), 0);
	CHECK(t, rig_close(t, rig));
	CHECK_EQ(t, ttmpool_iova_pages(iova), 0);
	ttmpool_iova_fini(iova);
}

/* Both limits hold at once, and a third pool without a share in the budget is passed
 * over. */
static void s06_a_pool_has_a_limit_of_its_own_as_well(struct check *t)
{
	struct ttmpool_iova *iova = check_zalloc(t, sizeof(*iova));
	struct ttmpool_pool *other = check_zalloc(t, sizeof(*other));
	size_t size = bytes_of_a_page(t);
	struct ttmpool_pool_config config = { .node = TTMPOOL_NODE_ANY };
	struct buffer *a, *b, *c;
	struct rig *rig;

	CHECK(t, iova && other);
	CHECK_EQ(t, ttmpool_iova_init(iova, 10 * size, 10 * size), 0);
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2,
						.iova = iova,
						.mapped_limit = 8 * size });
	CHECK(t, rig);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(other, &rig->mgr, &config), 0);
	a = buffer_of(t, rig, 0, 6);
	b = buffer_of(t, rig, 0, 4);
	c = buffer_of(t, rig, 1, 7);
	CHECK(t, a && b && c);
	CHECK_EQ(t, buffer_cycle(a), 0);
	a->be.tt.caching = TTMPOOL_UNCACHED;
	CHECK_EQ(t, buffer_cycle(a), 0);
	CHECK(t, rig_stats(rig).bytes_mapped <= bytes_of(rig, 8));
	CHECK_EQ(t, ttmpool_populate(&b->be), 0);
	CHECK_EQ(t, ttmpool_populate(&c->be), -ENOSPC);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, ttmpool_populate(&c->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&c->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(other), 0);
	CHECK(t, rig_close(t, rig));
	ttmpool_iova_fini(iova);
}

/* A buffer that is anonymous or swapped out takes no address space. */
static void s06_only_device_state_takes_address_space(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 8 * size });
	struct buffer *a, *b;

	CHECK(t, rig);
	a = buffer_of(t, rig, 0, 8);
	b = buffer_of(t, rig, 0, 8);
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_populate(&a->be), 0);
	CHECK(t, buffer_stamp(t, a, 1));
	CHECK_EQ(t, ttmpool_populate(&b->be), -ENOSPC);
	CHECK_EQ(t, ttmpool_to_anonymous(&a->be), 0);
	CHECK_EQ(t, ttmpool_populate(&b->be), 0);
	CHECK(t, buffer_stamp(t, b, 2));
	CHECK_EQ(t, ttmpool_to_device(&a->be), -ENOSPC);
	CHECK_EQ(t, a->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK(t, ttmpool_backend_is_valid(&a->be) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_swapout(&b->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_to_device(&a->be), 0);
	CHECK(t, buffer_is_stamped(t, a, 1));
	CHECK_EQ(t, ttmpool_swapin(&b->be, TTMPOOL_ALL_PAGES), -ENOSPC);
	CHECK_EQ(t, ttmpool_unpopulate(&a->be), 0);
	CHECK_EQ(t, ttmpool_swapin(&b->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, buffer_is_stamped(t, b, 2));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A device with a 28-bit mask, or the smallest that the machine allows, serves four times
 * as many buffers as it has space for, since idle mappings make room; it never has more
 * mapped than the limit. */
static void s06_more_buffers_than_space_come_and_go(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	unsigned int bits = check_mask_bits(t, 28);
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mask_bits = bits,
						  .mapped_limit = 2048 * size,
						  .mapped_low = 1024 * size });
	struct buffer *bufs[32];

	CHECK(t, rig);
	for (int i = 0; i < 32; i++) {
		bufs[i] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = 256,
				.caching = i % 2 ? TTMPOOL_UNCACHED
						 : TTMPOOL_WRITE_COMBINED });
		CHECK(t, bufs[i]);
	}
	for (int i = 0; i < 2 * 32; i++) {
		CHECK_EQ(t, ttmpool_populate(&bufs[i % 32]->be), 0);
		if (i >= 6)
			CHECK_EQ(t, ttmpool_unpopulate(&bufs[(i - 6) % 32]->be),
				 0);
	}
	for (int i = 2 * 32 - 6; i < 2 * 32; i++)
		CHECK_EQ(t, ttmpool_unpopulate(&bufs[i % 32]->be), 0);
	CHECK(t, rig_stats(rig).bytes_mapped_peak <= bytes_of(rig, 2048));
	CHECK(t, rig_close(t, rig));
}

/* A low mark above its limit is refused. */
static void s06_a_low_mark_above_the_limit_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_config config = { .node = TTMPOOL_NODE_ANY,
					      .mapped_limit = 4096,
					      .mapped_low = 8192 };
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));

	CHECK(t, rig && pool);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &config), -EINVAL);
	CHECK(t, rig_close(t, rig));
}

/* The charges of an owner follow its buffer through all states, and equal the counters of
 * the pool, as there is no other owner. */
static void s06_accounts_follow_the_states(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner *owner = check_zalloc(t, sizeof(*owner));
	static const int expected[][TTMPOOL_ACCOUNT_COUNT] = {
		/* in use, mapped, bounced, anonymous, swapped */
		{ 7, 7, 0, 0, 0 }, /* populated */
		{ 7, 0, 0, 7, 0 }, /* anonymous */
		{ 3, 0, 0, 3, 4 }, /* partly swapped out */
		{ 0, 0, 0, 0, 7 }, /* swapped out */
		{ 7, 7, 0, 0, 0 }, /* swapped in */
		{ 0, 0, 0, 0, 0 }, /* unpopulated */
	};
	struct buffer *buf;

	CHECK(t, rig && owner);
	ttmpool_owner_init(owner, "client");
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 7,
					 .owner = owner,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf);
	for (int step = 0; step < 6; step++) {
		struct ttmpool_pool_stats stats;
		int err = step == 0   ? ttmpool_populate(&buf->be)
			  : step == 1 ? ttmpool_to_anonymous(&buf->be)
			  : step == 2 ? ttmpool_swapout(&buf->be, 4)
			  : step == 3 ? ttmpool_swapout(&buf->be, 3)
			  : step == 4 ? ttmpool_swapin(&buf->be, 7)
				      : ttmpool_unpopulate(&buf->be);
		const int *row = expected[step];

		CHECK_EQ(t, err, 0);
		stats = rig_stats(rig);
		for (int i = 0; i < TTMPOOL_ACCOUNT_COUNT; i++)
			if (i != TTMPOOL_BOUNCED)
				CHECK_EQ(
					t,
					ttmpool_owner_pages(
						owner, (enum ttmpool_account)i),
					row[i]);
		CHECK_EQ(t, stats.pages_in_use, row[TTMPOOL_IN_USE]);
		CHECK_EQ(t, stats.pages_anonymous, row[TTMPOOL_ANONYMOUS]);
		CHECK_EQ(t, stats.pages_swapped, row[TTMPOOL_SWAPPED]);
		CHECK_EQ(t, stats.pages_bounced,
			 ttmpool_owner_pages(owner, TTMPOOL_BOUNCED));
		CHECK_EQ(t, ttmpool_owner_fini(owner), step < 5 ? -EBUSY : 0);
		CHECK(t, rig_is_quiet(t, rig));
	}
	CHECK(t, rig_close(t, rig));
}

/* A give of one array with pages of several owners settles the accounts of each. */
static void s06_a_give_settles_every_owner(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner *owner = check_zalloc(t, 2 * sizeof(*owner));
	tpos_page_t **pages = check_zalloc(t, 6 * sizeof(*pages));
	struct ttmpool_request req = { .num_pages = 2 };

	CHECK(t, rig && owner && pages);
	ttmpool_owner_init(&owner[0], "one");
	ttmpool_owner_init(&owner[1], "two");
	for (size_t i = 0; i < 3; i++) {
		req.owner = i == 1 ? NULL : &owner[i / 2];
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &req, pages + 2 * i,
					   NULL),
			 0);
	}
	CHECK_EQ(t, ttmpool_owner_pages(&owner[0], TTMPOOL_IN_USE), 2);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[1], TTMPOOL_IN_USE), 2);
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages, 6, TTMPOOL_UNCACHED),
		 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[0]), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[1]), 0);
	CHECK(t, rig_close(t, rig));
}

/* A rig whose chunks are single pages, so that a request has many of them. */
static struct rig *singles_rig(struct check *t, struct rig_config config)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.max_order = 0;
	config.policy = &policy;
	return rig_open(t, &config);
}

static struct buffer *uncached_of(struct check *t, struct rig *rig, size_t n,
				  const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = funcs,
					 .caching = TTMPOOL_UNCACHED });
}

/* At the page budget or the mapped limit, one reclaim frees all that a request lacks: one
 * caching change for the pages that leave, and one for those that come. */
static void s05_one_reclaim_serves_a_whole_request(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	struct rig_config configs[] = { { .page_budget = 48 },
					{ .mapped_limit = 48 * size } };

	for (int i = 0; i < 2; i++) {
		const struct ttmpool_backend_funcs *funcs = i ? &buffer_coherent
							      : &buffer_plain;
		struct rig *rig = singles_rig(t, configs[i]);
		struct ttmpool_pool_stats before, after;
		struct buffer *first, *second;

		CHECK(t, rig);
		first = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = 48,
				.funcs = funcs,
				.caching = TTMPOOL_WRITE_COMBINED });
		second = uncached_of(t, rig, 48, funcs);
		CHECK(t, first && second && !buffer_cycle(first));
		before = rig_stats(rig);
		CHECK_EQ(t, before.pages_pooled, 48);
		CHECK_EQ(t, ttmpool_populate(&second->be), 0);
		after = rig_stats(rig);
		CHECK_EQ(t, after.pages_released - before.pages_released, 48);
		CHECK_EQ(t, after.caching_batches - before.caching_batches, 2);
		CHECK(t, after.unmap_batches - before.unmap_batches <= 1);
		CHECK_EQ(t, ttmpool_unpopulate(&second->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A reclaim frees a little more than a request lacks, so that later small requests need
 * none. (Cached pages need no caching change of their own.) */
static void s05_small_requests_share_a_reclaim(struct check *t)
{
	struct rig *rig =
		singles_rig(t, (struct rig_config){ .page_budget = 128 });
	struct ttmpool_pool_stats before, after;
	struct buffer *first, *small[64];

	CHECK(t, rig);
	first = uncached_of(t, rig, 128, &buffer_plain);
	CHECK(t, first && !buffer_cycle(first));
	before = rig_stats(rig);
	for (int i = 0; i < 64; i++) {
		small[i] = buffer_open(
			t, rig,
			&(struct buffer_config){ .funcs = &buffer_plain,
						 .caching = TTMPOOL_CACHED });
		CHECK(t, small[i] && !ttmpool_populate(&small[i]->be));
	}
	after = rig_stats(rig);
	CHECK(t, after.caching_batches - before.caching_batches <= 64 / 16);
	CHECK(t, after.pages_released - before.pages_released <= 64 + 16);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(t, ttmpool_unpopulate(&small[i]->be), 0);
	CHECK(t, rig_close(t, rig));
}

#define PATIENT TTMPOOL_WAIT_FOREVER

/* The error of a request for @n pages, by one of five functions. */
static int ask_for(struct check *t, struct rig *rig, int way, size_t n)
{
	struct ttmpool_request req = { .source = way == 1 ? TTMPOOL_COHERENT
							  : TTMPOOL_PLAIN,
				       .caching = TTMPOOL_UNCACHED,
				       .num_pages = n,
				       .wait_ms = PATIENT };
	tpos_page_t **pages = check_zalloc(t, n * sizeof(*pages));
	tpos_dma_addr_t *addr = check_zalloc(t, n * sizeof(*addr));
	struct ttmpool_runs runs;

	if (!pages || !addr)
		return -ENOENT;
	switch (way) {
	case 0:
		return ttmpool_pool_take(&rig->pool[0], &req, pages, addr);
	case 1:
		return ttmpool_pool_take(&rig->pool[0], &req, pages, NULL);
	case 2:
		return ttmpool_runs_take(&rig->pool[0], &req, true, &runs);
	case 3:
		return ttmpool_pool_prime(&rig->pool[0], &req, true);
	default:
		return ttmpool_pool_prepare(&rig->pool[0], &req);
	}
}

/* The request is refused with @err, and takes nothing from other users. */
static void never_fits(struct check *t, const struct rig_config *config,
		       int way, int err)
{
	struct rig *rig = rig_open(t, config);
	struct ttmpool_manager_stats before, after;
	struct buffer *idle, *kept;
	uint64_t unmaps;

	CHECK(t, rig);
	/* A device whose mappings bounce maps pages only when they are taken. */
	if (way > 2 && !rig->pool[0].policy.keep_mapped) {
		CHECK(t, rig_close(t, rig));
		return;
	}
	idle = buffer_of(t, rig, 0, 8);
	kept = buffer_of(t, rig, 0, 60);
	CHECK(t, idle && kept && !ttmpool_populate(&idle->be));
	CHECK_EQ(t, ttmpool_lru_add(&idle->be), 0);
	CHECK_EQ(t, buffer_cycle(kept), 0);
	ttmpool_manager_stats(&rig->mgr, &before);
	unmaps = rig_stats(rig).unmaps;
	CHECK_EQ(t, ask_for(t, rig, way, 101), err);
	ttmpool_manager_stats(&rig->mgr, &after);
	CHECK_EQ(t, after.pages_pooled, before.pages_pooled);
	CHECK_EQ(t, after.pages_swapped, 0);
	CHECK_EQ(t, rig_stats(rig).unmaps, unmaps);
	CHECK_EQ(t, rig_stats(rig).waits, 0);
	ttmpool_lru_remove(&idle->be);
	CHECK_EQ(t, ttmpool_unpopulate(&idle->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that can never fit is refused at once, even if it would wait forever: no
 * pooled page, kept mapping or idle buffer is given up for it. */
static void s06_what_never_fits_costs_nobody_anything(struct check *t)
{
	struct ttmpool_iova *iova = check_zalloc(t, sizeof(*iova));
	size_t size = bytes_of_a_page(t);

	CHECK(t, iova && !ttmpool_iova_init(iova, 80 * size, 0));
	for (int way = 0; way < 5; way++) {
		never_fits(t, &(struct rig_config){ .page_budget = 100 }, way,
			   -ENOMEM);
		never_fits(t, &(struct rig_config){ .mapped_limit = 80 * size },
			   way, -ENOSPC);
		never_fits(t, &(struct rig_config){ .iova = iova }, way,
			   -ENOSPC);
	}
	ttmpool_iova_fini(iova);
}

/* A take without addresses succeeds when all address space is in use. */
static void s06_a_take_without_addresses_needs_no_room_for_them(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 8 * size });
	struct buffer *all, *bare;

	CHECK(t, rig);
	all = buffer_of(t, rig, 0, 8);
	bare = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 16,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .unmapped = true });
	CHECK(t, all && bare && !ttmpool_populate(&all->be));
	CHECK_EQ(t, ttmpool_populate(&bare->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&bare->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&all->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pooled pages without a mapping need room as well: mapping them stays within the
 * limit. */
static void s06_pooled_pages_without_a_mapping_count(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 8 * size });
	struct buffer *bare, *held, *buf;

	CHECK(t, rig);
	bare = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 4,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .unmapped = true });
	held = uncached_of(t, rig, 4, &buffer_plain);
	buf = buffer_of(t, rig, 0, 6);
	CHECK(t, bare && held && buf && !buffer_cycle(bare));
	CHECK_EQ(t, ttmpool_populate(&held->be), 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOSPC);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 4 * size);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 8);
	CHECK_EQ(t, ttmpool_unpopulate(&held->be), 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, rig_stats(rig).bytes_mapped_peak <= 8 * size);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A populate makes no spare chunks if a budget has no room for them, and nothing is
 * released for them. */
static void s06_no_spare_chunk_is_over_a_budget(struct check *t)
{
	size_t size = bytes_of_a_page(t);
	struct rig_config configs[] = { { .page_budget = 8 },
					{ .mapped_limit = 8 * size } };
	struct ttmpool_policy policy = rig_policy(t);

	policy.refill = true;
	for (int i = 0; i < 4; i++) {
		struct rig_config config = configs[i / 2];
		struct buffer *buf;
		struct rig *rig;

		config.policy = &policy;
		rig = rig_open(t, &config);
		CHECK(t, rig);
		buf = uncached_of(t, rig, 7,
				  i % 2 ? &buffer_coherent : &buffer_plain);
		CHECK(t, buf && !ttmpool_populate(&buf->be));
		CHECK(t, rig_stats(rig).bytes_mapped_peak <= 8 * size ||
				 i / 2 == 0);
		CHECK(t, i == 2 || rig_stats(rig).pages_fresh == 7);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A request above a lowered page budget is refused, even for one chunk that is pooled and
 * reserved. */
static void s06_more_than_a_lowered_budget_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *one, *two;

	CHECK(t, rig);
	one = uncached_of(t, rig, 16, &buffer_plain);
	two = uncached_of(t, rig, 17, &buffer_plain);
	CHECK(t, one && two && !buffer_cycle(two) && !buffer_cycle(one));
	ttmpool_pool_reserve(&rig->pool[0], 17);
	ttmpool_manager_set_page_budget(&rig->mgr, 15);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 17);
	CHECK_EQ(t, ttmpool_populate(&one->be), -ENOMEM);
	CHECK_EQ(t, ttmpool_populate(&two->be), -ENOMEM);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 17);
	ttmpool_manager_set_page_budget(&rig->mgr, 16);
	CHECK_EQ(t, buffer_cycle(one), 0);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 17);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(budget, CHECK_CASE(s06_more_than_a_lowered_budget_is_refused),
	    CHECK_CASE(s06_no_spare_chunk_is_over_a_budget),
	    CHECK_CASE(s05_one_reclaim_serves_a_whole_request),
	    CHECK_CASE(s05_small_requests_share_a_reclaim),
	    CHECK_CASE(s06_what_never_fits_costs_nobody_anything),
	    CHECK_CASE(s06_a_take_without_addresses_needs_no_room_for_them),
	    CHECK_CASE(s06_pooled_pages_without_a_mapping_count),
	    CHECK_CASE(s06_kept_mappings_go_down_to_the_low_mark),
	    CHECK_CASE(s06_pools_of_a_device_share_a_budget),
	    CHECK_CASE(s06_a_pool_has_a_limit_of_its_own_as_well),
	    CHECK_CASE(s06_only_device_state_takes_address_space),
	    CHECK_CASE(s06_more_buffers_than_space_come_and_go),
	    CHECK_CASE(s06_a_low_mark_above_the_limit_is_refused),
	    CHECK_CASE(s06_accounts_follow_the_states),
	    CHECK_CASE(s06_a_give_settles_every_owner));
