// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The simulated machine itself: it is worth what it has in common with hardware
 * and kernel, so its rules are tested like anything else. No part of the
 * library is used here but the definitions; the chunks are made by hand.
 *
 * What the machine answers with abort() is played in a child process.
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_cmocka.h"

/* A few chunks of one batch, with their descriptors. */
struct batch {
	struct tpsim_machine *machine;
	struct tpsim_device *dev;
	struct ttmpool_list list;
	struct ttmpool_chunk chunks[8];
	int n;
};

static struct tpsim_device *device_of(struct tpsim_machine *machine,
				      uint64_t mask)
{
	return tpsim_device_create(
		machine, &(struct tpsim_device_config){
				 .node = TTMPOOL_NODE_ANY, .dma_mask = mask });
}

static void batch_init(struct batch *b, struct tpsim_machine *machine,
		       uint64_t mask)
{
	*b = (struct batch){ .machine = machine,
			     .dev = device_of(machine, mask) };
	ttmpool_list_init(&b->list);
}

static int batch_add(struct batch *b, enum ttmpool_source source,
		     unsigned int order)
{
	struct ttmpool_chunk *chunk = &b->chunks[b->n];
	struct tpos_alloc req = { .source = source,
				  .order = order,
				  .node = TTMPOOL_NODE_ANY };
	int err = tpos_pages_alloc(b->dev, &req, chunk);

	if (err)
		return err;
	chunk->order = (uint8_t)order;
	chunk->caching = TTMPOOL_CACHED;
	if (source == TTMPOOL_COHERENT)
		chunk->flags = TTMPOOL_CHUNK_FROM_COHERENT;
	ttmpool_list_add_tail(&chunk->link, &b->list);
	b->n++;
	return 0;
}

static bool batch_of_three(struct batch *b, struct tpsim_machine *machine)
{
	batch_init(b, machine, 0);
	return !batch_add(b, TTMPOOL_PLAIN, 2) &&
	       !batch_add(b, TTMPOOL_PLAIN, 1) &&
	       !batch_add(b, TTMPOOL_PLAIN, 0);
}

static struct tpsim_counters counters_of(struct tpsim_machine *machine)
{
	struct tpsim_counters counters;

	tpsim_counters(machine, &counters);
	return counters;
}

static struct tpsim_ledger ledger_of(struct tpsim_machine *machine)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(machine, &ledger);
	return ledger;
}

/* Does the machine abort when this is done to it? */
static bool aborts(void (*deed)(struct batch *b), struct tpsim_machine *machine)
{
	pid_t child = fork();
	struct batch b;
	int status;

	if (!child) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(1);
		signal(SIGABRT, SIG_DFL);
		if (batch_of_three(&b, machine))
			deed(&b);
		_exit(0);
	}
	return child > 0 && waitpid(child, &status, 0) == child &&
	       WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* Blocks are aligned to their size, zero, and merged again when freed. */
static void blocks_are_aligned_zero_and_merged(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	size_t before = ledger_of(machine).free_pages;
	struct batch b;

	batch_init(&b, machine, 0);
	for (unsigned int order = 0; order < 8; order++) {
		CHECK_EQ(t, batch_add(&b, TTMPOOL_PLAIN, order), 0);
		CHECK_EQ(t,
			 tpsim_page_physical(machine, b.chunks[order].page) %
				 ((uint64_t)4096 << order),
			 0);
		CHECK(t,
		      check_holds(t, b.chunks[order].page, TTMPOOL_CACHED, 0));
		CHECK(t, check_fill(t, b.chunks[order].page, TTMPOOL_CACHED,
				    0xff));
	}
	tpos_pages_free(b.dev, &b.list);
	CHECK_EQ(t, ledger_of(machine).free_pages, before);
	batch_init(&b, machine, 0);
	CHECK_EQ(t, batch_add(&b, TTMPOOL_PLAIN, 10), 0);
	CHECK(t, check_holds(t, b.chunks[0].page, TTMPOOL_CACHED, 0));
	tpos_pages_free(b.dev, &b.list);
}

