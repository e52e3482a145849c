// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Accounting: S6. Pages and mapped bytes have budgets. If a budget has no room for a
 * request, the pool releases idle pages and ends idle mappings. If that is not enough,
 * the request fails and changes nothing.
 */

#include "rig.h"

static struct pages *wc_pages(struct check *t, struct rig *rig, int pool,
			      size_t n)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .pool = pool,
					.num_pages = n,
					.caching = TTMPOOL_WRITE_COMBINED });
}

static uint64_t page_bytes(struct rig *rig)
{
	return (uint64_t)1 << rig->pool[0].info.page_shift;
}

/* The pool never takes more pages from the system than the page budget allows. */
static void s06_the_page_budget_is_never_exceeded(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 20 });
	struct pages *a, *b;

	CHECK(t, rig);
	a = wc_pages(t, rig, 0, 15);
	b = wc_pages(t, rig, 0, 6);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_take(b), -ENOMEM);
	CHECK_EQ(t, check_pages_out(t), 15);
	CHECK(t, !b->pages[0] && !b->dma_addr[0]);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK_EQ(t, pages_cycle(b), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pool releases pooled pages, another pool's too, before a populate fails. */
static void s06_pooled_pages_go_before_a_populate_fails(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .page_budget = 64 });
	struct pages *a, *b;

	CHECK(t, rig);
	a = wc_pages(t, rig, 0, 64);
	b = wc_pages(t, rig, 1, 64);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_cycle(a), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 64);
	CHECK_EQ(t, pages_take(b), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, check_pages_out(t), 64);
	CHECK_EQ(t, pages_give(b), 0);
	CHECK(t, rig_close(t, rig));
}

/* A populate uses its own pool's pages before the budget releases them. */
static void s06_a_full_budget_is_served_from_the_bins(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct pages *singles[64], *big;

	CHECK(t, rig);
	for (int i = 0; i < 64; i++) {
		singles[i] = wc_pages(t, rig, 0, 1);
		CHECK(t, singles[i]);
		CHECK_EQ(t, pages_take(singles[i]), 0);
	}
	for (int i = 0; i < 64; i++)
		CHECK_EQ(t, pages_give(singles[i]), 0);
	big = wc_pages(t, rig, 0, 64);
	CHECK(t, big);
	CHECK_EQ(t, pages_take(big), 0);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 64);
	CHECK_EQ(t, rig_stats(rig).pages_hit, 64);
	CHECK_EQ(t, pages_give(big), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pool never maps more bytes for the device than the mapped limit. */
static void s06_the_mapped_limit_is_never_exceeded(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 1 << 20 });
	struct pages *a, *b;
	size_t n;

	CHECK(t, rig);
	n = (size_t)((1 << 20) / page_bytes(rig));
	a = wc_pages(t, rig, 0, n);
	b = wc_pages(t, rig, 0, 1);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_take(b), -ENOSPC);
	CHECK(t, !b->pages[0] && !b->dma_addr[0]);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 1 << 20);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped_peak, 1 << 20);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK(t, rig_close(t, rig));
}

/* Coherent pages are mapped from allocation on, so they count against the limit, too. */
static void s06_the_mapped_limit_counts_coherent_pages(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 1 << 20 });
	struct pages *a, *b;
	size_t n;

	CHECK(t, rig);
	n = (size_t)((1 << 20) / page_bytes(rig));
	a = pages_open(t, rig,
		       &(struct pages_config){ .num_pages = n,
					       .caching = TTMPOOL_CACHED,
					       .source = TTMPOOL_COHERENT });
	b = wc_pages(t, rig, 0, 1);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_take(b), -ENOSPC);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 1 << 20);
	CHECK_EQ(t, pages_cycle(b), 0);
	CHECK(t, rig_stats(rig).pages_released);
	CHECK(t, rig_stats(rig).bytes_mapped <= 1 << 20);
	CHECK(t, rig_close(t, rig));
}

/* A coherent populate without room in the limit fails with -ENOSPC, like a plain one. */
static void s06_a_coherent_populate_heeds_the_mapped_limit(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 1 << 20 });
	struct pages *a, *b;
	size_t n;

	CHECK(t, rig);
	n = (size_t)((1 << 20) / page_bytes(rig));
	a = wc_pages(t, rig, 0, n);
	b = pages_open(t, rig,
		       &(struct pages_config){ .source = TTMPOOL_COHERENT });
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_take(b), -ENOSPC);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK_EQ(t, pages_cycle(b), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer that is larger than the whole limit is refused, and gets neither a page nor an
 * address. */
static void s06_a_buffer_beyond_the_mapped_limit_is_refused(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 1 << 20 });
	struct pages *buf;

	CHECK(t, rig);
	buf = wc_pages(t, rig, 0, (size_t)((1 << 20) / page_bytes(rig)) + 1);
	CHECK(t, buf);
	CHECK_EQ(t, pages_take(buf), -ENOSPC);
	CHECK(t, !buf->pages[0] && !buf->dma_addr[0]);
	CHECK(t, rig_close(t, rig));
}

