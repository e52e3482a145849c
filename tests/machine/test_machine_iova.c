// SPDX-License-Identifier: GPL-2.0 OR MIT
/* IOVA space: which addresses a device gets, and what happens if there are none. */

#include "bed.h"

#define STRICT                              \
	&(struct tpsim_config)              \
	{                                   \
		.iommu = TPSIM_IOMMU_STRICT \
	}
/* 16 pages of addresses; the first one is never used. */
#define TINY(mode)                                     \
	&(struct tpsim_config)                         \
	{                                              \
		.iommu = (mode), .iova_bytes = 1 << 16 \
	}

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch, others;

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

/* Addresses are given out from the top down, below 4 GiB, each aligned to the size of its
 * chunk; none is the physical address. */
static void addresses_go_from_the_top_down(void **state)
{
	(void)state;
	begin(STRICT);
	batch_plain(&batch, dev, 2, 0);
	batch_plain(&batch, dev, 1, 5);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(addr_of(0), 0xfffff000);
	assert_int_equal(addr_of(1), 0xffffe000);
	assert_int_equal(addr_of(2) & ((32 << 12) - 1), 0);
	assert_true(addr_of(2) < addr_of(1));
	for (size_t i = 0; i < 3; i++)
		assert_int_not_equal(
			addr_of(i),
			tpsim_page_physical(m, batch.chunk[i].page));
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* Addresses are within any mask, even if the page itself is beyond it. */
static void addresses_are_below_the_mask(void **state)
{
	struct tpsim_device *isa;

	(void)state;
	begin(STRICT);
	isa = device_with(m, 0xffffff);
	batch_plain(&batch, isa, 3, 8);
	assert_int_equal(tpos_dma_map(isa, &batch.list), 0);
	for (size_t i = 0; i < 3; i++)
		assert_true(addr_of(i) + (256 << 12) - 1 <= 0xffffff);
	tpos_dma_unmap(isa, &batch.list, false);
	end();
}

/* Addresses above 4 GiB are used when none below are left. */
static void the_low_addresses_go_first(void **state)
{
	(void)state;
	if (under_valgrind()) /* with 6 GiB it takes minutes */
		skip();
	begin(&(struct tpsim_config){ .iommu = TPSIM_IOMMU_STRICT,
				      .page_shift = 16,
				      .max_order = 14,
				      .ram_pages = 1 << 18 });
	batch_plain(&batch, dev, 6, 14);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	/* Chunks of 1 GiB: three fit below 4 GiB, because page 0 is not used. */
	assert_int_equal(addr_of(0), 3ull << 30);
	assert_int_equal(addr_of(2), 1ull << 30);
	for (size_t i = 3; i < 6; i++)
		assert_true(addr_of(i) >= 4ull << 30);
	assert_int_equal(poke(dev, addr_of(5) + (1 << 30) - 1), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* If the space is exhausted, the call fails, and nothing of the batch is mapped. */
static void exhausted_space_leaves_nothing_mapped(void **state)
{
	(void)state;
	begin(TINY(TPSIM_IOMMU_STRICT));
	batch_plain(&batch, dev, 16, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
	assert_int_equal(ledger_of(m).mappings, 0);
	assert_int_equal(ledger_of(m).mapped_bytes, 0);
	tpos_pages_free(dev, &batch.list);
	batch_init(&batch);
	batch_plain(&batch, dev, 15, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* Addresses in the flush queue are not used again before the queue is flushed, even if
 * they were invalidated at once: a mapping that finds no others sleeps for that, once. */
static void queued_addresses_come_back_late(void **state)
{
	(void)state;
	for (int lazy = 0; lazy < 2; lazy++) {
		uint64_t start;

		begin(TINY(TPSIM_IOMMU_LAZY));
		batch_plain(&batch, dev, 15, 0);
		assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
		tpos_dma_unmap(dev, &batch.list, lazy);
		start = tpos_now_ms(m);
		assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
		assert_true(tpos_now_ms(m) - start >= 10);
		assert_int_equal(counters_of(m).iova_waits, 1);
		tpos_dma_unmap(dev, &batch.list, false);
		end();
	}
}

/* If the queue is empty, a mapping does not sleep; and if one sleep does not help, there
 * is no second one. */
static void what_is_mapped_is_not_waited_for(void **state)
{
	(void)state;
	begin(TINY(TPSIM_IOMMU_LAZY));
	batch_plain(&batch, dev, 15, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	batch_init(&others);
	batch_plain(&others, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &others.list), -ENOSPC);
	assert_int_equal(counters_of(m).iova_waits, 0);
	tpos_pages_free(dev, &others.list);
	tpos_dma_unmap(dev, &batch.list, true);
	batch_init(&others);
	batch_plain(&others, dev, 1, 4);
	assert_int_equal(tpos_dma_map(dev, &others.list), -ENOSPC);
	assert_int_equal(counters_of(m).iova_waits, 1);
	tpos_pages_free(dev, &others.list);
	end();
}

/* The allocation of a coherent page waits for addresses, too. */
static void coherent_pages_wait_for_queued_addresses(void **state)
{
	(void)state;
	begin(TINY(TPSIM_IOMMU_LAZY));
	batch_plain(&batch, dev, 15, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	batch_init(&others);
	batch_coherent(&others, dev, 0);
	assert_int_equal(counters_of(m).iova_waits, 1);
	tpos_pages_free(dev, &others.list);
	end();
}

/* Addresses that come back one by one are merged into one piece. */
static void addresses_that_come_back_are_merged(void **state)
{
	(void)state;
	begin(TINY(TPSIM_IOMMU_STRICT));
	batch_plain(&batch, dev, 15, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_dma_unmap(dev, &batch.list, false);
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, 3);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(addr_of(0), 8 << 12);
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* Do two of the chunks with @mapped set overlap? */
static bool any_overlap(const bool *mapped)
{
	for (size_t i = 0; i < batch.n; i++)
		for (size_t j = 0; j < batch.n; j++) {
			uint64_t size = 4096ull << batch.chunk[i].order;

			if (i != j && mapped[i] && mapped[j] &&
			    addr_of(j) - addr_of(i) < size)
				return true;
		}
	return false;
}

/* However calls of map and unmap are mixed, no two mappings overlap, and each leads to
 * its own page. */
static void mappings_never_overlap(void **state)
{
	bool mapped[40] = { false };
	uint32_t dice = 12345;

	(void)state;
	begin(&(struct tpsim_config){ .iommu = TPSIM_IOMMU_LAZY,
				      .iova_bytes = 1 << 20 });
	for (size_t i = 0; i < 40; i++)
		batch_plain(&batch, dev, 1, i % 5);
	for (int round = 0; round < 600; round++) {
		struct ttmpool_list one;
		size_t i;

		dice = dice * 1664525 + 1013904223;
		i = (dice >> 16) % 40;
		ttmpool_list_init(&one);
		ttmpool_list_move_tail(&batch.chunk[i].link, &one);
		if (mapped[i])
			tpos_dma_unmap(dev, &one, dice & 1);
		mapped[i] = !mapped[i] && !tpos_dma_map(dev, &one);
		ttmpool_list_splice_tail(&one, &batch.list);
		assert_false(any_overlap(mapped));
		if (mapped[i])
			assert_int_equal(poke(dev, addr_of(i)), 0);
	}
	for (size_t i = 0; i < 40; i++)
		if (!mapped[i])
			ttmpool_list_del(&batch.chunk[i].link);
	tpos_dma_unmap(dev, &batch.list, false);
	for (size_t i = 0; i < 40; i++)
		if (!mapped[i])
			ttmpool_list_add(&batch.chunk[i].link, &batch.list);
	end();
}

/* If there is no address for it, no coherent page is allocated. */
static void coherent_pages_need_addresses(void **state)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .order = 4,
				  .node = ANY_NODE };

	(void)state;
	begin(TINY(TPSIM_IOMMU_STRICT));
	assert_int_equal(batch_add(&batch, dev, &req), -ENOSPC);
	assert_true(tpsim_ledger_is_empty(m));
	end();
}

/* Map single pages until no address is left; returns how many were mapped. */
static size_t map_all(void)
{
	struct batch one;
	size_t n = 0;

	for (;; n++) {
		batch_init(&one);
		batch_plain(&batch, dev, 1, 0);
		ttmpool_list_move_tail(batch.list.prev, &one.list);
		if (tpos_dma_map(dev, &one.list))
			break;
		ttmpool_list_splice_tail(&one.list, &batch.list);
	}
	tpos_pages_free(dev, &one.list);
	batch.n--;
	return n;
}

static void unmap_all(void)
{
	tpos_dma_unmap(dev, &batch.list, false);
	batch_free(&batch, dev);
}

/* When the mask changes, so does the address space. Mappings stay, but the device cannot
 * emit addresses beyond the mask, and these are not given out again. */
static void a_changed_mask_bounds_the_addresses(void **state)
{
	(void)state;
	begin(TINY(TPSIM_IOMMU_STRICT));
	tpsim_device_set_mask(dev, 0x7fff);
	assert_int_equal(tpos_device_mask(dev, false), 0x7fff);
	assert_int_equal(map_all(), 7);
	tpsim_device_set_mask(dev, 0);
	assert_int_equal(tpos_device_mask(dev, true), UINT64_MAX);
	assert_int_equal(map_all(), 8);
	assert_int_equal(poke(dev, addr_of(14)), 0);
	tpsim_device_set_mask(dev, 0x7fff);
	for (size_t i = 0; i < 15; i++)
		assert_int_equal(poke(dev, addr_of(i)),
				 addr_of(i) > 0x7fff ? -EFAULT : 0);
	assert_int_equal(map_all(), 0);
	unmap_all();
	assert_int_equal(map_all(), 7);
	unmap_all();
	tpsim_device_set_mask(dev, 0xffffff);
	assert_int_equal(map_all(), 15);
	unmap_all();
	batch_plain(&batch, dev, 1, 3);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(addr_of(0), 0x8000);
	unmap_all();
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_go_from_the_top_down),
		cmocka_unit_test(addresses_are_below_the_mask),
		cmocka_unit_test(the_low_addresses_go_first),
		cmocka_unit_test(exhausted_space_leaves_nothing_mapped),
		cmocka_unit_test(queued_addresses_come_back_late),
		cmocka_unit_test(what_is_mapped_is_not_waited_for),
		cmocka_unit_test(coherent_pages_wait_for_queued_addresses),
		cmocka_unit_test(addresses_that_come_back_are_merged),
		cmocka_unit_test(mappings_never_overlap),
		cmocka_unit_test(coherent_pages_need_addresses),
		cmocka_unit_test(a_changed_mask_bounds_the_addresses),
	};

	return cmocka_run_group_tests_name("machine-iova", tests, NULL, NULL);
}
