// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages of a real system: which node and which addresses they have, and that no other
 * page is taken for one of ours.
 */

#include <linux/dma-mapping.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "batch.h"
#include "rig_buffer.h"
#include "ttmpool_system.h"

/* The first page leads to the chunk, and no other page does. */
static void only_the_first_page_leads_to_the_chunk(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct page *page;

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 3));
	page = batch->all[0].page;
	CHECK(t, tpos_page_chunk(batch->dev, page) == &batch->all[0]);
	for (int i = 1; i < 8; i++)
		CHECK(t, !tpos_page_chunk(batch->dev, tpos_page_nth(page, i)));
	batch_free(batch);
	CHECK(t, !tpos_page_chunk(batch->dev, page));
}

/* Any page of a large chunk can lead to a part of it, and no page leads anywhere after it
 * was freed, in whatever parts. */
static void each_page_has_room_for_a_part(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *half;
	struct page *page;

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 8));
	page = batch->all[0].page;
	half = &batch->all[1];
	*half = batch->all[0];
	half->order--;
	tpos_pages_split(batch->dev, &batch->all[0], half);
	for (int i = 128; i < 256; i++)
		CHECK(t, !tpos_page_chunk(batch->dev, tpos_page_nth(page, i)));
	tpos_page_set_chunk(half->page, half);
	ttmpool_list_add_tail(&half->link, &batch->chunks);
	CHECK(t, tpos_page_chunk(batch->dev, page) == &batch->all[0]);
	CHECK(t, tpos_page_chunk(batch->dev, tpos_page_nth(page, 128)) == half);
	batch_free(batch);
	for (int i = 0; i < 256; i++)
		CHECK(t, !tpos_page_chunk(batch->dev, tpos_page_nth(page, i)));
}

/* Whatever a caller passes instead of a page, no chunk is found, and the lookup is
 * safe. */
