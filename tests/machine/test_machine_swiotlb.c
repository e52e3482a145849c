// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Bounce buffers: slots, copies, and what happens when the slots run out. */

#include "bed.h"

#include <string.h>

#define MASK_28 0xfffffffu
#define FORCED                        \
	&(struct tpsim_config)        \
	{                             \
		.swiotlb_force = true \
	}
/* 1 GiB, of which a device of 28 bits reaches a quarter. */
#define LARGE                        \
	&(struct tpsim_config)       \
	{                            \
		.ram_pages = 1 << 18 \
	}

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static void begin(const struct tpsim_config *config, uint64_t mask)
{
	m = machine_with(config);
	dev = device_with(m, mask);
	batch_init(&batch);
}

static void end(void)
{
	if (batch.n)
		batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

static uint64_t addr_of(size_t i)
{
	return tpos_dma_address(&batch.chunk[i].dma);
}

static unsigned char cpu_sees(size_t i)
{
	unsigned char byte = 0;

	assert_int_equal(tpsim_cpu_read(m, batch.chunk[i].page, 9, &byte, 1,
					TTMPOOL_CACHED),
			 0);
	return byte;
}

static void cpu_writes(size_t i, unsigned char byte)
{
	assert_int_equal(tpsim_cpu_write(m, batch.chunk[i].page, 9, &byte, 1,
					 TTMPOOL_CACHED),
			 0);
}

static unsigned char device_sees(size_t i)
{
	unsigned char byte = 0;

	assert_int_equal(tpsim_device_read(dev, addr_of(i) + 9, &byte, 1), 0);
	return byte;
}

static void device_writes(size_t i, unsigned char byte)
{
	assert_int_equal(tpsim_device_write(dev, addr_of(i) + 9, &byte, 1), 0);
}

/* A page of 4 KiB takes two slots, and frees them. */
static void a_page_takes_two_slots(void **state)
{
	(void)state;
	begin(FORCED, 0);
	batch_plain(&batch, dev, 3, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(ledger_of(m).bounce_slots, 6);
	tpos_dma_unmap(dev, &batch.list, false);
	assert_int_equal(ledger_of(m).bounce_slots, 0);
	assert_int_equal(counters_of(m).bounced_bytes, 2 * 3 * 4096);
	end();
}

/* A map copies to the slots, and an unmap copies back; in between, neither side sees what
 * the other writes, except after a sync. */
static void a_bounced_page_is_a_copy(void **state)
{
	(void)state;
	begin(FORCED, 0);
	batch_plain(&batch, dev, 1, 0);
	cpu_writes(0, 1);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(device_sees(0), 1);
	cpu_writes(0, 2);
	assert_int_equal(device_sees(0), 1);
	tpsim_dma_sync(dev, batch.chunk[0].page, true);
	assert_int_equal(device_sees(0), 2);
	device_writes(0, 3);
	assert_int_equal(cpu_sees(0), 2);
	tpsim_dma_sync(dev, batch.chunk[0].page, false);
	assert_int_equal(cpu_sees(0), 3);
	device_writes(0, 4);
	tpos_dma_unmap(dev, &batch.list, false);
	assert_int_equal(cpu_sees(0), 4);
	assert_int_equal(counters_of(m).stray_dma, 0);
	end();
}

/* Contents that the unmap copied back are cleared like any others. */
static void what_was_bounced_is_not_clean(void **state)
{
	(void)state;
	begin(FORCED, 0);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	device_writes(0, 0x66);
	tpos_dma_unmap(dev, &batch.list, false);
	tpos_pages_clear(dev, &batch.list);
	assert_int_equal(cpu_sees(0), 0);
	end();
}

/* A mapping has at most 256 KiB: the device reports that, and more is refused. */
static void a_mapping_has_128_slots_at_most(void **state)
{
	struct tpos_device_info info;

	(void)state;
	begin(FORCED, 0);
	tpos_device_query(dev, &info);
	assert_true(info.bounces);
	assert_int_equal(info.max_mapping, 256 << 10);
	batch_plain(&batch, dev, 1, 6);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, 7);
	assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
	end();
}

/* When the slots run out, the whole batch fails, and its slots are free again. */
static void slots_run_out(void **state)
{
	(void)state;
	begin(&(struct tpsim_config){ .swiotlb_force = true,
				      .swiotlb_slots = 256 },
	      0);
	batch_plain(&batch, dev, 2, 6);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
	assert_int_equal(ledger_of(m).bounce_slots, 0);
	ttmpool_list_del(&batch.chunk[2].link);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(ledger_of(m).bounce_slots, 256);
	tpos_dma_unmap(dev, &batch.list, false);
	ttmpool_list_add(&batch.chunk[2].link, &batch.list);
	end();
}

/* Only pages beyond the mask bounce. */
static void what_is_within_reach_does_not_bounce(void **state)
{
	(void)state;
	begin(LARGE, MASK_28);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(ledger_of(m).bounce_slots, 2);
	assert_true(addr_of(0) + 4095 <= MASK_28);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
	begin(&(struct tpsim_config){ 0 }, MASK_28);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(ledger_of(m).bounce_slots, 0);
	assert_int_equal(addr_of(0),
			 tpsim_page_physical(m, batch.chunk[0].page));
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* A device that does not even reach the slots gets no mapping. */
static void slots_may_be_out_of_reach(void **state)
{
	(void)state;
	begin(FORCED, 0xffffff);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
	assert_int_equal(ledger_of(m).bounce_slots, 0);
	end();
}

/* Coherent pages do not bounce, forced or not. */
static void coherent_pages_do_not_bounce(void **state)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };

	(void)state;
	begin(FORCED, 0);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	assert_int_equal(ledger_of(m).bounce_slots, 0);
	cpu_writes(0, 0x42);
	assert_int_equal(device_sees(0), 0x42);
	end();
}

