// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The CPU's caches, for devices that may not see them: each operation writes back or
 * invalidates every page as the contract says (ttmpool/os.h), by calls of the kernel.
 *
 * tests/machine/test_machine_cache.c has the same operations on the simulated machine,
 * whose device reads old bytes if a page was left out. An emulator has no caches, so here
 * only the calls can be observed. A write-back page of a device that sees the caches
 * needs no such calls, because nothing bypasses the caches.
 */

#include <linux/dma-map-ops.h>
#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "batch.h"
#include "ttmpool_system.h"

#define ORDER     3
#define PAGES     (1 << ORDER)
#define ALL_PAGES ((1UL << PAGES) - 1)

/**
 * struct seen - the calls of one function of the kernel
 * @calls: how often it was called for some of the watched pages
 * @pages: a bit for each of these pages
 */
struct seen {
	atomic_t calls;
	unsigned long pages;
};

static phys_addr_t watched; /* the first watched page */
static struct seen for_device, for_cpu;

static void see(struct seen *seen, struct pt_regs *regs)
{
	phys_addr_t paddr = regs_get_kernel_argument(regs, 0);
	size_t size = regs_get_kernel_argument(regs, 1);

	if (paddr < watched || paddr >= watched + PAGES * PAGE_SIZE)
		return;
	atomic_inc(&seen->calls);
	for (size_t at = 0; at + PAGE_SIZE <= size; at += PAGE_SIZE)
		set_bit((paddr + at - watched) >> PAGE_SHIFT, &seen->pages);
}

static int see_for_device(struct kprobe *probe, struct pt_regs *regs)
{
	see(&for_device, regs);
	return 0;
}

static int see_for_cpu(struct kprobe *probe, struct pt_regs *regs)
{
	see(&for_cpu, regs);
	return 0;
}

/* The functions that write back, and that invalidate. */
static struct kprobe probes[] = {
	{ .symbol_name = "arch_sync_dma_for_device",
	  .pre_handler = see_for_device },
	{ .symbol_name = "arch_sync_dma_for_cpu", .pre_handler = see_for_cpu },
};

static void see_anew(void)
{
	for_device = (struct seen){};
	for_cpu = (struct seen){};
}

/**
 * struct bed - the objects of the operations
 * @batch: the watched chunk
 * @other: a chunk to copy from
 * @store: has as many pages
 */
struct bed {
	struct batch *batch;
	struct batch *other;
	tpos_store_t *store;
};

static struct tpos_span whole(struct batch *batch)
{
	return (struct tpos_span){ .chunk = &batch->all[0], .pages = PAGES };
}

static int do_clear(struct bed *bed)
{
	tpos_pages_clear(bed->batch->dev, &bed->batch->chunks);
	return 0;
}

static int do_copy(struct bed *bed)
{
	struct tpos_span to = whole(bed->batch), from = whole(bed->other);

	tpos_pages_copy(&to, &from);
	return 0;
}

static int do_read(struct bed *bed)
{
	struct tpos_span to = whole(bed->batch);

	return tpos_store_read(bed->store, 0, &to);
}

static int do_write(struct bed *bed)
{
	struct tpos_span from = whole(bed->batch);

	return tpos_store_write(bed->store, 0, &from);
}

static int do_sums(struct bed *bed)
{
	struct tpos_span page = { .chunk = &bed->batch->all[0], .pages = 1 };

	for (page.first = 0; page.first < PAGES; page.first++)
		tpos_page_sum(&page);
	return 0;
}

static int probes_place(void)
{
	int err = 0;

	for (int i = 0; i < ARRAY_SIZE(probes) && !err; i++) {
		probes[i].addr = NULL;
		probes[i].flags = 0;
		err = register_kprobe(&probes[i]);
	}
	return err;
}

static bool bed_open(struct check *t, struct bed *bed)
{
	bed->batch = batch_open(t);
	bed->other = batch_open(t);
	if (!bed->batch || !batch_add(bed->batch, TTMPOOL_PLAIN, ORDER) ||
	    !bed->other || !batch_add(bed->other, TTMPOOL_PLAIN, ORDER) ||
	    tpos_store_create(t->system, PAGES, &bed->store) || do_write(bed))
		return false;
	watched = page_to_phys(bed->batch->all[0].page);
	return !probes_place();
}

