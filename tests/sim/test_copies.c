// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Moves that copy: a buffer keeps its own pages until the copy is made, so it needs as many
 * again.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define BUDGET 1000

/* A buffer of coherent pages, on the list of buffers that may be swapped out. */
static struct buffer *coherent(struct check *t, struct rig *rig, size_t n)
{
	struct buffer_config config = { .num_pages = n,
					.caching = TTMPOOL_WRITE_COMBINED,
					.funcs = &buffer_coherent };
	struct buffer *buf = buffer_ready(t, rig, &config, 7);

	return buf && !ttmpool_lru_add(&buf->be) ? buf : NULL;
}

/* The copy needs more pages than the page budget admits besides the buffer: it is refused
 * at once, however long it may wait, because the wait would never end. */
static void s12_a_copy_that_never_fits_is_refused(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = BUDGET });
	struct buffer *buf;

	CHECK(t, rig);
	buf = coherent(t, rig, 600);
	CHECK(t, buf);
	buf->be.wait_ms = TTMPOOL_WAIT_FOREVER;
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -ENOMEM);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK(t, buffer_is_stamped(t, buf, 7));
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The same on the way back, if the device of another pool cannot use the pages. */
static void s12_a_copy_to_the_device_that_never_fits_is_refused(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .nr_pools = 2,
						  .page_budget = BUDGET });
	struct buffer_config config = { .num_pages = 600,
					.funcs = &buffer_plain };
	struct buffer *from, *to;

	CHECK(t, rig);
	from = buffer_ready(t, rig, &config, 7);
	config.pool = 1;
	config.funcs = &buffer_coherent;
	to = buffer_open(t, rig, &config);
	CHECK(t, from && to);
	CHECK_EQ(t, ttmpool_to_anonymous(&from->be), 0);
	CHECK_EQ(t, ttmpool_handover(&from->be, &to->be), 0);
	to->be.wait_ms = TTMPOOL_WAIT_FOREVER;
	CHECK_EQ(t, ttmpool_to_device(&to->be), -ENOMEM);
	CHECK_EQ(t, to->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK(t, buffer_is_stamped(t, to, 7));
	CHECK_EQ(t, ttmpool_drop(&to->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pages of the buffer that is copied do not count as pages that could go for the copy:
 * if the others are too few, they lose nothing. */
static void s12_a_copy_in_vain_takes_nothing_of_others(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = BUDGET });
	struct ttmpool_request pooled = { .caching = TTMPOOL_UNCACHED,
					  .num_pages = 64 };
	struct buffer_config busy = { .num_pages = 400 };
	struct ttmpool_manager_stats stats;
	struct buffer *holder, *idle, *buf;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &pooled, false), 0);
	holder = buffer_ready(t, rig, &busy, 3);
	idle = coherent(t, rig, 64);
	buf = coherent(t, rig, 400);
	CHECK(t, holder && idle && buf);
	buf->locked = true;
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -ENOMEM);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_pooled, 64);
	CHECK_EQ(t, stats.pages_swapped, 0);
	CHECK_EQ(t, stats.pages_swappable, 464);
	buf->locked = false;
	ttmpool_lru_remove(&buf->be);
	ttmpool_lru_remove(&idle->be);
	CHECK(t, !ttmpool_drop(&buf->be) && !ttmpool_drop(&idle->be));
	CHECK_EQ(t, ttmpool_drop(&holder->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Nor do the pages of a buffer that is being swapped in. */
static void s07_a_swapin_in_vain_takes_nothing_of_others(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config small = { .page_budget = BUDGET, .policy = &policy };
	struct buffer_config config = { .num_pages = 600,
					.funcs = &buffer_plain };
	struct buffer_config busy = { .num_pages = 600 };
	struct ttmpool_manager_stats stats;
	struct buffer *buf, *holder;
	struct rig *rig;

	policy.max_order = 3;
	rig = rig_open(t, &small);
	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 7);
	CHECK(t, buf && !ttmpool_lru_add(&buf->be));
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 200), 200);
	holder = buffer_ready(t, rig, &busy, 3);
	CHECK(t, holder);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_swappable, 400);
	buf->locked = true;
	CHECK_EQ(t, ttmpool_swapin(&buf->be, 600), -ENOMEM);
	buf->locked = false;
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_swappable, 400);
	CHECK_EQ(t, stats.pages_swapped, 200);
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_drop(&holder->be), 0);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(copies, CHECK_CASE(s12_a_copy_that_never_fits_is_refused),
	    CHECK_CASE(s12_a_copy_to_the_device_that_never_fits_is_refused),
	    CHECK_CASE(s12_a_copy_in_vain_takes_nothing_of_others),
	    CHECK_CASE(s07_a_swapin_in_vain_takes_nothing_of_others));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 4096,
						    .iommu = TPSIM_IOMMU_STRICT,
						    .store_pages = 4096 };

	return check_main(argc, argv, &check_suite_copies, &config);
}
