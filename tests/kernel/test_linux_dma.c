// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * DMA by a real engine, behind the IOMMU that the machine was booted with.
 *
 * Some of these cases make a stale access on purpose. If it must be blocked, the case
 * announces that (check_provoke()): then the fault that the kernel logs for that address
 * is not a failure, but is required.
 */

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/string.h>

#include "batch.h"
#include "rig_buffer.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

static bool mode_is(const char *mode)
{
	return !strcmp(check_mode(), mode);
}

static bool mode_is_lazy(void)
{
	return strstr(check_mode(), "-lazy");
}

static bool has_iommu(struct device *dev)
{
	struct tpos_device_info info;

	tpos_device_query(dev, &info);
	return info.has_iommu;
}

/* The port reports the properties of the device that the machine was booted with. */
static void the_device_reports_what_was_booted(struct check *t)
{
	struct device *dev = check_device(t, 0, 64);
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	bool translated = !strncmp(check_mode(), "vtd", 3) ||
			  !strncmp(check_mode(), "smmu", 4) || mode_is("amd");
	struct tpos_device_info info;

	tpos_device_query(dev, &info);
	CHECK_EQ(t, info.has_iommu, translated);
	CHECK_EQ(t, info.bounces, mode_is("swiotlb"));
	CHECK_EQ(t, info.max_mapping, mode_is("swiotlb") ? 256 << 10 : 0);
	CHECK_EQ(t, info.dma_mask, DMA_BIT_MASK(64));
	CHECK(t, !info.untrusted);
	CHECK_EQ(t, dev_is_dma_coherent(dev), !strstr(check_mode(), "noncoh"));
	if (mode_is_lazy())
		CHECK_EQ(t, domain->type, IOMMU_DOMAIN_DMA_FQ);
	if (strstr(check_mode(), "-strict"))
		CHECK_EQ(t, domain->type, IOMMU_DOMAIN_DMA);
}

/* For a device that does not reach all memory, mappings bounce, unless there is an
 * IOMMU. */
static void f13_a_small_mask_bounces_without_an_iommu(struct check *t)
{
	unsigned int bits = check_mask_bits(t, 24);
	struct device *dev = check_device(t, 1, bits);
	struct tpos_device_info info;

	CHECK(t, dev);
	if (bits > 24) {
		check_skip(t, "no such device is served here");
		check_device(t, 1, 64);
		return;
	}
	tpos_device_query(dev, &info);
	CHECK_EQ(t, info.dma_mask, DMA_BIT_MASK(24));
	CHECK_EQ(t, info.bounces, !info.has_iommu);
	check_device(t, 1, 64);
}

/* At every order, the device reads what the CPU wrote, and the CPU reads what the device
 * wrote. */
static void bytes_arrive_both_ways_at_every_order(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	if (mode_is("swiotlb")) {
		check_skip(t, "streaming mappings are copies");
		return;
	}
	for (int order = 0; order < TTMPOOL_NR_ORDERS; order++) {
		struct ttmpool_chunk *chunk = &batch->all[0];
		size_t last = (PAGE_SIZE << order) - EDU_TRANSFER;
		unsigned char byte = 0x30 + order;
		char *end;

		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, order));
		CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
		end = page_address(chunk->page) + last;
		memset(end, byte, EDU_TRANSFER);
		CHECK_EQ(t,
			 edu_load(edu_of(batch->dev), chunk->dma.addr + last),
			 0);
		CHECK(t, edu_holds(edu_of(batch->dev), byte));
		memset(end, 0, EDU_TRANSFER);
		CHECK_EQ(t,
			 edu_store(edu_of(batch->dev), chunk->dma.addr + last),
			 0);
		CHECK(t, !memchr_inv(end, byte, EDU_TRANSFER));
		tpos_dma_unmap(batch->dev, &batch->chunks, false);
		batch_free(batch);
	}
}

/* If one chunk of a batch cannot be mapped, none is. */
static void mapping_is_all_or_nothing(struct check *t)
{
	struct batch *batch = batch_open(t);
	long unmapped = atomic_long_read(&ttmpool_module_counters()->maps);

	CHECK(t, batch);
	if (!mode_is("swiotlb")) {
		check_skip(t, "no mapping is too large here");
		return;
	}
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 0));
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 9));
	CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), -ENOSPC);
	CHECK_EQ(t, atomic_long_read(&ttmpool_module_counters()->maps),
		 unmapped);
	batch_free(batch);
}

