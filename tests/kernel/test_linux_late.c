// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Writes that arrive late (f17, f50, f51): a device has begun to write to a page, and the
 * page is given back and goes to the system before the bytes come. They must not change
 * the memory of the next owner.
 *
 *     edu     begins a transfer of 100 ms ............................ writes
 *     pool         page given back, drained; somebody gets it, zeroed
 *     kernel                                  its flush queue's timer, 10 ms: held off
 *
 * In lazy mode the kernel empties the flush queue by a timer, in a softirq of the
 * processor that made the first unmap. With softirqs disabled there, from when the page
 * is free until the bytes are due, only the library can invalidate anything.
 *
 * The address is translated when the transfer ends, and the IOTLB has the translation,
 * because the device has read there before.
 */

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/string.h>

#include "batch.h"
#include "rig.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

#define BYTE    0xee
#define LATE_MS 400
#define QUIET_MS \
	2500 /* the IOMMU's driver logs no more than a few faults in 5 s */
#define ATTEMPTS 4
#define LOOK_FOR 512

/**
 * struct late - one write
 * @in_time: the transfer was still in progress when the page was free
 * @next: the page, allocated again; NULL if other pages were allocated instead
 */
struct late {
	bool in_time;
	struct page *next;
};

/* Allocate pages until this one is among them: those that were freed last come first. */
static struct page *alloc_again(struct page *page)
{
	struct page *found = NULL, *other, *after;
	LIST_HEAD(others);

	for (int i = 0; i < LOOK_FOR && !found; i++) {
		other = alloc_page(GFP_ATOMIC | __GFP_ZERO | __GFP_NOWARN);
		if (!other)
			break;
		if (other == page)
			found = other;
		else
			list_add(&other->lru, &others);
	}
	list_for_each_entry_safe(other, after, &others, lru)
	{
		list_del(&other->lru);
		__free_page(other);
	}
	return found;
}

static struct pages *take_page(struct check *t, struct rig *rig,
			       enum ttmpool_source source)
{
	struct pages *some =
		pages_open(t, rig, &(struct pages_config){ .source = source });

	return some && !pages_take(some) ? some : NULL;
}

/* Begin a write, give the page back meanwhile, and wait until the transfer ends. */
static bool write_late(struct check *t, struct rig *rig,
		       enum ttmpool_source source, struct late *late)
{
	struct edu *edu = edu_of(rig->dev[0]);
	struct pages *some = take_page(t, rig, source);
	int err;

	if (!some || edu_load(edu, some->dma_addr[0]) || edu_fill(edu, BYTE))
		return false;
	msleep(QUIET_MS);
	check_provoke(rig->dev[0], some->dma_addr[0]);
	migrate_disable();
	edu_begin_store(edu, some->dma_addr[0]);
	err = pages_give(some);
	ttmpool_pool_drain(&rig->pool[0]);
	local_bh_disable();
	late->next = alloc_again(some->pages[0]);
	late->in_time = edu_is_busy(edu);
	for (int ms = 0; ms < LATE_MS && edu_is_busy(edu); ms++)
		mdelay(1);
	local_bh_enable();
	migrate_enable();
	return !err && !edu_is_busy(edu);
}

/* Check what the next owner finds. Try again if the page was not allocated again. */
static void a_late_write_is_stopped(struct check *t, struct rig *rig,
				    enum ttmpool_source source)
{
	struct late late = {};
	bool zero;

	for (int i = 0; i < ATTEMPTS && !late.next; i++) {
		CHECK(t, write_late(t, rig, source, &late));
		CHECK(t, late.in_time);
	}
	CHECK(t, late.next);
	zero = !memchr_inv(page_address(late.next), 0, PAGE_SIZE);
	__free_page(late.next);
	CHECK(t, zero);
}

static struct rig *translated_rig(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});

	if (!rig || rig->pool[0].info.has_iommu)
		return rig;
	check_skip(t, "nothing stops a device without an IOMMU");
	rig_close(t, rig);
	return NULL;
}

/* A write to a plain page that is given back meanwhile does not reach the next owner. */
static void f17_a_late_write_to_a_plain_page_is_stopped(struct check *t)
{
	struct rig *rig = translated_rig(t);

	if (!rig)
		return;
	a_late_write_is_stopped(t, rig, TTMPOOL_PLAIN);
	CHECK(t, rig_close(t, rig));
}

