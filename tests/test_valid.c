// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Invariants of buffers and of what moves: the checks find each corruption, and are
 * satisfied again when it is undone.
 */

#include "rig_buffer.h"

#define SEED 0x42

static struct buffer *cached_ready(struct check *t, struct rig *rig, size_t n)
{
	return buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_CACHED },
		SEED);
}

static struct ttmpool_chunk *chunk_of(struct buffer *buf)
{
	return tpos_page_chunk(buf->be.pool->dev, buf->pages[0]);
}

/* Is the pool valid, and invalid while these flag bits are turned? */
static bool is_noticed(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk,
		       unsigned int flags)
{
	bool noticed = ttmpool_pool_is_valid(pool);

	chunk->flags ^= (uint8_t)flags;
	noticed &= !ttmpool_pool_is_valid(pool);
	chunk->flags ^= (uint8_t)flags;
	return noticed && ttmpool_pool_is_valid(pool);
}

/* A chunk with a wrong flag or caching for an anonymous one is not valid. */
static void s12_no_chunk_passes_for_anonymous(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunk;
	struct buffer *buf;

	CHECK(t, rig);
	buf = cached_ready(t, rig, 1);
	CHECK(t, buf);
	chunk = chunk_of(buf);
	CHECK(t, is_noticed(&rig->pool[0], chunk, TTMPOOL_CHUNK_ANONYMOUS));
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK(t, is_noticed(&rig->pool[0], chunk, TTMPOOL_CHUNK_ANONYMOUS));
	CHECK(t, is_noticed(&rig->pool[0], chunk, TTMPOOL_CHUNK_FROM_COHERENT));
	chunk->caching = TTMPOOL_UNCACHED;
	CHECK(t, !ttmpool_pool_is_valid(&rig->pool[0]));
	chunk->caching = TTMPOOL_CACHED;
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A pooled chunk with the anonymous flag is not valid. */
static void s12_no_free_chunk_passes_for_anonymous(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunk;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	chunk = chunk_of(buf);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, is_noticed(&rig->pool[0], chunk, TTMPOOL_CHUNK_ANONYMOUS));
	CHECK(t, rig_close(t, rig));
}

/* Is the manager invalid when one is added to the counter? */
static bool is_counted(struct rig *rig, uint64_t *counter)
{
	bool noticed;

	(*counter)++;
	noticed = !ttmpool_manager_is_valid(&rig->mgr);
	(*counter)--;
	return noticed && ttmpool_manager_is_valid(&rig->mgr);
}

static bool is_summed(struct rig *rig, tpos_atomic_t *sum, long by)
{
	bool noticed;

	tpos_atomic_add_return(by, sum);
	noticed = !ttmpool_manager_is_valid(&rig->mgr);
	tpos_atomic_add_return(-by, sum);
	return noticed && ttmpool_manager_is_valid(&rig->mgr);
}

/* Is it noticed when a buffer on the list has a wrong page count, or is on the list of
 * buffers without pages though it has some? */
static bool is_listed(struct rig *rig, struct ttmpool_backend *be)
{
	struct ttmpool_lru *lru = &rig->mgr.lru;
	size_t pages = be->lru_pages;
	bool noticed;

	be->lru_pages = 0;
	noticed = !ttmpool_manager_is_valid(&rig->mgr);
	be->lru_pages = pages;
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, &lru->others);
	noticed &= !ttmpool_manager_is_valid(&rig->mgr);
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, &lru->victims);
	noticed &= !ttmpool_manager_is_valid(&rig->mgr);
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, &lru->buffers);
	return noticed && ttmpool_manager_is_valid(&rig->mgr);
}

/* Is it noticed when a buffer on the list of those that nobody swaps out is said to be
 * swapped out, or is newer than the clock says? */
static bool is_dated(struct rig *rig, struct ttmpool_backend *be)
{
	bool noticed;

	be->lru_victim = true;
	noticed = !ttmpool_manager_is_valid(&rig->mgr);
	be->lru_victim = false;
	be->lru_time++;
	noticed &= !ttmpool_manager_is_valid(&rig->mgr);
	be->lru_time--;
	return noticed && ttmpool_manager_is_valid(&rig->mgr);
}