static struct batch *batch_mapped(struct check *t)
{
	struct batch *batch = batch_open(t);

	if (!batch || !batch_add(batch, TTMPOOL_PLAIN, 0) ||
	    tpos_dma_map(batch->dev, &batch->chunks))
		return NULL;
	return batch;
}

/* After an unmap that is not lazy, the device is cut off when the call returns, even in
 * the IOMMU's lazy mode. */
static void f17_after_an_unmap_the_device_is_cut_off(struct check *t)
{
	struct batch *batch = batch_mapped(t);

	CHECK(t, batch);
	if (has_iommu(batch->dev)) {
		check_provoke(batch->dev, batch->all[0].dma.addr);
		CHECK(t,
		      !batch_stale_store_arrives(batch, &batch->chunks, false));
	} else {
		check_skip(t, "nothing cuts a device off without an IOMMU");
		tpos_dma_unmap(batch->dev, &batch->chunks, false);
	}
	batch_free(batch);
}

/* After a lazy unmap in lazy mode, a stale write does arrive: this is the window that the
 * kernel leaves open, and that the case above closes. */
static void f18_a_lazy_unmap_leaves_a_window(struct check *t)
{
	struct batch *batch = batch_mapped(t);

	CHECK(t, batch);
	if (mode_is_lazy()) {
		CHECK(t,
		      batch_stale_store_arrives(batch, &batch->chunks, true));
	} else {
		check_skip(t, "not the lazy mode");
		tpos_dma_unmap(batch->dev, &batch->chunks, true);
	}
	batch_free(batch);
}

/* A page that the pool has given to the system is out of the device's reach, whatever the
 * mode of the IOMMU. */
static void what_leaves_the_pool_is_unmapped(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});
	struct buffer *buf;
	dma_addr_t addr;

	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	addr = buf->dma_addr[0];
	CHECK(t, buffer_fill(t, buf, 0x77));
	if (has_iommu(rig->dev[0]))
		CHECK(t, check_device_holds(t, rig->dev[0], addr, 0x77));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	if (has_iommu(rig->dev[0])) {
		check_provoke(rig->dev[0], addr);
		CHECK(t, !edu_reads(edu_of(rig->dev[0]), addr, 0x77));
	} else {
		check_skip(t, "no IOMMU");
	}
	CHECK(t, rig_close(t, rig));
}

/* A device with a short mask runs out of addresses; then kept mappings end for new ones,
 * and nothing is leaked. */
static void f11_kept_mappings_make_room_for_new_ones(struct check *t)
{
	struct rig *rig;
	struct buffer *bufs[2];

	if (!has_iommu(check_device(t, 0, 64))) {
		check_skip(t, "no IOMMU");
		return;
	}
	/* 4096 pages of address space, less what is reserved in it. */
	rig = rig_open(t, &(struct rig_config){ .mask_bits = PAGE_SHIFT + 12 });
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		bufs[i] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = 2800,
				.funcs = &ttmpool_backend_plain,
				.caching = i ? TTMPOOL_UNCACHED
					     : TTMPOOL_WRITE_COMBINED });
		CHECK(t, bufs[i]);
		CHECK_EQ(t, buffer_cycle(bufs[i]), 0);
	}
	CHECK(t, rig_stats(rig).unmaps > 0);
	CHECK_EQ(t, ttmpool_populate(&bufs[0]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&bufs[1]->be), -ENOSPC);
	CHECK(t, !bufs[1]->pages[0] && !bufs[1]->dma_addr[2799]);
	CHECK_EQ(t, ttmpool_unpopulate(&bufs[0]->be), 0);
	CHECK(t, rig_close(t, rig));
	check_device(t, 0, 64);
}

CHECK_SUITE(linux_dma, CHECK_CASE(the_device_reports_what_was_booted),
	    CHECK_CASE(f13_a_small_mask_bounces_without_an_iommu),
	    CHECK_CASE(bytes_arrive_both_ways_at_every_order),
	    CHECK_CASE(mapping_is_all_or_nothing),
	    CHECK_CASE(f17_after_an_unmap_the_device_is_cut_off),
	    CHECK_CASE(f18_a_lazy_unmap_leaves_a_window),
	    CHECK_CASE(what_leaves_the_pool_is_unmapped),
	    CHECK_CASE(f11_kept_mappings_make_room_for_new_ones));