static void what_is_no_page_is_no_chunk(struct check *t)
{
	void *slab = check_zalloc(t, 64);
	struct page *page = check_page_of_system(t);
	void *wrong[] = { NULL,
			  (void *)8,
			  (void *)-1L,
			  (void *)0x5a5a5a5a5a5a5a5aUL,
			  &slab,
			  slab,
			  (char *)page + 8,
			  page,
			  virt_to_page(slab),
			  ZERO_PAGE(0),
			  pfn_to_page(0),
			  pfn_to_page(1UL << 40) };

	CHECK(t, slab && page);
	for (int i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK(t, !tpos_page_chunk(NULL, wrong[i]));
}

/* All bytes of fresh pages are zero, at every order and from both sources, though the
 * memory was written before. */
static void fresh_pages_are_zero(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	for (int i = 0; i < 2 * 2 * 8; i++) {
		enum ttmpool_source source = i % 2;
		struct ttmpool_chunk *chunk = &batch->all[0];
		size_t size = PAGE_SIZE << (i / 4);

		if (!batch_has(batch, source, i / 4))
			continue;
		CHECK(t, batch_add(batch, source, i / 4));
		CHECK(t, !memchr_inv(page_address(chunk->page), 0, size));
		memset(page_address(chunk->page), 0xa5, size);
		batch_free(batch);
	}
}

/* Clearing a chunk clears every byte, whatever its caching. */
static void clearing_reaches_every_byte(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	for (int i = 0; i < TTMPOOL_SOURCE_COUNT * TTMPOOL_CACHING_COUNT; i++) {
		struct ttmpool_chunk *chunk = &batch->all[0];
		size_t size = PAGE_SIZE << 5;

		if (!batch_has(batch, i % TTMPOOL_SOURCE_COUNT, 5))
			continue;
		CHECK(t, batch_add(batch, i % TTMPOOL_SOURCE_COUNT, 5));
		CHECK_EQ(t,
			 tpos_caching_set(batch->dev, &batch->chunks,
					  i / TTMPOOL_SOURCE_COUNT),
			 0);
		memset(page_address(chunk->page), 0xa5, size);
		tpos_pages_clear(batch->dev, &batch->chunks);
		CHECK(t, !memchr_inv(page_address(chunk->page), 0, size));
		CHECK_EQ(t,
			 tpos_caching_set(batch->dev, &batch->chunks,
					  TTMPOOL_CACHED),
			 0);
		batch_free(batch);
	}
}

/* The DMA API lets the port flush pages, also of a large chunk, and also of one that is
 * mapped for its device meanwhile; no byte changes. */
static void a_flush_leaves_every_byte(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk;

	CHECK(t, batch && batch_add(batch, TTMPOOL_PLAIN, 5));
	chunk = &batch->all[0];
	memset(page_address(chunk->page), 0xa5, PAGE_SIZE << 5);
	CHECK(t, ttmpool_flush_pages(chunk->page, 32));
	CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
	CHECK(t, ttmpool_flush_pages(chunk->page, 32));
	tpos_dma_unmap(batch->dev, &batch->chunks, false);
	CHECK(t, !memchr_inv(page_address(chunk->page), 0xa5, PAGE_SIZE << 5));
	batch_free(batch);
}

/* Replace the second pool of the rig by another one. */
static bool reopen_pool(struct rig *rig, const struct ttmpool_pool_config *as)
{
	return !ttmpool_pool_fini(&rig->pool[1]) &&
	       !ttmpool_pool_init(&rig->pool[1], &rig->mgr, as);
}

static struct buffer *wc_buffer(struct check *t, struct rig *rig, int pool,
				const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = pool,
					 .num_pages = 300,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

static bool addresses_fit(struct buffer *buf, unsigned int bits)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (buf->dma_addr[i] + PAGE_SIZE - 1 > DMA_BIT_MASK(bits))
			return false;
	return true;
}

/* A device of 28 bits, or as few as are possible, and one of 64 bits each get addresses
 * that they can emit, and see what the CPU writes. */
static void two_masks_side_by_side(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct ttmpool_pool_config config = { .name = "narrow" };
	unsigned int bits = check_mask_bits(t, 28);
	struct buffer *bufs[2];

	CHECK(t, rig);
	config.dev = check_device(t, 1, bits);
	CHECK(t, reopen_pool(rig, &config));
	for (int i = 0; i < 2; i++) {
		bufs[i] = wc_buffer(t, rig, i, NULL);
		CHECK(t, bufs[i]);
		CHECK_EQ(t, ttmpool_populate(&bufs[i]->be), 0);
		CHECK(t, buffer_fill(t, bufs[i], 0x17 + i));
	}
	CHECK(t, addresses_fit(bufs[0], 64));
	CHECK(t, addresses_fit(bufs[1], bits));
	for (int i = 0; i < 2; i++) {
		CHECK(t, check_device_holds(t, rig->dev[i],
					    bufs[i]->dma_addr[299], 0x17 + i));
		CHECK_EQ(t, ttmpool_unpopulate(&bufs[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
	check_device(t, 1, 64);
}

/* A pool of a node hands out pages of that node while it has any. */
static void a_pool_keeps_to_its_node(struct check *t)
{
	struct ttmpool_pool_config config = { .name = "node-1", .node = 1 };
	struct buffer *buf;
	struct rig *rig;

	if (num_online_nodes() < 2) {
		check_skip(t, "one node");
		return;
	}
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	CHECK(t, rig);
	config.dev = rig->dev[1];
	CHECK(t, reopen_pool(rig, &config));
	buf = wc_buffer(t, rig, 1, &ttmpool_backend_plain);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	for (int i = 0; i < 300; i++)
		CHECK_EQ(t, page_to_nid(buf->pages[i]), 1);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

static gfp_t gfp_of(unsigned int flags)
{
	return ttmpool_alloc_gfp(&(struct tpos_alloc){ .flags = flags });
}

/* Each effort is translated to the kernel's flags: no process is killed unless the
 * request says so, and not even then for a chunk that a smaller one can replace; and a
 * request that does not wait only wakes kswapd. */
static void efforts_are_what_the_kernel_calls_them(struct check *t)
{
	gfp_t may_kill = gfp_of(TPOS_ALLOC_OOM_KILL);
	gfp_t no_wait = gfp_of(TPOS_ALLOC_NO_WAIT);

	CHECK(t, gfp_of(0) & __GFP_RETRY_MAYFAIL);
	CHECK(t, !(may_kill & (__GFP_RETRY_MAYFAIL | __GFP_NORETRY)));
	CHECK(t, may_kill & __GFP_DIRECT_RECLAIM);
	CHECK(t,
	      gfp_of(TPOS_ALLOC_OOM_KILL | TPOS_ALLOC_LIGHT) & __GFP_NORETRY);
	CHECK(t, !(no_wait & __GFP_DIRECT_RECLAIM));
	CHECK(t, no_wait & __GFP_KSWAPD_RECLAIM);
	CHECK(t, !(gfp_of(TPOS_ALLOC_NO_RECLAIM) & __GFP_RECLAIM));
}

/* The same holds for a descriptor and for the index of pages, but no process is ever
 * killed for these, and no smaller one would do. */
static void small_memory_is_had_with_the_same_effort(struct check *t)
{
	gfp_t all = ttmpool_small_gfp(TPOS_ALLOC_OOM_KILL | TPOS_ALLOC_LIGHT |
				      TPOS_ALLOC_DMA32);

	CHECK(t, all == ttmpool_small_gfp(0));
	CHECK(t, all & __GFP_DIRECT_RECLAIM);
	CHECK(t, all & __GFP_RETRY_MAYFAIL);
	CHECK(t, ttmpool_small_gfp(TPOS_ALLOC_NO_WAIT) ==
			 gfp_of(TPOS_ALLOC_NO_WAIT));
	CHECK(t, ttmpool_small_gfp(TPOS_ALLOC_NO_RECLAIM) ==
			 gfp_of(TPOS_ALLOC_NO_RECLAIM));
}

/* A coherent page has no bounce slot, whatever its address is: an encrypted guest
 * decrypts it for the device, which changes the address. */
static void a_coherent_page_does_not_bounce(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0];
	struct tpos_dma was;

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_COHERENT, 0));
	was = chunk->dma;
	chunk->flags |= TTMPOOL_CHUNK_FROM_COHERENT;
	chunk->dma.addr ^= 1ULL << 47;
	CHECK(t, !tpos_dma_bounces(batch->dev, chunk));
	chunk->dma = was;
	batch_free(batch);
}

CHECK_SUITE(linux_pages, CHECK_CASE(efforts_are_what_the_kernel_calls_them),
	    CHECK_CASE(small_memory_is_had_with_the_same_effort),
	    CHECK_CASE(a_coherent_page_does_not_bounce),
	    CHECK_CASE(only_the_first_page_leads_to_the_chunk),
	    CHECK_CASE(each_page_has_room_for_a_part),
	    CHECK_CASE(what_is_no_page_is_no_chunk),
	    CHECK_CASE(fresh_pages_are_zero),
	    CHECK_CASE(clearing_reaches_every_byte),
	    CHECK_CASE(a_flush_leaves_every_byte),
	    CHECK_CASE(two_masks_side_by_side),
	    CHECK_CASE(a_pool_keeps_to_its_node));