/* The check finds every account that is not the sum of what it counts. */
static void s06_no_wrong_account_passes_for_valid(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats *stats;
	struct buffer *buf;

	CHECK(t, rig);
	stats = &rig->pool[0].stats;
	buf = cached_ready(t, rig, 5);
	CHECK(t, buf);
	CHECK(t, is_counted(rig, &stats->pages_bounced));
	CHECK(t, is_counted(rig, &stats->pages_anonymous));
	CHECK(t, is_counted(rig, &stats->pages_swapped));
	CHECK(t, is_summed(rig, &rig->mgr.pages_swapped, 1));
	CHECK(t, is_summed(rig, &rig->mgr.spare_on[1], 1));
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
	CHECK(t, is_summed(rig, &rig->mgr.lru.pages, 1));
	rig->mgr.lru.pages_leaving++;
	CHECK(t, !ttmpool_manager_is_valid(&rig->mgr));
	rig->mgr.lru.pages_leaving--;
	CHECK(t, is_listed(rig, &buf->be));
	CHECK(t, is_dated(rig, &buf->be));
	ttmpool_lru_remove(&buf->be);
	CHECK(t, is_summed(rig, &rig->pool[0].iova->pages, -5));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* An older buffer before a newer one in the list is noticed. */
static void s07_no_wrong_order_passes_for_valid(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf[2];

	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		buf[i] = cached_ready(t, rig, 5);
		CHECK(t, buf[i] && !ttmpool_lru_add(&buf[i]->be));
	}
	buf[0]->be.lru_time += 2;
	rig->mgr.lru.clock += 2;
	CHECK(t, !ttmpool_manager_is_valid(&rig->mgr));
	buf[1]->be.lru_time++;
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	for (int i = 0; i < 2; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A backend that disagrees with its arrays or its store is not valid. */
static void s07_no_wrong_backend_passes_for_valid(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	tpos_store_t *store;
	tpos_page_t *page;

	CHECK(t, rig);
	buf = cached_ready(t, rig, 5);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK(t, ttmpool_backend_is_valid(&buf->be));
	buf->dma_addr[4] = 1;
	CHECK(t, !ttmpool_backend_is_valid(&buf->be));
	buf->dma_addr[4] = 0;
	page = buf->pages[4];
	buf->pages[4] = NULL;
	CHECK(t, !ttmpool_backend_is_valid(&buf->be));
	buf->pages[4] = page;
	buf->be.edge = 6;
	CHECK(t, !ttmpool_backend_is_valid(&buf->be));
	buf->be.edge = 0;
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	buf->be.edge++;
	CHECK(t, !ttmpool_backend_is_valid(&buf->be));
	buf->be.edge--;
	buf->be.pages_stored++;
	CHECK(t, !ttmpool_backend_is_valid(&buf->be));
	buf->be.pages_stored--;
	store = buf->be.store;
	buf->be.store = NULL;
	CHECK(t, !ttmpool_backend_is_valid(&buf->be));
	buf->be.store = store;
	CHECK(t, ttmpool_backend_is_valid(&buf->be));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A changed array is refused while the buffer is partly swapped out, too, and nothing is
 * lost. */
static void s07_a_changed_array_is_refused_half_way(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	tpos_page_t *was;

	CHECK(t, rig);
	buf = cached_ready(t, rig, 5); /* 4 and 1 */
	CHECK(t, buf);
	CHECK(t, buffer_stamp(t, buf, 9));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	was = buf->pages[4];
	buf->pages[4] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), -EINVAL);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), -EINVAL);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	buf->pages[4] = was;
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, buffer_is_stamped(t, buf, 9));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A swapout does not look at the array beyond the pages that leave: it neither fails nor
 * uses a wrong entry there. */
static void s07_an_array_is_not_believed_beyond_what_leaves(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	tpos_page_t *was;

	CHECK(t, rig);
	buf = cached_ready(t, rig, 5); /* 4 and 1 */
	CHECK(t, buf);
	CHECK(t, buffer_stamp(t, buf, 9));
	was = buf->pages[4];
	buf->pages[4] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, buf->be.pages_stored, 4);
	buf->pages[4] = was;
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, buffer_is_stamped(t, buf, 9));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* An array with a hole, or with the page of a chunk that is larger than the rest of the
 * array, is refused. */
static void s07_an_array_that_does_not_add_up_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf, *large;
	tpos_page_t *was;

	CHECK(t, rig);
	buf = cached_ready(t, rig, 5); /* 4 and 1 */
	large = cached_ready(t, rig, 4);
	CHECK(t, buf && large);
	was = buf->pages[4];
	for (int i = 0; i < 2; i++) {
		buf->pages[4] = i ? large->pages[0] : NULL;
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES),
			 -EINVAL);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, rig_is_quiet(t, rig));
	}
	buf->pages[4] = was;
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&large->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A changed array of a coherent buffer cannot become anonymous, and one of an anonymous
 * buffer cannot be handed over. */