/* The pool ends idle mappings to make room for a populate; their pages stay pooled. */
static void s06_kept_mappings_go_before_a_populate_fails(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 1 << 20 });
	struct ttmpool_pool_stats stats;
	struct pages *wc, *uc;
	size_t n;

	CHECK(t, rig);
	n = (size_t)((1 << 20) / page_bytes(rig));
	wc = wc_pages(t, rig, 0, n);
	uc = pages_open(t, rig,
			&(struct pages_config){ .num_pages = n,
						.caching = TTMPOOL_UNCACHED });
	CHECK(t, wc && uc);
	CHECK_EQ(t, pages_cycle(wc), 0);
	CHECK_EQ(t, pages_take(uc), 0);
	stats = rig_stats(rig);
	CHECK_EQ(t, stats.pages_pooled, n);
	CHECK_EQ(t, stats.pages_in_use, n);
	CHECK_EQ(t, stats.bytes_mapped, 1 << 20);
	CHECK_EQ(t, stats.unmaps, stats.maps / 2);
	CHECK_EQ(t, pages_give(uc), 0);
	CHECK(t, rig_close(t, rig));
}

/* A chunk whose mapping was ended is mapped again when it is handed out. */
static void s06_a_given_up_mapping_is_made_anew(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 1 << 20 });
	struct pages *wc, *uc;
	size_t n;

	CHECK(t, rig);
	n = (size_t)((1 << 20) / page_bytes(rig));
	wc = wc_pages(t, rig, 0, n);
	uc = pages_open(t, rig,
			&(struct pages_config){ .num_pages = n,
						.caching = TTMPOOL_UNCACHED });
	CHECK(t, wc && uc);
	CHECK_EQ(t, pages_cycle(wc), 0);
	CHECK_EQ(t, pages_cycle(uc), 0);
	CHECK_EQ(t, pages_take(wc), 0);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 2 * n);
	CHECK_EQ(t, rig_stats(rig).maps_kept, 0);
	CHECK(t, pages_fill(t, wc, 0x77));
	CHECK(t, check_device_holds(t, rig->dev[0], wc->dma_addr[n - 1], 0x77));
	CHECK_EQ(t, pages_give(wc), 0);
	CHECK(t, rig_close(t, rig));
}

/* A lowered budget releases pooled pages at once, and leaves pages in use alone. */
static void s06_a_lower_budget_acts_at_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *a, *b;

	CHECK(t, rig);
	a = wc_pages(t, rig, 0, 32);
	b = wc_pages(t, rig, 0, 32);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_cycle(b), 0);
	ttmpool_manager_set_page_budget(&rig->mgr, 40);
	CHECK(t, check_pages_out(t) <= 40);
	ttmpool_manager_set_page_budget(&rig->mgr, 8);
	CHECK_EQ(t, check_pages_out(t), 32);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK(t, rig_close(t, rig));
}

/* An owner is charged for its pages, and cannot end while it has some. */
static void s06_pages_in_use_are_charged_to_their_owner(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner *owner = check_zalloc(t, 2 * sizeof(*owner));
	struct pages *a, *b;

	CHECK(t, rig && owner);
	ttmpool_owner_init(&owner[0], "client-a");
	ttmpool_owner_init(&owner[1], "client-b");
	a = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 9, .owner = &owner[0] });
	b = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 3, .owner = &owner[1] });
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_take(b), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[0], TTMPOOL_IN_USE), 9);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[1], TTMPOOL_IN_USE), 3);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[0]), -EBUSY);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[0]), 0);
	CHECK_EQ(t, pages_give(b), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[1]), 0);
	CHECK(t, rig_close(t, rig));
}

/* If one array has the pages of two owners, the give settles both accounts. */
static void s06_a_joint_give_back_settles_with_each_owner(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner *owner = check_zalloc(t, 2 * sizeof(*owner));
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED };
	tpos_page_t *pages[5];

	CHECK(t, rig && owner);
	ttmpool_owner_init(&owner[0], "client-a");
	ttmpool_owner_init(&owner[1], "client-b");
	for (int i = 0; i < 2; i++) {
		req.owner = &owner[i];
		req.num_pages = i ? 3 : 2;
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &req, pages + 2 * i,
					   NULL),
			 0);
	}
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages, 5,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[0], TTMPOOL_IN_USE), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[1], TTMPOOL_IN_USE), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(account, CHECK_CASE(s06_the_page_budget_is_never_exceeded),
	    CHECK_CASE(s06_pooled_pages_go_before_a_populate_fails),
	    CHECK_CASE(s06_a_full_budget_is_served_from_the_bins),
	    CHECK_CASE(s06_the_mapped_limit_is_never_exceeded),
	    CHECK_CASE(s06_the_mapped_limit_counts_coherent_pages),
	    CHECK_CASE(s06_a_coherent_populate_heeds_the_mapped_limit),
	    CHECK_CASE(s06_a_buffer_beyond_the_mapped_limit_is_refused),
	    CHECK_CASE(s06_kept_mappings_go_before_a_populate_fails),
	    CHECK_CASE(s06_a_given_up_mapping_is_made_anew),
	    CHECK_CASE(s06_a_lower_budget_acts_at_once),
	    CHECK_CASE(s06_pages_in_use_are_charged_to_their_owner),
	    CHECK_CASE(s06_a_joint_give_back_settles_with_each_owner));
