// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Anonymous and device state (S12), which pages can change between them in place (S8),
 * and the handover of a buffer from one device's backend to another's.
 */

#include "rig_buffer.h"

#define PAGES 45 /* chunks of 32, 8, 4 and 1 */

/* Does the page allocator give the same answer for every chunk of a buffer? */
static bool is_insertable(const struct buffer *buf, bool wanted)
{
	struct ttmpool_pool *pool = buf->be.pool;
	size_t i = 0;

	while (i < buf->be.tt.num_pages) {
		if (ttmpool_page_insertable(pool, buf->pages[i]) != wanted)
			return false;
		do {
			i++;
		} while (i < buf->be.tt.num_pages &&
			 !ttmpool_pool_owns(pool, buf->pages[i]));
	}
	return true;
}

/* Plain pages in use may be inserted in the swap cache; coherent pages, pooled pages and
 * pages of another pool or of the system may not. */
static void s08_plain_pages_are_insertable(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *plain, *coherent;
	tpos_page_t *page;

	CHECK(t, rig);
	config.funcs = &buffer_plain;
	plain = buffer_ready(t, rig, &config, 1);
	config.funcs = &buffer_coherent;
	coherent = buffer_ready(t, rig, &config, 2);
	CHECK(t, plain && coherent);
	CHECK(t, is_insertable(plain, true));
	CHECK(t, is_insertable(coherent, false));
	page = plain->pages[0];
	CHECK(t, !ttmpool_page_insertable(&rig->pool[1], page));
	CHECK(t,
	      !ttmpool_page_insertable(&rig->pool[0], check_page_of_system(t)));
	CHECK(t, !ttmpool_page_insertable(&rig->pool[0], NULL));
	CHECK_EQ(t, ttmpool_unpopulate(&plain->be), 0);
	CHECK(t, !ttmpool_page_insertable(&rig->pool[0], page));
	CHECK_EQ(t, ttmpool_to_anonymous(&coherent->be), 0);
	CHECK(t, is_insertable(coherent, true));
	CHECK_EQ(t, ttmpool_drop(&coherent->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A plain buffer becomes anonymous and returns without a copy, and keeps its pages. */
static void s12_plain_buffers_move_in_place(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain };
	struct buffer *buf;
	tpos_page_t *first;

	CHECK(t, rig);
	for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
		config.caching = (enum ttmpool_caching)c;
		buf = buffer_ready(t, rig, &config, (unsigned char)c);
		CHECK(t, buf);
		first = buf->pages[0];
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_ANONYMOUS);
		CHECK(t, ttmpool_backend_is_valid(&buf->be));
		CHECK(t, buffer_is_of(t, buf, TTMPOOL_CACHED));
		CHECK(t, buffer_is_stamped(t, buf, (unsigned char)c));
		CHECK_EQ(t, buf->dma_addr[0] | buf->dma_addr[PAGES - 1], 0);
		CHECK_EQ(t, rig_stats(rig).pages_anonymous, PAGES);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, buf->pages[0] == first);
		CHECK(t, buffer_is_of(t, buf, config.caching));
		CHECK(t, buffer_is_stamped(t, buf, (unsigned char)c));
		CHECK_EQ(t, rig_stats(rig).pages_anonymous, 0);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	}
	CHECK_EQ(t, rig_stats(rig).bytes_copied, 0);
	CHECK(t, rig_close(t, rig));
}

/* A move in place needs one caching batch each way, one unmap and one map batch. */
static void s12_a_move_in_place_is_one_batch(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_UNCACHED };
	struct ttmpool_pool_stats before;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 1);
	CHECK(t, buf);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).caching_batches - before.caching_batches, 2);
	CHECK_EQ(t, rig_stats(rig).unmap_batches - before.unmap_batches, 1);
	CHECK_EQ(t, rig_stats(rig).map_batches - before.map_batches, 1);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A coherent buffer is copied once to ordinary pages, and once back. */
static void s12_coherent_buffers_are_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_coherent,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;
	uint64_t size;

	CHECK(t, rig);
	size = (uint64_t)PAGES << rig->pool[0].info.page_shift;
	buf = buffer_ready(t, rig, &config, 8);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK(t, ttmpool_backend_is_valid(&buf->be) && rig_is_quiet(t, rig));
	CHECK(t, buffer_is_of(t, buf, TTMPOOL_CACHED));
	CHECK(t, buffer_is_stamped(t, buf, 8));
	CHECK_EQ(t, rig_stats(rig).bytes_copied, size);
	CHECK_EQ(t, rig_stats(rig).pages_in_use, PAGES);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK(t, ttmpool_backend_is_valid(&buf->be) && rig_is_quiet(t, rig));
	CHECK(t, buffer_is_of(t, buf, TTMPOOL_WRITE_COMBINED));
	CHECK(t, buffer_is_stamped(t, buf, 8));
	CHECK_EQ(t, rig_stats(rig).bytes_copied, 2 * size);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* An anonymous buffer can be swapped out, and a swapin returns it to device state. */
static void s12_an_anonymous_buffer_can_be_swapped_out(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 8);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -EINVAL);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), -EINVAL);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, buffer_is_stamped(t, buf, 8));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer without addresses is not mapped in device state either. */
static void s12_a_buffer_without_addresses_is_not_mapped(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.unmapped = true,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 8);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).maps, 0);
	CHECK(t, buffer_is_stamped(t, buf, 8));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A coherent buffer without addresses becomes anonymous and returns with its contents. */
static void s12_a_coherent_buffer_without_addresses_comes_back(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.unmapped = true,
					.funcs = &buffer_coherent,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 8);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK(t, ttmpool_backend_is_valid(&buf->be));
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK(t, ttmpool_backend_is_valid(&buf->be));
	CHECK(t, buffer_is_stamped(t, buf, 8));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A part that stayed in ordinary pages returns to coherent pages as well. */
