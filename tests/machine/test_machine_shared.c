// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Addresses that the chunks of one mapping call share: config.shared_iova. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static void begin(enum tpsim_iommu iommu, uint64_t iova_bytes)
{
	m = machine_with(&(struct tpsim_config){ .iommu = iommu,
						 .shared_iova = true,
						 .iova_bytes = iova_bytes });
	dev = device_with(m, 0);
	batch_init(&batch);
}

static void end(void)
{
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

static uint64_t addr_of(size_t i)
{
	return tpos_dma_address(&batch.chunk[i].dma);
}

static int poke(uint64_t addr)
{
	return tpsim_device_write(dev, addr, "x", 1);
}

/* Unmap some chunks of the batch, in this order; returns how many pages of addresses come
 * back. */
static size_t unmap(const int *which, size_t n)
{
	struct ttmpool_list some;
	size_t back;

	ttmpool_list_init(&some);
	for (size_t i = 0; i < n; i++)
		ttmpool_list_move_tail(&batch.chunk[which[i]].link, &some);
	back = tpos_dma_unmap(dev, &some, true);
	ttmpool_list_splice(&some, &batch.list);
	return back;
}

/* Chunks that are mapped in one call have consecutive addresses in one range, each
 * aligned to its size. */
static void a_batch_shares_a_range(void **state)
{
	(void)state;
	begin(TPSIM_IOMMU_STRICT, 0);
	batch_plain(&batch, dev, 1, 2);
	batch_plain(&batch, dev, 3, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(addr_of(0) & 0x3fff, 0);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(addr_of(i) - addr_of(0), (3 + i) << 12);
	assert_int_equal(counters_of(m).iova_allocs, 1);
	assert_int_equal(tpos_dma_unmap(dev, &batch.list, false), 7);
	end();
}

/* A chunk that is larger than the one before it begins a new range, so that each chunk is
 * at a multiple of its size. */
static void a_larger_chunk_begins_a_range(void **state)
{
	(void)state;
	begin(TPSIM_IOMMU_STRICT, 0);
	batch_plain(&batch, dev, 2, 0);
	batch_plain(&batch, dev, 2, 3);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(addr_of(2) & 0x7fff, 0);
	assert_int_equal(addr_of(3) & 0x7fff, 0);
	assert_int_equal(counters_of(m).iova_allocs, 2);
	assert_int_equal(tpos_dma_unmap(dev, &batch.list, false), 18);
	end();
}

/* An unmapped part of a range faults at once, even after a lazy unmap; the rest still
 * works. */
static void a_part_of_a_range_is_cut_off_at_once(void **state)
{
	static const int part[] = { 1, 2 }, rest[] = { 0, 3 };
	uint64_t gone;

	(void)state;
	begin(TPSIM_IOMMU_STRICT, 0);
	batch_plain(&batch, dev, 4, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	gone = addr_of(1);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(poke(addr_of(i)), 0);
	assert_int_equal(unmap(part, 2), 0);
	assert_int_equal(poke(gone), -EFAULT);
	assert_int_equal(poke(addr_of(0)), 0);
	assert_int_equal(poke(addr_of(3)), 0);
	assert_int_equal(unmap(rest, 2), 4);
	end();
}

/* Consecutive addresses take one invalidation; two separate runs take two. */
static void a_run_is_one_invalidation(void **state)
{
	static const int runs[] = { 0, 1, 3 }, last[] = { 2 };
	uint64_t before;

	(void)state;
	begin(TPSIM_IOMMU_STRICT, 0);
	batch_plain(&batch, dev, 4, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	before = counters_of(m).iotlb_invalidations;
	assert_int_equal(unmap(runs, 3), 0);
	assert_int_equal(counters_of(m).iotlb_invalidations - before, 2);
	assert_int_equal(unmap(last, 1), 4);
	assert_int_equal(counters_of(m).iotlb_invalidations - before, 3);
	end();
}

/* No other mapping gets the addresses of a range until the last of its chunks is
 * unmapped. */
static void a_range_is_held_by_its_last_page(void **state)
{
	static const int most[] = { 0, 1, 2, 4, 5, 6 }, last[] = { 3 };
	struct batch others;

	(void)state;
	begin(TPSIM_IOMMU_STRICT,
	      16 << 12); /* 15 pages, because the first is never used */
	batch_plain(&batch, dev, 7, 0);
	batch_init(&others);
	batch_plain(&others, dev, 1, 3);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(unmap(most, 6), 0);
	assert_int_equal(ledger_of(m).held_bytes, 6 << 12);
	assert_int_equal(tpos_dma_map(dev, &others.list), -ENOSPC);
	assert_int_equal(unmap(last, 1), 7);
	assert_int_equal(ledger_of(m).held_bytes, 0);
	assert_int_equal(tpos_dma_map(dev, &others.list), 0);
	assert_int_equal(tpos_dma_unmap(dev, &others.list, false), 8);
	batch_free(&others, dev);
	end();
}

/* If there is no range for the whole batch, each chunk is mapped by itself; after a
 * failure nothing of the batch is mapped, and nothing is held. */
static void a_range_that_does_not_fit_is_done_without(void **state)
{
	(void)state;
	begin(TPSIM_IOMMU_STRICT, 16 << 12);
	batch_plain(&batch, dev, 15, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(tpos_dma_unmap(dev, &batch.list, false), 15);
	batch_plain(&batch, dev, 1, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
	assert_int_equal(ledger_of(m).mappings, 0);
	assert_int_equal(ledger_of(m).held_bytes, 0);
	end();
}

/* A failure in the middle of a range leaves nothing of it mapped. */
static void a_failure_within_a_range_ends_it(void **state)
{
	(void)state;
	for (size_t after = 0; after < 5; after++) {
		begin(TPSIM_IOMMU_STRICT, 0);
		batch_plain(&batch, dev, 5, 0);
		tpsim_fault_plan(
			m, &(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP,
						  .nth = 1,
						  .after = after });
		assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
		assert_int_equal(ledger_of(m).mappings, 0);
		assert_int_equal(ledger_of(m).held_bytes, 0);
		end();
	}
}

/* In lazy mode each chunk has its own addresses, which come back with it. */
static void a_lazy_iommu_shares_nothing(void **state)
{
	static const int one[] = { 1 }, rest[] = { 0, 2 };

	(void)state;
	begin(TPSIM_IOMMU_LAZY, 0);
	batch_plain(&batch, dev, 3, 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(counters_of(m).iova_allocs, 3);
	assert_int_equal(unmap(one, 1), 1);
	assert_int_equal(ledger_of(m).held_bytes, 0);
	assert_int_equal(unmap(rest, 2), 2);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_shares_a_range),
		cmocka_unit_test(a_larger_chunk_begins_a_range),
		cmocka_unit_test(a_part_of_a_range_is_cut_off_at_once),
		cmocka_unit_test(a_run_is_one_invalidation),
		cmocka_unit_test(a_range_is_held_by_its_last_page),
		cmocka_unit_test(a_range_that_does_not_fit_is_done_without),
		cmocka_unit_test(a_failure_within_a_range_ends_it),
		cmocka_unit_test(a_lazy_iommu_shares_nothing),
	};

	return cmocka_run_group_tests_name("machine-shared", tests, NULL, NULL);
}