static void s12_a_changed_array_is_not_moved(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct buffer_config config = { .num_pages = 5,
					.funcs = &buffer_coherent };
	struct buffer *a, *b;
	tpos_page_t *was;

	CHECK(t, rig);
	a = buffer_open(t, rig, &config);
	config.pool = 1;
	b = buffer_open(t, rig, &config);
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_populate(&a->be), 0);
	was = a->pages[4];
	a->pages[4] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_to_anonymous(&a->be), -EINVAL);
	CHECK_EQ(t, a->be.tt.state, TTMPOOL_TT_POPULATED);
	a->pages[4] = was;
	CHECK_EQ(t, ttmpool_to_anonymous(&a->be), 0);
	was = a->pages[4];
	a->pages[4] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_handover(&a->be, &b->be), -EINVAL);
	CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_EMPTY);
	a->pages[4] = was;
	CHECK_EQ(t, ttmpool_drop(&a->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A handover between two managers is refused: each has its own budgets. */
static void s12_no_hand_over_between_managers(struct check *t)
{
	struct rig *one = rig_open(t, &(struct rig_config){ 0 });
	struct rig *two = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *a, *b;

	CHECK(t, one && two);
	a = cached_ready(t, one, 2);
	b = buffer_open(t, two, &(struct buffer_config){ .num_pages = 2 });
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_to_anonymous(&a->be), 0);
	CHECK_EQ(t, ttmpool_handover(&a->be, &b->be), -EINVAL);
	CHECK_EQ(t, ttmpool_drop(&a->be), 0);
	CHECK(t, rig_close(t, two));
	CHECK(t, rig_close(t, one));
}

/* An anonymous buffer of four pages, which will be pooled. */
static struct buffer *anonymous_and_recycled(struct check *t, struct rig **rig)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer_config config = { .num_pages = 4,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;

	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	*rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	buf = *rig ? buffer_open(t, *rig, &config) : NULL;
	if (!buf || ttmpool_populate(&buf->be) ||
	    ttmpool_to_anonymous(&buf->be))
		return NULL;
	return buf;
}

/* Are its pages pooled like any other chunk? */
static bool is_pooled(struct check *t, struct rig *rig)
{
	return rig_stats(rig).pages_pooled == 4 &&
	       rig_stats(rig).pages_anonymous == 0 && rig_is_quiet(t, rig);
}

/* The pages of an anonymous buffer that is dropped are pooled like any other chunk. */
static void s12_what_was_anonymous_is_pooled_like_any(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = anonymous_and_recycled(t, &rig);

	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, is_pooled(t, rig));
	CHECK(t, rig_close(t, rig));
}

/* They are pooled, too, if their array is given back instead of the buffer. */
static void s12_what_was_anonymous_may_come_back_in_an_array(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = anonymous_and_recycled(t, &rig);

	CHECK(t, buf);
	CHECK_EQ(
		t,
		ttmpool_pool_give(&rig->pool[0], buf->pages, 4, TTMPOOL_CACHED),
		0);
	memset(buf->pages, 0, 4 * sizeof(*buf->pages));
	buf->be.tt.state = TTMPOOL_TT_EMPTY;
	CHECK(t, is_pooled(t, rig));
	CHECK(t, rig_close(t, rig));
}

/* A buffer whose array was overwritten keeps its pages until the array is repaired. */
static void s09_an_overwritten_buffer_is_not_unpopulated(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_page_t *kept;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig, &(struct buffer_config){ .num_pages = 3 });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	kept = buf->pages[2];
	buf->pages[2] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), -EINVAL);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	buf->pages[2] = kept;
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(valid, CHECK_CASE(s12_no_chunk_passes_for_anonymous),
	    CHECK_CASE(s12_no_free_chunk_passes_for_anonymous),
	    CHECK_CASE(s06_no_wrong_account_passes_for_valid),
	    CHECK_CASE(s07_no_wrong_order_passes_for_valid),
	    CHECK_CASE(s07_no_wrong_backend_passes_for_valid),
	    CHECK_CASE(s07_a_changed_array_is_refused_half_way),
	    CHECK_CASE(s07_an_array_is_not_believed_beyond_what_leaves),
	    CHECK_CASE(s07_an_array_that_does_not_add_up_is_refused),
	    CHECK_CASE(s12_a_changed_array_is_not_moved),
	    CHECK_CASE(s12_no_hand_over_between_managers),
	    CHECK_CASE(s12_what_was_anonymous_is_pooled_like_any),
	    CHECK_CASE(s12_what_was_anonymous_may_come_back_in_an_array),
	    CHECK_CASE(s09_an_overwritten_buffer_is_not_unpopulated));
