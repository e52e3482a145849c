// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How many blocks of 2 MiB are free after large chunks have gone to the store, in
 * unfragmented and in fragmented memory. The numbers are those of /proc/buddyinfo;
 * docs/anonymous.md has the table.
 */

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/swap.h>

#include "batch.h"
#include "ttmpool_system.h"

#define CHUNKS 8
#define ORDER  9
#define PAGES  (1 << ORDER)

/* How a chunk leaves. */
enum way {
	IN_PAGES, /* page by page, each taken over */
	COPIED,   /* copied, and freed as a whole */
	CHOSEN,   /* as the port chooses */
};

static const char *const way_names[] = { "in pages", "copied", "chosen" };

/* Where the contents are: in no store yet, in its memory, and half or all of them on the
 * swap device. */
enum stage {
	BEFORE,
	IN_MEMORY,
	HALF_OUT,
	OUT,
	STAGES
};

/**
 * struct scene - chunks, and a store to put them away in
 * @batch: the chunks, until they are put away
 * @store: where they go
 * @held: pages that are held so that nobody else gets them
 * @blocks: the number of free blocks at each stage
 */
struct scene {
	struct batch *batch;
	tpos_store_t *store;
	struct list_head held;
	unsigned long blocks[STAGES];
};

static unsigned long zone_blocks(struct zone *zone)
{
	unsigned long blocks = 0;

	for (int order = ORDER; order < ARRAY_SIZE(zone->free_area); order++)
		blocks += READ_ONCE(zone->free_area[order].nr_free)
			  << (order - ORDER);
	return blocks;
}

static unsigned long free_blocks(void)
{
	unsigned long blocks = 0;
	int nid;

	for_each_online_node(nid)
		for (int i = 0; i < MAX_NR_ZONES; i++)
			blocks += zone_blocks(&NODE_DATA(nid)->node_zones[i]);
	return blocks;
}

static void let_go(struct list_head *held)
{
	struct page *page, *after;

	list_for_each_entry_safe(page, after, held, lru)
	{
		list_del(&page->lru);
		__free_page(page);
	}
}

/* Take free and reclaimable pages, as programs would, until @pages more pages are on the
 * swap device, or there is nothing left to take. */
static void take_until_out(struct list_head *held, long pages)
{
	long until = get_nr_swap_pages() - pages;

	while (get_nr_swap_pages() > until) {
		struct page *page = alloc_page(GFP_HIGHUSER_MOVABLE |
					       __GFP_NORETRY | __GFP_NOWARN);

		if (!page)
			break;
		list_add(&page->lru, held);
		cond_resched();
	}
}

/* Leave only every second one of all pages free: no single page can be merged with its
 * neighbour. */
static void break_into_pieces(struct list_head *held)
{
	struct page *page, *after;
	LIST_HEAD(even);

	take_until_out(held, LONG_MAX / 2);
	list_for_each_entry_safe(page, after, held,
				 lru) if (!(page_to_pfn(page) & 1))
		list_move(&page->lru, &even);
	let_go(&even);
}

static u64 *page_words(struct batch *batch, int page)
{
	return page_address(
		tpos_page_nth(batch->all[page / PAGES].page, page % PAGES));
}

static u64 word(int page, int w)
{
	return (page * 512ULL + w) * 0x9e3779b97f4a7c15ULL;
}

static void mark_all(struct batch *batch)
{
	for (int page = 0; page < CHUNKS * PAGES; page++)
		for (int w = 0; w < PAGE_SIZE / sizeof(u64); w++)
			page_words(batch, page)[w] = word(page, w);
}

static bool all_marked(struct batch *batch)
{
	for (int page = 0; page < CHUNKS * PAGES; page++)
		for (int w = 0; w < PAGE_SIZE / sizeof(u64); w++)
			if (page_words(batch, page)[w] != word(page, w))
				return false;
	return true;
}

static bool add_chunks(struct batch *batch)
{
	for (int i = 0; i < CHUNKS; i++)
		if (!batch_add(batch, TTMPOOL_PLAIN, ORDER))
			return false;
	return true;
}

static int copy(struct scene *scene, size_t index, struct ttmpool_chunk *chunk)
{
	struct tpos_span all = { .chunk = chunk, .pages = PAGES };
	struct ttmpool_list alone;
	int err = tpos_store_write(scene->store, index, &all);

	if (err)
		return err;
	ttmpool_list_init(&alone);
	ttmpool_list_add_tail(&chunk->link, &alone);
	tpos_pages_free(scene->batch->dev, &alone);
	return 0;
}

