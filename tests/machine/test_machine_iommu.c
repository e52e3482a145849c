// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The IOMMU: translation, and what remains of it after an unmap. */

#include "bed.h"

#define STRICT                              \
	&(struct tpsim_config)              \
	{                                   \
		.iommu = TPSIM_IOMMU_STRICT \
	}
#define LAZY                              \
	&(struct tpsim_config)            \
	{                                 \
		.iommu = TPSIM_IOMMU_LAZY \
	}
static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static void begin(const struct tpsim_config *config)
{
	m = machine_with(config);
	dev = device_with(m, 0);
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

static int poke(struct tpsim_device *by, uint64_t addr)
{
	return tpsim_device_write(by, addr, "x", 1);
}

/* A device reads what the CPU wrote, all over a mapping, and the reverse. */
static void a_mapping_leads_to_its_pages(void **state)
{
	unsigned char seen[3 * 4096];

	(void)state;
	begin(STRICT);
	batch_plain(&batch, dev, 1, 2);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	for (unsigned int i = 0; i < 4; i++) {
		unsigned char byte = (unsigned char)(0x10 + i);

		assert_int_equal(tpsim_cpu_write(m, batch.chunk[0].page + i, 5,
						 &byte, 1, TTMPOOL_CACHED),
				 0);
	}
	assert_int_equal(
		tpsim_device_read(dev, addr_of(0) + 5, seen, sizeof(seen)), 0);
	assert_int_equal(seen[0], 0x10);
	assert_int_equal(seen[4096], 0x11);
	assert_int_equal(seen[2 * 4096], 0x12);
	assert_int_equal(poke(dev, addr_of(0) + 3 * 4096), 0);
	assert_int_equal(tpsim_cpu_read(m, batch.chunk[0].page + 3, 0, seen, 1,
					TTMPOOL_CACHED),
			 0);
	assert_int_equal(seen[0], 'x');
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* An access to an address that is not mapped, that is mapped for another device, or that
 * is beyond the mask faults. */
static void other_accesses_fault(void **state)
{
	struct tpsim_device *other;

	(void)state;
	begin(STRICT);
	other = device_with(m, 0xffffffff);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(poke(dev, addr_of(0)), 0);
	assert_int_equal(poke(dev, addr_of(0) - 1), -EFAULT);
	assert_int_equal(poke(dev, 0), -EFAULT);
	assert_int_equal(poke(dev, ~0ull), -EFAULT);
	assert_int_equal(poke(other, addr_of(0)), -EFAULT);
	assert_int_equal(poke(other, 1ull << 32), -EFAULT);
	assert_int_equal(counters_of(m).dma_faults, 5);
	assert_int_equal(counters_of(m).stray_dma, 0);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* A transfer that goes beyond its mapping faults there. */
static void a_transfer_faults_where_its_mapping_ends(void **state)
{
	unsigned char bytes[4096] = { 0 };

	(void)state;
	begin(STRICT);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(tpsim_device_write(dev, addr_of(0) + 1, bytes, 4096),
			 -EFAULT);
	assert_int_equal(tpsim_device_write(dev, addr_of(0), bytes, 4096), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* Strict: there is one invalidation for a batch; then every access faults. */
static void a_strict_unmap_is_complete(void **state)
{
	uint64_t addr;

	(void)state;
	begin(STRICT);
	batch_plain(&batch, dev, 7, 1);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	addr = addr_of(6);
	assert_int_equal(poke(dev, addr), 0);
	tpos_dma_unmap(dev, &batch.list, true);
	assert_int_equal(counters_of(m).iotlb_invalidations, 1);
	assert_int_equal(counters_of(m).dma_unmaps, 7);
	assert_int_equal(poke(dev, addr), -EFAULT);
	end();
}

/* Lazy: a translation that was used works until the invalidation, even if the page has
 * another owner by then; one that was not used does not work. */
static void a_lazy_unmap_leaves_what_was_used(void **state)
{
	uint64_t used, fresh;

	(void)state;
	begin(LAZY);
	batch_plain(&batch, dev, 2, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	used = addr_of(0);
	fresh = addr_of(1);
	assert_int_equal(poke(dev, used), 0);
	tpos_dma_unmap(dev, &batch.list, true);
	assert_int_equal(counters_of(m).iotlb_invalidations, 0);
	assert_int_equal(poke(dev, fresh), -EFAULT);
	batch_free(&batch, dev);
	assert_int_equal(poke(dev, used), 0);
	tpsim_iotlb_expire(m);
	assert_int_equal(counters_of(m).iotlb_invalidations, 1);
	assert_int_equal(poke(dev, used), -EFAULT);
	end();
}

/* In lazy mode, an unmap that asks for it invalidates at once. */
static void a_lazy_machine_can_be_made_to_wait(void **state)
{
	uint64_t addr;

	(void)state;
	begin(LAZY);
	batch_plain(&batch, dev, 3, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	addr = addr_of(2);
	assert_int_equal(poke(dev, addr), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	assert_int_equal(poke(dev, addr), -EFAULT);
	assert_int_equal(counters_of(m).iotlb_invalidations, 1);
	end();
}

/* The queue has room for 256 entries; with one more, all of them are invalidated. */
static void the_flush_queue_has_256_entries(void **state)
{
	(void)state;
	begin(LAZY);
	batch_plain(&batch, dev, 257, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	ttmpool_list_del(&batch.chunk[256].link);
	tpos_dma_unmap(dev, &batch.list, true);
	assert_int_equal(counters_of(m).iotlb_invalidations, 0);
	tpos_pages_free(dev, &batch.list);
	ttmpool_list_init(&batch.list);
	ttmpool_list_add(&batch.chunk[256].link, &batch.list);
	tpos_dma_unmap(dev, &batch.list, true);
	assert_int_equal(counters_of(m).iotlb_invalidations, 1);
	end();
}

/* A coherent page has a device address as long as it is allocated. */
static void coherent_pages_are_translated_too(void **state)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };
	uint64_t addr;

	(void)state;
	begin(STRICT);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	addr = addr_of(0);
	assert_int_not_equal(addr, tpsim_page_physical(m, batch.chunk[0].page));
	assert_int_equal(poke(dev, addr), 0);
	batch_free(&batch, dev);
	assert_int_equal(poke(dev, addr), -EFAULT);
	end();
}

/* A coherent page can be cut off before it is freed; it stays allocated. */
static void a_coherent_page_can_be_cut_off(void **state)
{
	uint64_t addr;

	(void)state;
	begin(LAZY);
	batch_coherent(&batch, dev, 2);
	addr = addr_of(0);
	assert_int_equal(poke(dev, addr), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	assert_int_equal(poke(dev, addr), -EFAULT);
	assert_int_equal(counters_of(m).iotlb_invalidations, 1);
	assert_int_equal(ledger_of(m).pages_coherent, 4);
	assert_int_equal(ledger_of(m).mappings, 0);
	batch_free(&batch, dev);
	assert_int_equal(counters_of(m).freed_in_reach, 0);
	end();
}

/* If it is freed without that, or cut off lazily, the device can still write to it when
 * another owner has it; and that is counted. */
static void a_coherent_page_is_freed_in_reach(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		uint64_t addr;

		begin(LAZY);
		batch_coherent(&batch, dev, 0);
		addr = addr_of(0);
		assert_int_equal(poke(dev, addr), 0);
		if (i)
			tpos_dma_unmap(dev, &batch.list, true);
		batch_free(&batch, dev);
		assert_int_equal(counters_of(m).freed_in_reach, 1);
		assert_int_equal(poke(dev, addr), 0);
		tpsim_iotlb_expire(m);
		assert_int_equal(poke(dev, addr), -EFAULT);
		end();
	}
}

/* With a strict IOMMU, the translation is gone before the page is free. */
static void a_strict_free_is_complete(void **state)
{
	(void)state;
	begin(STRICT);
	batch_coherent(&batch, dev, 1);
	batch_free(&batch, dev);
	assert_int_equal(counters_of(m).freed_in_reach, 0);
	end();
}

/* A page next to one in the flush queue does not count as in reach. */
static void neighbours_are_not_in_reach(void **state)
{
	static struct batch middle;

	(void)state;
	begin(LAZY);
	batch_init(&middle);
	batch_plain(&batch, dev, 1, 1);
	batch_plain(&middle, dev, 1, 1);
	batch_plain(&batch, dev, 1, 1);
	assert_int_equal(tpos_dma_map(dev, &middle.list), 0);
	tpos_dma_unmap(dev, &middle.list, true);
	batch_free(&batch, dev);
	assert_int_equal(counters_of(m).freed_in_reach, 0);
	batch_free(&middle, dev);
	assert_int_equal(counters_of(m).freed_in_reach, 2);
	end();
}

/* If the mapping of a batch fails, the part that was mapped is out of reach when the call
 * returns. */
static void a_map_that_fails_half_way_is_complete(void **state)
{
	(void)state;
	begin(LAZY);
	batch_plain(&batch, dev, 3, 0);
	plan(m, TPSIM_CALL_DMA_MAP, 1, 2);
	assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
	assert_int_equal(counters_of(m).dma_unmaps, 2);
	assert_int_equal(counters_of(m).iotlb_invalidations, 1);
	batch_free(&batch, dev);
	assert_int_equal(counters_of(m).freed_in_reach, 0);
	end();
}

/* A device for which only single coherent pages can be cut off gets no larger ones. */
static void some_devices_have_single_coherent_pages(void **state)
{
	struct tpsim_device_config config = { .node = ANY_NODE,
					      .coherent_single = true };
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE,
				  .order = 1 };
	struct tpos_device_info info;

	(void)state;
	begin(LAZY);
	dev = tpsim_device_create(m, &config);
	assert_non_null(dev);
	tpos_device_query(dev, &info);
	assert_true(info.coherent_single);
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	batch_coherent(&batch, dev, 0);
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, 1);
	end();
}

static void map_twice(void *arg)
{
	(void)arg;
	tpos_dma_map(dev, &batch.list);
	tpos_dma_map(dev, &batch.list);
}

static void unmap_twice(void *arg)
{
	(void)arg;
	tpos_dma_map(dev, &batch.list);
	tpos_dma_unmap(dev, &batch.list, false);
	tpos_dma_unmap(dev, &batch.list, false);
}

static void unmap_for_another(void *arg)
{
	tpos_dma_map(dev, &batch.list);
	tpos_dma_unmap(arg, &batch.list, false);
}

static void change_the_record(void *arg)
{
	(void)arg;
	tpos_dma_map(dev, &batch.list);
	batch.chunk[0].dma.cookie = &batch;
	tpos_dma_unmap(dev, &batch.list, false);
}

static void destroy_with_a_mapping(void *arg)
{
	(void)arg;
	tpos_dma_map(dev, &batch.list);
	tpsim_device_destroy(dev);
}

static void map_coherent(void *arg)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };

	(void)arg;
	batch_init(&batch);
	batch_add(&batch, dev, &req);
	tpos_dma_map(dev, &batch.list);
}

static void map_cut_off(void *arg)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };

	(void)arg;
	batch_init(&batch);
	batch_add(&batch, dev, &req);
	tpos_dma_unmap(dev, &batch.list, false);
	tpos_dma_map(dev, &batch.list);
}

static void free_coherent_for_another(void *arg)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };

	batch_init(&batch);
	batch_add(&batch, dev, &req);
	tpos_pages_free(arg, &batch.list);
}