/* Fragmented memory has no block above the order, and single ones in plenty. */
static void fragmented_memory_has_no_large_blocks(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct batch b;

	tpsim_ram_fragment(machine, 1);
	batch_init(&b, machine, 0);
	CHECK_EQ(t, batch_add(&b, TTMPOOL_PLAIN, 2), -ENOMEM);
	CHECK_EQ(t, batch_add(&b, TTMPOOL_PLAIN, 1), 0);
	tpos_pages_free(b.dev, &b.list);
	tpsim_ram_release(machine);
	batch_init(&b, machine, 0);
	CHECK_EQ(t, batch_add(&b, TTMPOOL_PLAIN, 10), 0);
	tpos_pages_free(b.dev, &b.list);
}

/* A batch costs one flush for UC and WB, and two for WC, whatever its size. */
static void a_caching_batch_is_one_flush(struct check *t)
{
	static const unsigned int flushes[] = { [TTMPOOL_UNCACHED] = 1,
						[TTMPOOL_WRITE_COMBINED] = 2,
						[TTMPOOL_CACHED] = 1 };
	struct tpsim_machine *machine = check_machine(t);
	struct batch b;

	CHECK(t, batch_of_three(&b, machine));
	for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
		struct tpsim_counters before = counters_of(machine), after;

		CHECK_EQ(t,
			 tpos_caching_set(b.dev, &b.list,
					  (enum ttmpool_caching)c),
			 0);
		after = counters_of(machine);
		CHECK_EQ(t, after.tlb_flushes - before.tlb_flushes, flushes[c]);
		CHECK_EQ(t, after.caching_pages - before.caching_pages, 7);
		CHECK_EQ(t, check_caching(t, b.chunks[1].page + 1), c);
	}
	tpos_pages_free(b.dev, &b.list);
}