static void s12_no_ordinary_page_is_left_in_a_coherent_buffer(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_coherent };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 8);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, is_insertable(buf, false));
	CHECK(t, buffer_is_stamped(t, buf, 8));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer moves from one device's backend to another's and back, for each pair of kinds;
 * between two plain backends nothing is copied. */
static void s12_a_buffer_is_handed_from_device_to_device(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	static const struct ttmpool_backend_funcs *const kinds[] = {
		&buffer_plain, &buffer_coherent
	};

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		struct buffer_config config = { .num_pages = PAGES };
		struct buffer *a, *b;
		uint64_t copied;

		config.funcs = kinds[i / 2];
		config.caching = TTMPOOL_WRITE_COMBINED;
		a = buffer_ready(t, rig, &config, (unsigned char)i);
		config.funcs = kinds[i % 2];
		config.caching = TTMPOOL_UNCACHED;
		config.pool = 1;
		b = buffer_open(t, rig, &config);
		CHECK(t, a && b);
		CHECK_EQ(t, ttmpool_to_anonymous(&a->be), 0);
		CHECK_EQ(t, ttmpool_handover(&a->be, &b->be), 0);
		CHECK_EQ(t, a->be.tt.state, TTMPOOL_TT_EMPTY);
		CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_ANONYMOUS);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
		CHECK(t, buffer_is_of(t, b, TTMPOOL_UNCACHED));
		CHECK(t, buffer_is_stamped(t, b, (unsigned char)i));
		CHECK_EQ(t, ttmpool_to_anonymous(&b->be), 0);
		CHECK_EQ(t, ttmpool_handover(&b->be, &a->be), 0);
		CHECK_EQ(t, ttmpool_to_device(&a->be), 0);
		CHECK(t, buffer_is_stamped(t, a, (unsigned char)i));
		copied = rig->pool[0].stats.bytes_copied +
			 rig->pool[1].stats.bytes_copied;
		CHECK(t, i || !copied);
		CHECK_EQ(t, ttmpool_unpopulate(&a->be), 0);
		CHECK_EQ(t, ttmpool_backend_fini(&b->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* The accounts follow the pages: a handover moves the charge to the new owner. */
static void s12_a_hand_over_moves_the_accounts(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct ttmpool_owner *owner = check_zalloc(t, 2 * sizeof(*owner));
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain };
	struct buffer *a, *b;

	CHECK(t, rig && owner);
	ttmpool_owner_init(&owner[0], "first");
	ttmpool_owner_init(&owner[1], "second");
	config.owner = &owner[0];
	a = buffer_ready(t, rig, &config, 1);
	config.owner = &owner[1];
	config.pool = 1;
	b = buffer_open(t, rig, &config);
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_to_anonymous(&a->be), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[0], TTMPOOL_ANONYMOUS), PAGES);
	CHECK_EQ(t, ttmpool_handover(&a->be, &b->be), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[0]), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[1]), -EBUSY);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[0], TTMPOOL_ANONYMOUS), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner[1], TTMPOOL_ANONYMOUS), PAGES);
	CHECK_EQ(t, rig->pool[0].stats.pages_in_use, 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_in_use, PAGES);
	CHECK_EQ(t, ttmpool_drop(&b->be), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner[1]), 0);
	CHECK(t, rig_close(t, rig));
}

/* Only an anonymous buffer can be handed over, and only to an empty buffer of the same
 * size. */
static void s12_a_hand_over_that_does_not_fit_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct buffer_config config = { .num_pages = 4 };
	struct buffer *a, *same, *longer, *full;

	CHECK(t, rig);
	a = buffer_ready(t, rig, &config, 1);
	full = buffer_ready(t, rig, &config, 2);
	config.pool = 1;
	same = buffer_open(t, rig, &config);
	config.num_pages = 5;
	longer = buffer_open(t, rig, &config);
	CHECK(t, a && full && same && longer);
	CHECK_EQ(t, ttmpool_handover(&a->be, &same->be), -EINVAL);
	CHECK_EQ(t, ttmpool_to_anonymous(&a->be), 0);
	CHECK_EQ(t, ttmpool_handover(&a->be, &longer->be), -EINVAL);
	CHECK_EQ(t, ttmpool_handover(&a->be, &full->be), -EINVAL);
	CHECK_EQ(t, ttmpool_handover(&a->be, &a->be), -EINVAL);
	CHECK(t, buffer_is_stamped(t, a, 1));
	CHECK_EQ(t, ttmpool_handover(&a->be, &same->be), 0);
	CHECK_EQ(t, ttmpool_drop(&same->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&full->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(anonymous, CHECK_CASE(s08_plain_pages_are_insertable),
	    CHECK_CASE(s12_plain_buffers_move_in_place),
	    CHECK_CASE(s12_a_move_in_place_is_one_batch),
	    CHECK_CASE(s12_coherent_buffers_are_copied),
	    CHECK_CASE(s12_an_anonymous_buffer_can_be_swapped_out),
	    CHECK_CASE(s12_a_buffer_without_addresses_is_not_mapped),
	    CHECK_CASE(s12_a_coherent_buffer_without_addresses_comes_back),
	    CHECK_CASE(s12_no_ordinary_page_is_left_in_a_coherent_buffer),
	    CHECK_CASE(s12_a_buffer_is_handed_from_device_to_device),
	    CHECK_CASE(s12_a_hand_over_moves_the_accounts),
	    CHECK_CASE(s12_a_hand_over_that_does_not_fit_is_refused));
