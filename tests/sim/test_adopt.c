// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out to a store that takes over ordinary pages (S12), as Linux's does: nothing
 * is copied on the way out.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define PAGES 77 /* chunks of 64, 8, 4 and 1 */
#define SEED  0x42

/* Returns the number of pages in the chunk that a page of the buffer is in. */
static size_t chunk_pages(struct buffer *buf, size_t page)
{
	return ttmpool_chunk_pages(
		tpos_page_chunk(buf->be.pool->dev, buf->be.tt.pages[page]));
}

static struct buffer *ready(struct check *t, struct rig *rig,
			    const struct ttmpool_backend_funcs *funcs)
{
	return buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = PAGES,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);
}

static bool comes_back(struct check *t, struct rig *rig, struct buffer *buf)
{
	return !ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES) &&
	       buffer_is_stamped(t, buf, SEED) && rig_is_quiet(t, rig) &&
	       !ttmpool_unpopulate(&buf->be);
}

static void plan_writes(struct check *t, unsigned long nth, int error)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_WRITE,
						.nth = nth,
						.error = error });
}

/* The store takes over all plain pages, and the contents come back whole. */
static void s12_ordinary_pages_become_the_stores(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready(t, rig, &buffer_plain);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).pages_adopted, PAGES);
	CHECK_EQ(t, rig_stats(rig).pages_swapped, PAGES);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, comes_back(t, rig, buf));
	CHECK(t, rig_close(t, rig));
}

/* In fragmented memory, a large chunk is copied instead of taken over, so that it is free
 * at once, and the next buffer gets the block. */
static void s12_a_block_that_is_rare_is_free_at_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf, *next;

	CHECK(t, rig);
	buf = ready(t, rig, &buffer_plain);
	CHECK(t, buf);
	tpsim_ram_fragment(check_machine(t), 0);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).pages_adopted, PAGES - 64);
	CHECK_EQ(t, rig_stats(rig).pages_swapped, PAGES);
	next = ready(t, rig, &buffer_plain);
	CHECK(t, next);
	CHECK_EQ(t, chunk_pages(next, 0), 64);
	CHECK_EQ(t, ttmpool_unpopulate(&next->be), 0);
	CHECK(t, comes_back(t, rig, buf));
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* Coherent pages belong to the DMA API, so they are copied. */
static void s12_coherent_pages_do_not(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready(t, rig, &buffer_coherent);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).pages_adopted, 0);
	CHECK(t, comes_back(t, rig, buf));
	CHECK(t, rig_close(t, rig));
}

/* If the store has no memory or no room to take over a chunk, the chunk is copied. */
static void s12_what_cannot_be_adopted_at_once_is_copied(struct check *t)
{
	static const int errors[] = { -ENOMEM, -ENOSPC };

	for (int i = 0; i < 2; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *buf;

		CHECK(t, rig);
		buf = ready(t, rig, &buffer_plain);
		CHECK(t, buf);
		/* the first write only tries one page */
		plan_writes(t, 2, errors[i]);
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK_EQ(t, rig_stats(rig).pages_adopted, PAGES - 64);
		CHECK(t, comes_back(t, rig, buf));
		CHECK(t, rig_close(t, rig));
	}
}

/* Any other failure leaves the remaining chunks in the buffer. */
static void s12_a_store_that_fails_leaves_the_rest(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready(t, rig, &buffer_plain);
	CHECK(t, buf);
	plan_writes(t, 3, -EIO);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -EIO);
	CHECK_EQ(t, buffer_pages(buf), PAGES - 64);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, rig_is_quiet(t, rig) && comes_back(t, rig, buf));
	CHECK(t, rig_close(t, rig));
}

/* So does a signal, which the swap-out looks for before each chunk. */
static void s12_a_signal_leaves_the_rest(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready(t, rig, &buffer_plain);
	CHECK(t, buf);
	tpsim_signal_after(check_machine(t), 5); /* before each write */
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, buffer_pages(buf), 5);
	CHECK(t, comes_back(t, rig, buf));
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(adopt, CHECK_CASE(s12_ordinary_pages_become_the_stores),
	    CHECK_CASE(s12_a_block_that_is_rare_is_free_at_once),
	    CHECK_CASE(s12_coherent_pages_do_not),
	    CHECK_CASE(s12_what_cannot_be_adopted_at_once_is_copied),
	    CHECK_CASE(s12_a_store_that_fails_leaves_the_rest),
	    CHECK_CASE(s12_a_signal_leaves_the_rest));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .store_adopts = true };

	return check_main(argc, argv, &check_suite_adopt, &config);
}