/* An access through another caching than the page's own is an alias. */
static void an_alias_is_refused_and_counted(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct batch b;
	char byte = 1;

	CHECK(t, batch_of_three(&b, machine));
	CHECK_EQ(t, tpos_caching_set(b.dev, &b.list, TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK_EQ(t,
		 tpsim_cpu_write(machine, b.chunks[0].page, 0, &byte, 1,
				 TTMPOOL_CACHED),
		 -EINVAL);
	CHECK_EQ(t,
		 tpsim_cpu_read(machine, b.chunks[0].page, 0, &byte, 1,
				TTMPOOL_UNCACHED),
		 -EINVAL);
	CHECK_EQ(t, counters_of(machine).aliases, 2);
	CHECK_EQ(t, tpos_caching_set(b.dev, &b.list, TTMPOOL_CACHED), 0);
	tpos_pages_free(b.dev, &b.list);
}

/* A change that fails half way leaves every page write-back; if it cannot be
 * undone either, the chunks say that nobody knows. */
static void a_half_way_change_is_rolled_back(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct tpsim_fault set = { .call = TPSIM_CALL_CACHING_SET,
				   .nth = 1,
				   .after = 2 };
	struct tpsim_fault reset = { .call = TPSIM_CALL_CACHING_RESET,
				     .nth = 1 };
	struct batch b;

	CHECK(t, batch_of_three(&b, machine));
	tpsim_fault_plan(machine, &set);
	CHECK_EQ(t, tpos_caching_set(b.dev, &b.list, TTMPOOL_UNCACHED),
		 -ENOMEM);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t, b.chunks[i].caching, TTMPOOL_CACHED);
	CHECK_EQ(t, ledger_of(machine).pages_not_write_back, 0);
	CHECK_EQ(t, tpsim_fault_clear(machine), 1);
	tpsim_fault_plan(machine, &set);
	tpsim_fault_plan(machine, &reset);
	CHECK_EQ(t, tpos_caching_set(b.dev, &b.list, TTMPOOL_UNCACHED),
		 -ENOMEM);
	CHECK_EQ(t, b.chunks[0].caching, TTMPOOL_CACHING_UNKNOWN);
	CHECK_EQ(t, b.chunks[2].caching, TTMPOOL_CACHED);
	CHECK_EQ(t, ledger_of(machine).pages_not_write_back, 6);
	CHECK_EQ(t, tpsim_fault_clear(machine), 2);
	CHECK_EQ(t, tpos_caching_set(b.dev, &b.list, TTMPOOL_CACHED), 0);
	tpos_pages_free(b.dev, &b.list);
}

/* Behind the IOMMU an address is not the page's own, and reaches its bytes. */
static void an_iova_reaches_the_page(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct batch b;

	CHECK(t, batch_of_three(&b, machine));
	CHECK_EQ(t, tpos_dma_map(b.dev, &b.list), 0);
	CHECK_EQ(t, counters_of(machine).dma_maps, 3);
	for (int i = 0; i < 3; i++) {
		CHECK(t,
		      b.chunks[i].dma.addr !=
			      tpsim_page_physical(machine, b.chunks[i].page));
		CHECK(t, check_fill(t, b.chunks[i].page, TTMPOOL_CACHED,
				    (unsigned char)(0x10 + i)));
		CHECK(t, check_device_holds(t, b.dev, b.chunks[i].dma.addr,
					    (unsigned char)(0x10 + i)));
	}
	tpos_dma_unmap(b.dev, &b.list, false);
	tpos_pages_free(b.dev, &b.list);
}

/* One device's address is a fault for another. */
static void a_foreign_address_faults(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct tpsim_device *other = device_of(machine, 0);
	struct batch b;
	char byte;

	CHECK(t, batch_of_three(&b, machine));
	CHECK_EQ(t, tpos_dma_map(b.dev, &b.list), 0);
	CHECK_EQ(t, tpsim_device_read(other, b.chunks[0].dma.addr, &byte, 1),
		 -EFAULT);
	CHECK_EQ(t, tpsim_device_read(b.dev, ~(tpos_dma_addr_t)0, &byte, 1),
		 -EFAULT);
	CHECK_EQ(t, counters_of(machine).dma_faults, 2);
	tpos_dma_unmap(b.dev, &b.list, false);
	tpos_pages_free(b.dev, &b.list);
}

/* In lazy mode a stale address works until the IOTLB forgets it, and faults at
 * once if the caller insisted. */
static void a_lazy_unmap_leaves_a_window(struct check *t)
{
	struct tpsim_machine *machine = tpsim_machine_create(
		&(struct tpsim_config){ .iommu = TPSIM_IOMMU_LAZY });
	struct batch b;
	char byte = 1;

	CHECK(t, machine && batch_of_three(&b, machine));
	for (int lazy = 0; lazy < 2; lazy++) {
		tpos_dma_addr_t addr;

		CHECK_EQ(t, tpos_dma_map(b.dev, &b.list), 0);
		addr = b.chunks[0].dma.addr;
		tpos_dma_unmap(b.dev, &b.list, lazy);
		CHECK_EQ(t, tpsim_device_write(b.dev, addr, &byte, 1),
			 lazy ? 0 : -EFAULT);
		tpsim_iotlb_expire(machine);
		CHECK_EQ(t, tpsim_device_write(b.dev, addr, &byte, 1), -EFAULT);
	}
	CHECK_EQ(t, counters_of(machine).iotlb_invalidations, 2);
	tpos_pages_free(b.dev, &b.list);
	tpsim_machine_destroy(machine);
}

/* A map that fails half way has mapped nothing. */
static void a_half_way_map_maps_nothing(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct batch b;

	CHECK(t, batch_of_three(&b, machine));
	tpsim_fault_plan(machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP,
						.nth = 1,
						.after = 2 });
	CHECK_EQ(t, tpos_dma_map(b.dev, &b.list), -ENOSPC);
	CHECK_EQ(t, ledger_of(machine).mappings, 0);
	tpsim_fault_clear(machine);
	tpos_pages_free(b.dev, &b.list);
}