static int put_away(struct scene *scene, size_t index,
		    struct ttmpool_chunk *chunk, enum way way)
{
	int err = -EOPNOTSUPP;

	ttmpool_list_del(&chunk->link);
	if (way == IN_PAGES)
		return batch_adopt(scene->batch, scene->store, index, chunk);
	if (way == CHOSEN)
		err = tpos_store_adopt(scene->store, index, chunk);
	return err == -EOPNOTSUPP ? copy(scene, index, chunk) : err;
}

/* Count the free blocks while the chunks are put away and then written out. */
static int play(struct scene *scene, enum way way)
{
	LIST_HEAD(taken);

	scene->blocks[BEFORE] = free_blocks();
	for (int i = 0; i < CHUNKS; i++) {
		int err =
			put_away(scene, i * PAGES, &scene->batch->all[i], way);

		if (err)
			return err;
	}
	scene->batch->n = 0;
	scene->blocks[IN_MEMORY] = free_blocks();
	take_until_out(&taken, CHUNKS * PAGES / 2);
	let_go(&taken);
	scene->blocks[HALF_OUT] = free_blocks();
	take_until_out(&taken, LONG_MAX / 2);
	let_go(&taken);
	scene->blocks[OUT] = free_blocks();
	return 0;
}

static int act(struct check *t, struct scene *scene, bool pieces, enum way way)
{
	int err = tpos_store_create(t->system, CHUNKS * PAGES, &scene->store);

	if (err)
		return err;
	if (!add_chunks(scene->batch))
		return -ENOMEM;
	mark_all(scene->batch);
	INIT_LIST_HEAD(&scene->held);
	if (pieces)
		break_into_pieces(&scene->held);
	err = play(scene, way);
	let_go(&scene->held);
	pr_info("# blocks: %s, %s: %lu %lu %lu %lu\n",
		pieces ? "in pieces" : "whole", way_names[way],
		scene->blocks[BEFORE], scene->blocks[IN_MEMORY],
		scene->blocks[HALF_OUT], scene->blocks[OUT]);
	return err;
}

static bool comes_back(struct scene *scene)
{
	bool good = add_chunks(scene->batch);

	for (int i = 0; i < CHUNKS && good; i++) {
		struct tpos_span span = { .chunk = &scene->batch->all[i],
					  .pages = PAGES };

		good = !tpos_store_read(scene->store, i * PAGES, &span);
	}
	good = good && all_marked(scene->batch);
	batch_free(scene->batch);
	tpos_store_destroy(scene->store);
	return good;
}

static bool is_small_with_swap(struct check *t)
{
	if (get_nr_swap_pages() > 4 * CHUNKS * PAGES)
		return true;
	check_skip(t, "no swap device");
	return false;
}

/* Put the chunks away in each way, and bring them back. */
static bool act_all(struct check *t, struct scene *scenes, bool pieces)
{
	for (enum way way = IN_PAGES; way <= CHOSEN; way++) {
		scenes[way].batch = batch_open(t);
		if (!scenes[way].batch || act(t, &scenes[way], pieces, way) ||
		    !comes_back(&scenes[way]))
			return false;
	}
	return true;
}

static long gained(const struct scene *scene, enum stage stage)
{
	return (long)(scene->blocks[stage] - scene->blocks[BEFORE]);
}

/* In fragmented memory, most chunks that go to the store free a block at once, which they
 * would not if they went page by page; and every byte comes back. */
static void chunks_leave_blocks_where_memory_is_in_pieces(struct check *t)
{
	struct scene scenes[CHOSEN + 1] = {};

	if (!is_small_with_swap(t))
		return;
	batch_squeeze();
	CHECK(t, act_all(t, scenes, true));
	CHECK(t, gained(&scenes[CHOSEN], IN_MEMORY) >= CHUNKS / 2);
	CHECK(t, gained(&scenes[CHOSEN], IN_MEMORY) >
			 gained(&scenes[IN_PAGES], IN_MEMORY));
}

/* In unfragmented memory, the chunks take no free block; and every byte comes back. */
static void chunks_take_no_block_where_memory_is_whole(struct check *t)
{
	struct scene scenes[CHOSEN + 1] = {};

	if (!is_small_with_swap(t))
		return;
	batch_squeeze();
	CHECK(t, act_all(t, scenes, false));
	CHECK(t, gained(&scenes[CHOSEN], IN_MEMORY) >= -1);
}

CHECK_SUITE(linux_blocks,
	    CHECK_CASE(chunks_leave_blocks_where_memory_is_in_pieces),
	    CHECK_CASE(chunks_take_no_block_where_memory_is_whole));