/* Everything that CONFIG_DMA_API_DEBUG would report ends the program. */
static void bad_mappings_end_the_program(void **state)
{
	struct tpsim_device *other;

	(void)state;
	begin(STRICT);
	other = device_with(m, 0);
	batch_plain(&batch, dev, 1, 2);
	assert_complains("double map", map_twice, NULL);
	assert_complains("unmap of what is not mapped", unmap_twice, NULL);
	assert_complains("wrong device", unmap_for_another, other);
	assert_complains("record of a mapping was changed", change_the_record,
			 NULL);
	assert_complains("pending DMA allocations", destroy_with_a_mapping,
			 NULL);
	assert_complains("mapped already", map_coherent, NULL);
	assert_complains("mapped once", map_cut_off, NULL);
	assert_complains("wrong device", free_coherent_for_another, other);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_leads_to_its_pages),
		cmocka_unit_test(other_accesses_fault),
		cmocka_unit_test(a_transfer_faults_where_its_mapping_ends),
		cmocka_unit_test(a_strict_unmap_is_complete),
		cmocka_unit_test(a_lazy_unmap_leaves_what_was_used),
		cmocka_unit_test(a_lazy_machine_can_be_made_to_wait),
		cmocka_unit_test(the_flush_queue_has_256_entries),
		cmocka_unit_test(coherent_pages_are_translated_too),
		cmocka_unit_test(a_coherent_page_can_be_cut_off),
		cmocka_unit_test(a_coherent_page_is_freed_in_reach),
		cmocka_unit_test(a_strict_free_is_complete),
		cmocka_unit_test(neighbours_are_not_in_reach),
		cmocka_unit_test(a_map_that_fails_half_way_is_complete),
		cmocka_unit_test(some_devices_have_single_coherent_pages),
		cmocka_unit_test(bad_mappings_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-iommu", tests, NULL, NULL);
}