/* What bounces is copied when it is mapped and when that ends, not between. */
static void a_bounce_is_copied_at_both_ends(struct check *t)
{
	struct tpsim_machine *machine = tpsim_machine_create(
		&(struct tpsim_config){ .swiotlb_force = true });
	char cpu = 0x11, device = 0x22, seen = 0;
	struct batch b;

	CHECK(t, machine);
	batch_init(&b, machine, 0);
	CHECK_EQ(t, batch_add(&b, TTMPOOL_PLAIN, 0), 0);
	tpsim_cpu_write(machine, b.chunks[0].page, 0, &cpu, 1, TTMPOOL_CACHED);
	CHECK_EQ(t, tpos_dma_map(b.dev, &b.list), 0);
	CHECK_EQ(t, ledger_of(machine).bounce_slots, 2);
	tpsim_device_read(b.dev, b.chunks[0].dma.addr, &seen, 1);
	CHECK_EQ(t, seen, cpu);
	tpsim_device_write(b.dev, b.chunks[0].dma.addr, &device, 1);
	tpsim_cpu_read(machine, b.chunks[0].page, 0, &seen, 1, TTMPOOL_CACHED);
	CHECK_EQ(t, seen, cpu);
	tpos_dma_unmap(b.dev, &b.list, false);
	tpsim_cpu_read(machine, b.chunks[0].page, 0, &seen, 1, TTMPOOL_CACHED);
	CHECK_EQ(t, seen, device);
	tpos_pages_free(b.dev, &b.list);
	tpsim_machine_destroy(machine);
}

/* Without an IOMMU nothing stops a stray access; it is counted. */
static void a_stray_access_is_counted(struct check *t)
{
	struct tpsim_machine *machine =
		tpsim_machine_create(&(struct tpsim_config){ 0 });
	struct batch b;
	uint64_t addr;
	char byte = 7;

	CHECK(t, machine && batch_of_three(&b, machine));
	addr = tpsim_page_physical(machine, b.chunks[0].page);
	CHECK_EQ(t, tpsim_device_write(b.dev, addr, &byte, 1), 0);
	CHECK_EQ(t, counters_of(machine).stray_dma, 1);
	tpos_pages_free(b.dev, &b.list);
	tpsim_machine_destroy(machine);
}

/* A planned failure strikes the k-th call of its kind, so often, and no other.
 */
static void a_fault_strikes_when_it_is_planned(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	void *ptr[5];
	int failed = 0;

	tpsim_fault_plan(machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC,
						.nth = 2,
						.times = 2 });
	for (int i = 0; i < 5; i++) {
		ptr[i] = tpos_zalloc(machine, 16);
		failed += !ptr[i];
	}
	CHECK(t, ptr[0] && !ptr[1] && !ptr[2] && ptr[3] && ptr[4]);
	CHECK_EQ(t, failed, 2);
	CHECK_EQ(t, tpsim_fault_clear(machine), 2);
	for (int i = 0; i < 5; i++)
		tpos_free(machine, ptr[i]);
}

/* A pointer that is no page of this machine has no chunk. */
static void only_ones_own_pages_have_chunks(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct batch b;

	CHECK(t, batch_of_three(&b, machine));
	tpos_page_set_chunk(b.chunks[0].page, &b.chunks[0]);
	CHECK(t, tpos_page_chunk(b.dev, b.chunks[0].page) == &b.chunks[0]);
	CHECK(t, !tpos_page_chunk(b.dev, b.chunks[0].page + 1));
	CHECK(t, !tpos_page_chunk(b.dev, tpsim_page_of_system(machine)));
	CHECK(t, !tpos_page_chunk(b.dev, NULL));
	CHECK(t, !tpos_page_chunk(b.dev, (tpos_page_t *)(void *)&b));
	tpos_pages_free(b.dev, &b.list);
	CHECK(t, !tpos_page_chunk(b.dev, b.chunks[0].page));
}

static int runs;

static void run_once(struct tpos_work *work)
{
	(void)work;
	runs++;
}

/* Work that is queued twice runs once, and cancelled work does not run. */
static void work_runs_once_for_each_time_it_is_due(struct check *t)
{
	struct tpsim_machine *machine = check_machine(t);
	struct tpos_work work;

	runs = 0;
	tpos_work_init(&work, run_once);
	tpos_work_queue(machine, &work);
	tpos_work_queue(machine, &work);
	CHECK_EQ(t, tpsim_work_run(machine), 1);
	tpos_work_queue(machine, &work);
	tpos_work_cancel(machine, &work);
	CHECK_EQ(t, tpsim_work_run(machine), 0);
	CHECK_EQ(t, runs, 1);
}