static void bed_close(struct bed *bed)
{
	for (int i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
	tpos_store_destroy(bed->store);
	batch_free(bed->batch);
	batch_free(bed->other);
}

static int map(struct bed *bed)
{
	int err = tpos_dma_map(bed->batch->dev, &bed->batch->chunks);

	if (!err)
		bed->batch->all[0].flags |= TTMPOOL_CHUNK_MAPPED;
	return err;
}

static void unmap(struct bed *bed)
{
	tpos_dma_unmap(bed->batch->dev, &bed->batch->chunks, false);
	bed->batch->all[0].flags &= ~TTMPOOL_CHUNK_MAPPED;
}

static int set_caching(struct bed *bed, enum ttmpool_caching caching)
{
	return tpos_caching_set(bed->batch->dev, &bed->batch->chunks, caching);
}

/* Is the memory accessed in a way that bypasses the caches? */
static bool is_looked_past(struct bed *bed, enum ttmpool_caching caching)
{
	return !dev_is_dma_coherent(bed->batch->dev) ||
	       caching != TTMPOOL_CACHED;
}

/* Make one operation on pages of every caching, mapped or not. Does @seen contain exactly
 * the pages that it has to? */
static bool is_seen(struct bed *bed, const char *name,
		    int (*operation)(struct bed *bed), struct seen *seen)
{
	bool good = true;

	for (int i = 0; good && i < 2 * TTMPOOL_CACHING_COUNT; i++) {
		enum ttmpool_caching caching = i % TTMPOOL_CACHING_COUNT;
		bool mapped = i >= TTMPOOL_CACHING_COUNT;
		unsigned long all = is_looked_past(bed, caching) ? ALL_PAGES
								 : 0;

		if (set_caching(bed, caching) || (mapped && map(bed)))
			return false;
		see_anew();
		good = !operation(bed) && seen->pages == all;
		pr_info("caches: %s, caching %d%s: %d for the device, %d for "
			"the CPU\n",
			name, caching, mapped ? ", mapped" : "",
			atomic_read(&for_device.calls),
			atomic_read(&for_cpu.calls));
		if (mapped)
			unmap(bed);
	}
	return !set_caching(bed, TTMPOOL_CACHED) && good;
}

/* An operation in which the CPU writes to a page writes it back. */
static void f22_what_is_written_is_written_back(struct check *t)
{
	struct bed bed;

	CHECK(t, bed_open(t, &bed));
	CHECK(t, is_seen(&bed, "clear", do_clear, &for_device));
	CHECK(t, is_seen(&bed, "copy", do_copy, &for_device));
	CHECK(t, is_seen(&bed, "store read", do_read, &for_device));
	bed_close(&bed);
}

/* The caches of a page are invalidated before the CPU reads what the device, or a mapping
 * that bypasses the caches, has written. */
static void f22_what_is_read_is_forgotten_before(struct check *t)
{
	struct bed bed;

	CHECK(t, bed_open(t, &bed));
	CHECK(t, is_seen(&bed, "store write", do_write, &for_cpu));
	CHECK(t, is_seen(&bed, "checksums", do_sums, &for_cpu));
	bed_close(&bed);
}

/* A map writes every page back, and an unmap invalidates them all. */
static void f22_a_mapping_has_two_ends(struct check *t)
{
	struct bed bed;
	unsigned long all;

	CHECK(t, bed_open(t, &bed));
	all = dev_is_dma_coherent(bed.batch->dev) ? 0 : ALL_PAGES;
	see_anew();
	CHECK_EQ(t, map(&bed), 0);
	CHECK_EQ(t, for_device.pages, all);
	see_anew();
	unmap(&bed);
	CHECK_EQ(t, for_cpu.pages, all);
	bed_close(&bed);
}

/* A change of caching leaves nothing of a page in a cache, whether the device sees the
 * caches or not. */
static void f55_a_change_of_caching_flushes(struct check *t)
{
	struct bed bed;

	CHECK(t, bed_open(t, &bed));
	for (int i = 0; i < 2 * TTMPOOL_CACHING_COUNT; i++) {
		see_anew();
		CHECK_EQ(t, set_caching(&bed, i % TTMPOOL_CACHING_COUNT), 0);
		/* The pages are write-back at first, which is the last caching of the
		 * loop. */
		CHECK_EQ(t, for_device.pages, ALL_PAGES);
		CHECK_EQ(t, for_cpu.pages, ALL_PAGES);
		see_anew();
		CHECK_EQ(t, set_caching(&bed, i % TTMPOOL_CACHING_COUNT), 0);
		CHECK_EQ(t, for_device.pages, 0);
	}
	bed_close(&bed);
}

CHECK_SUITE(linux_caches, CHECK_CASE(f22_what_is_written_is_written_back),
	    CHECK_CASE(f22_what_is_read_is_forgotten_before),
	    CHECK_CASE(f22_a_mapping_has_two_ends),
	    CHECK_CASE(f55_a_change_of_caching_flushes));