/* Nor does a write to a coherent page. */
static void f50_a_late_write_to_a_coherent_page_is_stopped(struct check *t)
{
	struct rig *rig = translated_rig(t);

	if (!rig)
		return;
	a_late_write_is_stopped(t, rig, TTMPOOL_COHERENT);
	CHECK(t, rig_close(t, rig));
}

/* Nor does one to a page that the DMA API has allocated, for a device whose coherent mask
 * is narrower than its DMA mask. Such a device has single pages. */
static void f50_a_late_write_to_an_api_page_is_stopped(struct check *t)
{
	struct rig *rig = translated_rig(t);
	struct tpos_device_info info;

	if (!rig)
		return;
	CHECK_EQ(t, dma_set_coherent_mask(rig->dev[0], DMA_BIT_MASK(40)), 0);
	tpos_device_query(rig->dev[0], &info);
	CHECK(t, info.coherent_single);
	a_late_write_is_stopped(t, rig, TTMPOOL_COHERENT);
	check_device(t, 0, 64);
	CHECK(t, rig_close(t, rig));
}

/* A page that the DMA API has allocated is in use when its pool ends, and stays allocated
 * when its device goes, because a reference keeps it. */
static void f49_an_api_page_outlives_its_device(struct check *t)
{
	struct ttmpool_pool_config config = { .name = "narrow",
					      .node = TTMPOOL_NODE_OF_DEVICE };
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .num_pages = 3 };
	struct rig *rig = rig_open(t, &(struct rig_config){});
	struct page *pages[3];
	dma_addr_t addr[3];

	CHECK(t, rig);
	config.dev = check_device(t, 1, 64);
	CHECK_EQ(t, dma_set_coherent_mask(config.dev, DMA_BIT_MASK(40)), 0);
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config), 0);
	CHECK(t, rig->pool[1].info.coherent_single);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[1], &req, pages, addr), 0);
	memset(page_address(pages[0]), BYTE, PAGE_SIZE);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[1]), 3);
	check_unplug(t, 1);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t, page_count(pages[i]), 1);
	CHECK(t, !memchr_inv(page_address(pages[0]), BYTE, PAGE_SIZE));
	CHECK_EQ(t, check_pages_out(t), 3);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* If a batch cannot be mapped as a whole, the mappings that were made are invalidated
 * before the pages get another owner. */
static void f51_a_map_that_fails_half_way_is_invalidated(struct check *t)
{
	const struct ttmpool_counters *counters = ttmpool_module_counters();
	struct batch *batch = batch_open(t);
	struct iommu_domain *domain;
	struct device *dev;
	long flushes;

	CHECK(t, batch);
	dev = batch->dev;
	domain = iommu_get_domain_for_dev(dev);
	if (!domain || domain->type != IOMMU_DOMAIN_DMA_FQ) {
		check_skip(t, "not the lazy mode");
		return;
	}
	/* One page fits into an address space of 4096 pages, of which some are reserved;
	 * 4096 pages do not. */
	CHECK(t, check_device(t, 0, PAGE_SHIFT + 12));
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 0));
	for (int i = 0; i < 4; i++)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 10));
	flushes = atomic_long_read(&counters->iotlb_flushes);
	CHECK_EQ(t, tpos_dma_map(dev, &batch->chunks), -ENOSPC);
	/* the map is tried once more, after the flush queue was flushed */
	CHECK_EQ(t, atomic_long_read(&counters->iotlb_flushes), flushes + 2);
	for (int i = 0; i < batch->n; i++)
		CHECK(t, !batch->all[i].dma.addr);
	batch_free(batch);
	check_device(t, 0, 64);
}

CHECK_SUITE(linux_late, CHECK_CASE(f17_a_late_write_to_a_plain_page_is_stopped),
	    CHECK_CASE(f50_a_late_write_to_a_coherent_page_is_stopped),
	    CHECK_CASE(f50_a_late_write_to_an_api_page_is_stopped),
	    CHECK_CASE(f49_an_api_page_outlives_its_device),
	    CHECK_CASE(f51_a_map_that_fails_half_way_is_invalidated));