/* What the kernel would complain of, the machine stops at. */

static void free_what_is_write_combined(struct batch *b)
{
	tpos_caching_set(b->dev, &b->list, TTMPOOL_WRITE_COMBINED);
	tpos_pages_free(b->dev, &b->list);
}

static void free_what_is_mapped(struct batch *b)
{
	tpos_dma_map(b->dev, &b->list);
	tpos_pages_free(b->dev, &b->list);
}

static void unmap_twice(struct batch *b)
{
	tpos_dma_map(b->dev, &b->list);
	tpos_dma_unmap(b->dev, &b->list, false);
	tpos_dma_unmap(b->dev, &b->list, false);
}

static void free_nothing(struct batch *b)
{
	ttmpool_list_init(&b->list);
	tpos_pages_free(b->dev, &b->list);
}

static void sleep_with_a_spinlock(struct batch *b)
{
	tpos_spinlock_t lock;

	tpos_spin_init(&lock, b->machine, TTMPOOL_RANK_POOL);
	tpos_spin_lock(&lock);
	tpos_pages_clear(b->dev, &b->list);
}

static void lock_against_the_order(struct batch *b)
{
	tpos_spinlock_t pool, manager;

	tpos_spin_init(&pool, b->machine, TTMPOOL_RANK_POOL);
	tpos_spin_init(&manager, b->machine, TTMPOOL_RANK_MANAGER);
	tpos_spin_lock(&pool);
	tpos_spin_lock(&manager);
}

static void unlock_what_is_not_held(struct batch *b)
{
	tpos_spinlock_t lock;

	tpos_spin_init(&lock, b->machine, TTMPOOL_RANK_POOL);
	tpos_spin_unlock(&lock);
}

static void go_with_pages_out(struct batch *b)
{
	tpsim_machine_destroy(b->machine);
}

static void go_with_mappings_live(struct batch *b)
{
	tpos_dma_map(b->dev, &b->list);
	tpsim_device_destroy(b->dev);
}

static void what_a_kernel_would_complain_of_aborts(struct check *t)
{
	static void (*const deeds[])(struct batch * b) = {
		free_what_is_write_combined,
		free_what_is_mapped,
		unmap_twice,
		free_nothing,
		sleep_with_a_spinlock,
		lock_against_the_order,
		unlock_what_is_not_held,
		go_with_pages_out,
		go_with_mappings_live,
	};

	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++)
		CHECK_EQ(t, aborts(deeds[i], check_machine(t)) ? 0 : i + 1, 0);
}

/* A machine that cannot be is not built. */
static void an_impossible_machine_is_refused(struct check *t)
{
	CHECK(t, !tpsim_machine_create(
			 &(struct tpsim_config){ .page_shift = 13 }));
	CHECK(t,
	      !tpsim_machine_create(&(struct tpsim_config){ .nr_nodes = 99 }));
	CHECK(t,
	      !tpsim_machine_create(&(struct tpsim_config){ .max_order = 99 }));
}

CHECK_SUITE(machine, CHECK_CASE(blocks_are_aligned_zero_and_merged),
	    CHECK_CASE(fragmented_memory_has_no_large_blocks),
	    CHECK_CASE(a_caching_batch_is_one_flush),
	    CHECK_CASE(an_alias_is_refused_and_counted),
	    CHECK_CASE(a_half_way_change_is_rolled_back),
	    CHECK_CASE(an_iova_reaches_the_page),
	    CHECK_CASE(a_foreign_address_faults),
	    CHECK_CASE(a_lazy_unmap_leaves_a_window),
	    CHECK_CASE(a_half_way_map_maps_nothing),
	    CHECK_CASE(a_bounce_is_copied_at_both_ends),
	    CHECK_CASE(a_stray_access_is_counted),
	    CHECK_CASE(a_fault_strikes_when_it_is_planned),
	    CHECK_CASE(only_ones_own_pages_have_chunks),
	    CHECK_CASE(work_runs_once_for_each_time_it_is_due),
	    CHECK_CASE(what_a_kernel_would_complain_of_aborts),
	    CHECK_CASE(an_impossible_machine_is_refused));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_machine, &config);
}