/* Behind an IOMMU nothing bounces. */
static void an_iommu_needs_no_slots(void **state)
{
	struct tpos_device_info info;

	(void)state;
	begin(&(struct tpsim_config){ .swiotlb_force = true,
				      .iommu = TPSIM_IOMMU_STRICT },
	      MASK_28);
	tpos_device_query(dev, &info);
	assert_false(info.bounces);
	assert_int_equal(info.max_mapping, 0);
	batch_plain(&batch, dev, 1, 9);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(ledger_of(m).bounce_slots, 0);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* A device can access a free slot like any RAM, and that is counted. */
static void a_stale_slot_is_a_stray_access(void **state)
{
	uint64_t addr;

	(void)state;
	begin(FORCED, 0);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	addr = addr_of(0);
	tpos_dma_unmap(dev, &batch.list, false);
	assert_int_equal(tpsim_device_write(dev, addr, "x", 1), 0);
	assert_int_equal(counters_of(m).stray_dma, 1);
	end();
}

/* The port tells which mappings bounce, and which pages would. */
static void bouncing_is_told(void **state)
{
	tpos_page_t *far, *near;

	(void)state;
	begin(LARGE, MASK_28);
	batch_plain(&batch, dev, 1, 1);
	far = batch.chunk[0].page;
	near = tpsim_page_of_system(m) + 16;
	assert_true(tpsim_page_physical(m, far) > MASK_28);
	assert_false(tpos_device_reaches(dev, far, 1));
	assert_true(tpos_device_reaches(dev, near, 1));
	assert_true(tpos_device_reaches(device_with(m, 0), far, 2));
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_true(tpos_dma_bounces(dev, &batch.chunk[0]));
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* Even if bouncing is forced, a page within the mask counts as within reach, because no
 * other page would be better; coherent pages do not bounce. Behind an IOMMU all pages are
 * within reach. */
static void reach_depends_on_the_machine(void **state)
{
	(void)state;
	begin(FORCED, 0);
	batch_coherent(&batch, dev, 0);
	assert_true(tpos_device_reaches(dev, batch.chunk[0].page, 1));
	assert_false(tpos_dma_bounces(dev, &batch.chunk[0]));
	end();
	begin(&(struct tpsim_config){ .swiotlb_force = true,
				      .iommu = TPSIM_IOMMU_STRICT },
	      0xffff);
	batch_plain(&batch, dev, 1, 0);
	assert_true(tpos_device_reaches(dev, batch.chunk[0].page, 1));
	end();
}

static void bounce_what_is_not_mapped(void *arg)
{
	(void)arg;
	tpos_dma_bounces(dev, &batch.chunk[0]);
}

static void sync_what_is_not_mapped(void *arg)
{
	(void)arg;
	tpsim_dma_sync(dev, batch.chunk[0].page, true);
}

/* Only mapped pages can be synced, or asked about bouncing. */
static void a_bad_sync_ends_the_program(void **state)
{
	(void)state;
	begin(FORCED, 0);
	batch_plain(&batch, dev, 1, 0);
	assert_complains("sync of what is not mapped", sync_what_is_not_mapped,
			 NULL);
	assert_complains("bounces of what is not mapped",
			 bounce_what_is_not_mapped, NULL);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_takes_two_slots),
		cmocka_unit_test(a_bounced_page_is_a_copy),
		cmocka_unit_test(what_was_bounced_is_not_clean),
		cmocka_unit_test(a_mapping_has_128_slots_at_most),
		cmocka_unit_test(slots_run_out),
		cmocka_unit_test(what_is_within_reach_does_not_bounce),
		cmocka_unit_test(slots_may_be_out_of_reach),
		cmocka_unit_test(coherent_pages_do_not_bounce),
		cmocka_unit_test(an_iommu_needs_no_slots),
		cmocka_unit_test(a_stale_slot_is_a_stray_access),
		cmocka_unit_test(bouncing_is_told),
		cmocka_unit_test(reach_depends_on_the_machine),
		cmocka_unit_test(a_bad_sync_ends_the_program),
	};

	return cmocka_run_group_tests_name("machine-swiotlb", tests, NULL,
					   NULL);
}
