// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The store and a real swap device: where contents are after reclaim has sent them there,
 * and that they come back. These cases need a machine with swap.
 */

#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>

#include "batch.h"
#include "ttmpool_system.h"

/* 16 MiB: many more pages than the swap slots that each CPU reserves. */
#define CHUNKS 8
#define ORDER  9
#define PAGES  (1 << ORDER)

static bool has_swap(struct check *t)
{
	if (get_nr_swap_pages() > 2 * CHUNKS * PAGES)
		return true;
	check_skip(t, "no swap device");
	return false;
}

static bool add_chunks(struct batch *batch)
{
	for (int i = 0; i < CHUNKS; i++)
		if (!batch_add(batch, TTMPOOL_PLAIN, ORDER))
			return false;
	return true;
}

static u64 *page_words(struct batch *batch, int page)
{
	return page_address(
		tpos_page_nth(batch->all[page / PAGES].page, page % PAGES));
}

/* Give each page different contents. */
static void mark_all(struct batch *batch)
{
	for (int page = 0; page < CHUNKS * PAGES; page++)
		for (int w = 0; w < PAGE_SIZE / sizeof(u64); w++)
			page_words(batch, page)[w] =
				(page * 512ULL + w) * 0x9e3779b97f4a7c15ULL;
}

static bool all_marked(struct batch *batch)
{
	for (int page = 0; page < CHUNKS * PAGES; page++)
		for (int w = 0; w < PAGE_SIZE / sizeof(u64); w++)
			if (page_words(batch, page)[w] !=
			    (page * 512ULL + w) * 0x9e3779b97f4a7c15ULL)
				return false;
	return true;
}

static int move_all(struct batch *batch, tpos_store_t *store,
		    int (*move)(tpos_store_t *store, size_t index,
				const struct tpos_span *span))
{
	for (int i = 0; i < CHUNKS; i++) {
		struct tpos_span span = { .chunk = &batch->all[i],
					  .pages = PAGES };
		int err = move(store, i * PAGES, &span);

		if (err)
			return err;
	}
	return 0;
}

/* Act as kswapd when it calls a shrinker: this flag identifies it
 * (current_is_kswapd()). */
static unsigned int be_kswapd(void)
{
	unsigned int flags = memalloc_noreclaim_save();

	current->flags |= PF_KSWAPD;
	return flags;
}

static void be_kswapd_no_more(unsigned int flags)
{
	current->flags &= ~PF_KSWAPD;
	memalloc_noreclaim_restore(flags);
}

static int store_write_as_kswapd(tpos_store_t *store, size_t index,
				 const struct tpos_span *span)
{
	unsigned int flags = be_kswapd();
	int err = tpos_store_write(store, index, span);

	be_kswapd_no_more(flags);
	return err;
}

/* Act as a thread in direct reclaim. */
static int store_write_in_reclaim(tpos_store_t *store, size_t index,
				  const struct tpos_span *span)
{
	unsigned int flags = memalloc_noreclaim_save();
	int err = tpos_store_write(store, index, span);

	memalloc_noreclaim_restore(flags);
	return err;
}

/* What is stored for kswapd is on the swap device, not just in other pages, and comes
 * back unchanged. */
static void kswapd_writes_to_the_swap_device(struct check *t)
{
	struct batch *batch = batch_open(t);
	tpos_store_t *store;
	long before;

	if (!has_swap(t))
		return;
	CHECK(t, batch);
	CHECK(t, add_chunks(batch));
	mark_all(batch);
	CHECK_EQ(t, tpos_store_create(t->system, CHUNKS * PAGES, &store), 0);
	before = get_nr_swap_pages();
	CHECK_EQ(t, move_all(batch, store, store_write_as_kswapd), 0);
	CHECK(t, before - get_nr_swap_pages() > CHUNKS * PAGES / 2);
	batch_free(batch);
	batch_squeeze();
	CHECK(t, add_chunks(batch));
	CHECK_EQ(t, move_all(batch, store, tpos_store_read), 0);
	CHECK(t, all_marked(batch));
	tpos_store_destroy(store);
	batch_free(batch);
}

/* A thread in direct reclaim does not write to a disk: what it stores is in memory, where
 * the kernel finds it, until another thread writes it. */
static void s11_direct_reclaim_does_not_write_back(struct check *t)
{
	struct batch *batch = batch_open(t);
	tpos_store_t *store;
	long before;

	if (!has_swap(t))
		return;
	CHECK(t, batch);
	CHECK(t, add_chunks(batch));
	CHECK_EQ(t, tpos_store_create(t->system, CHUNKS * PAGES, &store), 0);
	before = get_nr_swap_pages();
	CHECK_EQ(t, move_all(batch, store, store_write_in_reclaim), 0);
	CHECK(t, before - get_nr_swap_pages() < CHUNKS * PAGES / 2);
	tpos_store_destroy(store);
	batch_free(batch);
}

/* Have the store take over all pages, as kswapd, whatever else is free. */
static int adopt_all_as_kswapd(struct batch *batch, tpos_store_t *store)
{
	unsigned int flags = be_kswapd();
	int err = 0;

	for (int i = 0; i < CHUNKS && !err; i++)
		err = batch_adopt(batch, store, i * PAGES, &batch->all[i]);
	be_kswapd_no_more(flags);
	return err;
}

/* Pages that the store takes over for kswapd also go to the swap device. They are the
 * buffer's own pages; the contents have to come back from the device. */
static void adopted_pages_go_to_the_swap_device(struct check *t)
{
	struct batch *batch = batch_open(t);
	tpos_store_t *store;
	long before;

	if (!has_swap(t))
		return;
	CHECK(t, batch);
	CHECK(t, add_chunks(batch));
	mark_all(batch);
	CHECK_EQ(t, tpos_store_create(t->system, CHUNKS * PAGES, &store), 0);
	before = get_nr_swap_pages();
	CHECK_EQ(t, adopt_all_as_kswapd(batch, store), 0);
	CHECK(t, before - get_nr_swap_pages() > CHUNKS * PAGES / 2);
	CHECK_EQ(t, (long)check_pages_out(t), 0);
	ttmpool_list_init(&batch->chunks);
	batch->n = 0;
	batch_squeeze();
	CHECK(t, add_chunks(batch));
	CHECK_EQ(t, move_all(batch, store, tpos_store_read), 0);
	CHECK(t, all_marked(batch));
	tpos_store_destroy(store);
	batch_free(batch);
}

/* Dropping contents frees what they occupy on the swap device. */
static void what_is_dropped_leaves_the_swap_device(struct check *t)
{
	struct batch *batch = batch_open(t);
	tpos_store_t *store;
	long full;

	if (!has_swap(t))
		return;
	CHECK(t, batch);
	CHECK(t, add_chunks(batch));
	CHECK_EQ(t, tpos_store_create(t->system, CHUNKS * PAGES, &store), 0);
	CHECK_EQ(t, move_all(batch, store, store_write_as_kswapd), 0);
	full = get_nr_swap_pages();
	tpos_store_drop(store, 0, CHUNKS * PAGES);
	CHECK(t, get_nr_swap_pages() - full > CHUNKS * PAGES / 2);
	tpos_store_destroy(store);
	batch_free(batch);
}

CHECK_SUITE(linux_swap, CHECK_CASE(kswapd_writes_to_the_swap_device),
	    CHECK_CASE(s11_direct_reclaim_does_not_write_back),
	    CHECK_CASE(adopted_pages_go_to_the_swap_device),
	    CHECK_CASE(what_is_dropped_leaves_the_swap_device));
