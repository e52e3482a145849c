// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The library on many kinds of machines: what a device reports decides how it gets pages
 * (S3); bounce buffers (S13), IOVA space that runs out (S6), NUMA nodes, masks.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

/* A device on a machine of its own, with a manager and a pool. */
struct site {
	struct tpsim_machine *machine;
	struct tpsim_device *dev;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	tpos_page_t *pages[4096];
	tpos_dma_addr_t addrs[4096];
};

static struct site *site_open(struct check *t, const struct tpsim_config *mc,
			      const struct tpsim_device_config *dc)
{
	struct site *site = check_zalloc(t, sizeof(*site));
	struct ttmpool_manager_config config = {
		.page_budget = TTMPOOL_NO_LIMIT, .pool_limit = TTMPOOL_NO_LIMIT
	};
	struct ttmpool_policy policy;
	struct ttmpool_pool_config pool = { .name = "site",
					    .node = TTMPOOL_NODE_OF_DEVICE,
					    .policy = &policy };
	struct tpos_device_info info;

	if (!site)
		return NULL;
	site->machine = tpsim_machine_create(mc);
	if (!site->machine)
		return NULL;
	site->dev = tpsim_device_create(site->machine, dc);
	config.system = site->machine;
	pool.dev = site->dev;
	if (!site->dev || ttmpool_manager_init(&site->mgr, &config))
		return NULL;
	tpos_device_query(site->dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.refill = false; /* the cases count pages */
	return ttmpool_pool_init(&site->pool, &site->mgr, &pool) ? NULL : site;
}

static bool site_close(struct site *site)
{
	bool good = ttmpool_manager_is_valid(&site->mgr);

	good &= !ttmpool_pool_fini(&site->pool);
	good &= !ttmpool_manager_fini(&site->mgr);
	good &= tpsim_ledger_is_empty(site->machine);
	tpsim_machine_destroy(site->machine);
	return good;
}

static int site_take(struct site *site, enum ttmpool_source source, size_t n)
{
	struct ttmpool_request req = { .source = source,
				       .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = n };

	return ttmpool_pool_take(&site->pool, &req, site->pages, site->addrs);
}

static int site_give(struct site *site, size_t n)
{
	return ttmpool_pool_give(&site->pool, site->pages, n,
				 TTMPOOL_WRITE_COMBINED);
}

static struct tpsim_counters site_counters(struct site *site)
{
	struct tpsim_counters counters;

	tpsim_counters(site->machine, &counters);
	return counters;
}

#define ANYWHERE                         \
	&(struct tpsim_device_config)    \
	{                                \
		.node = TTMPOOL_NODE_ANY \
	}
#define MASK_28                                                 \
	&(struct tpsim_device_config)                           \
	{                                                       \
		.node = TTMPOOL_NODE_ANY, .dma_mask = 0xfffffff \
	}

/* 1 GiB: more than 28 bits reach. */
#define LARGE .ram_pages = 262144

/* A device that reaches all memory gets plain pages. */
static void s03_a_device_that_reaches_all_gets_plain_pages(struct check *t)
{
	struct site *site =
		site_open(t, &(struct tpsim_config){ LARGE }, ANYWHERE);

	CHECK(t, site);
	CHECK(t, ttmpool_backend_choose(&site->pool) == &ttmpool_backend_plain);
	CHECK(t, site_close(site));
}

/* Without an IOMMU, a device that does not reach all memory gets coherent pages. */
static void s03_a_short_sighted_device_gets_coherent_pages(struct check *t)
{
	struct site *site =
		site_open(t, &(struct tpsim_config){ LARGE }, MASK_28);

	CHECK(t, site);
	CHECK(t,
	      ttmpool_backend_choose(&site->pool) == &ttmpool_backend_coherent);
	CHECK(t, site_close(site));
}

/* Behind an IOMMU, such a device gets plain pages, because the IOMMU can give any page an
 * address that the device reaches. */
static void s03_an_iommu_makes_up_for_a_short_mask(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ LARGE, .iommu = TPSIM_IOMMU_STRICT },
		MASK_28);

	CHECK(t, site);
	CHECK(t, ttmpool_backend_choose(&site->pool) == &ttmpool_backend_plain);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 4096), 0);
	for (int i = 0; i < 4096; i++)
		CHECK(t, site->addrs[i] <= 0xfffffff - 4095);
	CHECK_EQ(t, site_give(site, 4096), 0);
	CHECK(t, site_close(site));
}

/* If the machine forces bouncing, every device gets coherent pages. */
static void s03_forced_bouncing_means_coherent_pages(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ LARGE, .swiotlb_force = true },
		ANYWHERE);

	CHECK(t, site);
	CHECK(t,
	      ttmpool_backend_choose(&site->pool) == &ttmpool_backend_coherent);
	CHECK(t, site_close(site));
}

/* On a machine with SWIOTLB, coherent pages need no slot and no sync. */
static void s13_coherent_pages_do_not_bounce(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ LARGE, .swiotlb_force = true },
		MASK_28);
	struct tpsim_ledger ledger;
	char byte = 0x42, seen = 0;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_COHERENT, 600), 0);
	tpsim_ledger(site->machine, &ledger);
	CHECK_EQ(t, ledger.bounce_slots, 0);
	CHECK_EQ(t,
		 tpsim_cpu_write(site->machine, site->pages[599], 7, &byte, 1,
				 TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK_EQ(t,
		 tpsim_device_read(site->dev, site->addrs[599] + 7, &seen, 1),
		 0);
	CHECK_EQ(t, seen, byte);
	CHECK_EQ(t, site_give(site, 600), 0);
	CHECK_EQ(t, site_counters(site).bounced_bytes, 0);
	CHECK(t, site_close(site));
}

/* Plain pages that bounce occupy slots while they are in use, but not while they are
 * pooled. */
static void s13_no_slot_is_held_by_pooled_pages(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ LARGE, .swiotlb_force = true },
		ANYWHERE);
	struct tpsim_ledger ledger;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 300), 0);
	tpsim_ledger(site->machine, &ledger);
	CHECK_EQ(t, ledger.bounce_slots, 600);
	CHECK_EQ(t, site_give(site, 300), 0);
	tpsim_ledger(site->machine, &ledger);
	CHECK_EQ(t, ledger.bounce_slots, 0);
	CHECK_EQ(t, ledger.pages_plain, 300);
	CHECK(t, site_close(site));
}

/* No chunk is larger than the largest mapping of the device. */
static void s13_chunks_fit_the_largest_mapping(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ LARGE, .swiotlb_force = true },
		ANYWHERE);

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 512), 0);
	CHECK_EQ(t, site_give(site, 512), 0);
	/* 256 KiB: 64 pages, order 6. */
	CHECK_EQ(t,
		 ttmpool_pool_count(&site->pool, TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 6),
		 8);
	CHECK(t, site_close(site));
}

/* If there are too few slots, the request fails, and the slots that it had are free
 * again. */
static void s13_a_shortage_of_slots_is_survived(struct check *t)
{
	struct site *site =
		site_open(t,
			  &(struct tpsim_config){ LARGE, .swiotlb_force = true,
						  .swiotlb_slots = 256 },
			  ANYWHERE);

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 129), -ENOSPC);
	CHECK(t, !site->pages[0] && !site->addrs[0]);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 128), 0);
	CHECK_EQ(t, site_give(site, 128), 0);
	CHECK(t, site_close(site));
}

#define SMALL_IOVA                                                 \
	&(struct tpsim_config)                                     \
	{                                                          \
		.iommu = TPSIM_IOMMU_STRICT, .iova_bytes = 4 << 20 \
	}

/* If the IOVA space is exhausted, kept mappings end for the addresses that a request
 * needs. */
static void s06_iova_space_is_taken_from_pooled_pages(struct check *t)
{
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);
	struct ttmpool_request uc = { .caching = TTMPOOL_UNCACHED,
				      .num_pages = 900 };
	struct ttmpool_pool_stats stats;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 900), 0);
	CHECK_EQ(t, site_give(site, 900), 0);
	CHECK_EQ(t,
		 ttmpool_pool_take(&site->pool, &uc, site->pages, site->addrs),
		 0);
	ttmpool_pool_stats(&site->pool, &stats);
	CHECK_EQ(t, stats.pages_pooled, 900);
	CHECK_EQ(t,
		 ttmpool_pool_give(&site->pool, site->pages, 900,
				   TTMPOOL_UNCACHED),
		 0);
	CHECK(t, site_close(site));
}

/* Kept mappings also end for coherent pages. */
static void s06_kept_mappings_go_for_coherent_pages(struct check *t)
{
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);
	struct ttmpool_pool_stats stats;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 1000), 0);
	CHECK_EQ(t, site_give(site, 1000), 0);
	CHECK_EQ(t, site_take(site, TTMPOOL_COHERENT, 200), 0);
	ttmpool_pool_stats(&site->pool, &stats);
	CHECK_EQ(t, stats.pages_pooled, 1000);
	CHECK_EQ(t, site_give(site, 200), 0);
	CHECK(t, site_close(site));
}

#define SINGLES 1000

/* The number of pages that can be mapped: all but page 0. */
#define FULL_IOVA 1023

/* Keep nearly all of the address space mapped, as single pages; no two neighbours are of
 * the same age. */
static bool site_keep_singles(struct site *site)
{
	static tpos_page_t *pages[SINGLES];

	for (int i = 0; i < SINGLES; i++) {
		if (site_take(site, TTMPOOL_PLAIN, 1))
			return false;
		pages[i] = site->pages[0];
	}
	for (int i = 0; i < 2 * SINGLES; i++) {
		site->pages[0] = pages[i % SINGLES];
		if (i % 2 == i / SINGLES && site_give(site, 1))
			return false;
	}
	return true;
}

/* If the free addresses are in pieces, a request ends not many more mappings than it
 * needs addresses, because the pool tries smaller chunks before it ends more mappings.
 * The same holds if the IOMMU frees addresses late. */
static void s06_addresses_in_pieces_cost_what_is_wanted(struct check *t)
{
	for (int i = 0; i < 2 * TTMPOOL_SOURCE_COUNT; i++) {
		struct tpsim_config config = *SMALL_IOVA;
		struct ttmpool_request uc = { .source = i / 2,
					      .caching = TTMPOOL_UNCACHED,
					      .num_pages = 64 };
		struct ttmpool_pool_stats before, after;
		struct site *site;

		if (i % 2)
			config.iommu = TPSIM_IOMMU_LAZY;
		site = site_open(t, &config, ANYWHERE);
		CHECK(t, site && site_keep_singles(site));
		ttmpool_pool_stats(&site->pool, &before);
		CHECK_EQ(t,
			 ttmpool_pool_take(&site->pool, &uc, site->pages,
					   site->addrs),
			 0);
		ttmpool_pool_stats(&site->pool, &after);
		CHECK(t, after.unmaps - before.unmaps <= 2 * 64);
		CHECK_EQ(t,
			 ttmpool_pool_give(&site->pool, site->pages, 64,
					   TTMPOOL_UNCACHED),
			 0);
		CHECK(t, site_close(site));
	}
}

/* For spare pages of a refill, no mapping ends, even if there are no addresses left. */
static void s06_no_mapping_goes_for_spare_pages(struct check *t)
{
	static tpos_page_t *pages[FULL_IOVA];
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);
	struct ttmpool_request uc = { .source = TTMPOOL_COHERENT,
				      .caching = TTMPOOL_UNCACHED,
				      .num_pages = 1 };
	struct ttmpool_pool_stats before, after;

	CHECK(t, site);
	for (int i = 0; i < FULL_IOVA; i++) {
		CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 1), 0);
		pages[i] = site->pages[0];
	}
	for (int i = 0; i < FULL_IOVA; i++) {
		site->pages[0] = pages[i];
		CHECK_EQ(t, site_give(site, 1), 0);
	}
	site->pool.policy.refill = true;
	ttmpool_pool_stats(&site->pool, &before);
	CHECK_EQ(t,
		 ttmpool_pool_take(&site->pool, &uc, site->pages, site->addrs),
		 0);
	ttmpool_pool_stats(&site->pool, &after);
	CHECK_EQ(t, after.unmaps - before.unmaps, 1);
	CHECK_EQ(t,
		 ttmpool_pool_give(&site->pool, site->pages, 1,
				   TTMPOOL_UNCACHED),
		 0);
	CHECK(t, site_close(site));
}

/* If that is still not enough, the request fails with -ENOSPC, and everything is as it
 * was. */
static void s06_exhausted_iova_space_is_told(struct check *t)
{
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 1100), -ENOSPC);
	CHECK(t, !site->pages[0] && !site->addrs[0]);
	CHECK(t, tpsim_ledger_is_empty(site->machine) ||
			 ttmpool_manager_is_valid(&site->mgr));
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 900), 0);
	CHECK_EQ(t, site_give(site, 900), 0);
	CHECK(t, site_close(site));
}

/* All chunks of a magazine have one order: if the IOVA space or the memory has no room
 * for them, the pool does not try smaller ones. */
static void s06_a_magazine_has_no_smaller_chunks(struct check *t)
{
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);
	struct ttmpool_chunk *chunks[4], *out[2];
	struct ttmpool_magazine mag;
	struct ttmpool_owner owner;
	struct ttmpool_magazine_config config = {
		.caching = TTMPOOL_WRITE_COMBINED,
		.order = 9,
		.mapped = true,
		.owner = &owner,
		.chunks = chunks,
		.room = 4,
	};

	CHECK(t, site);
	config.pool = &site->pool;
	ttmpool_owner_init(&owner, "ring");
	CHECK_EQ(t, ttmpool_magazine_init(&mag, &config), 0);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 100), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&mag, out, 2), -ENOSPC);
	tpsim_fault_plan(site->machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1 });
	CHECK_EQ(t, ttmpool_magazine_get(&mag, out, 2), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(site->machine), 1);
	CHECK_EQ(t, site_give(site, 100), 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, site_close(site));
}

#define PIECES 60 /* of 64 KiB */

/* Fill all of the address space with such pieces, and give every second one back. */
static bool site_fragment(struct site *site, tpos_page_t **kept)
{
	for (int i = 0; i < PIECES; i++) {
		if (site_take(site, TTMPOOL_PLAIN, 16))
			return false;
		kept[i] = site->pages[0];
	}
	for (int i = 0; i < PIECES; i += 2) {
		for (size_t j = 0; j < 16; j++)
			site->pages[j] = tpos_page_nth(kept[i], j);
		if (site_give(site, 16))
			return false;
	}
	ttmpool_pool_drain(&site->pool);
	return true;
}

static bool site_mend(struct site *site, tpos_page_t **kept)
{
	for (int i = 1; i < PIECES; i += 2) {
		for (size_t j = 0; j < 16; j++)
			site->pages[j] = tpos_page_nth(kept[i], j);
		if (site_give(site, 16))
			return false;
	}
	return true;
}

/* If the IOVA space is in pieces, a buffer gets smaller chunks; no page is allocated
 * twice, and each page is converted once, in one batch. */
static void
s06_fragmented_iova_space_is_filled_with_small_chunks(struct check *t)
{
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);
	struct ttmpool_pool_stats before, after;
	tpos_page_t *kept[PIECES];

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 0), -EINVAL);
	CHECK(t, site_fragment(site, kept));
	ttmpool_pool_stats(&site->pool, &before);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 256), 0);
	ttmpool_pool_stats(&site->pool, &after);
	CHECK(t, after.fallbacks > before.fallbacks);
	CHECK_EQ(t, after.caching_batches, before.caching_batches + 1);
	CHECK_EQ(t, after.pages_fresh, before.pages_fresh + 256);
	CHECK_EQ(t, after.pages_released, before.pages_released);
	CHECK_EQ(t, site_give(site, 256), 0);
	CHECK(t, site_mend(site, kept));
	CHECK(t, site_close(site));
}

/* Each piece needs a descriptor; if there is none, the request fails, and nothing is
 * lost. */
static void s06_pieces_need_descriptors(struct check *t)
{
	struct site *site = site_open(t, SMALL_IOVA, ANYWHERE);
	struct ttmpool_pool_stats before, after;
	tpos_page_t *kept[PIECES];

	CHECK(t, site);
	CHECK(t, site_fragment(site, kept));
	ttmpool_pool_stats(&site->pool, &before);
	for (unsigned long nth = 2; nth <= 5; nth++) {
		tpsim_fault_plan(
			site->machine,
			&(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC,
					       .nth = nth });
		CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 256), -ENOMEM);
		CHECK_EQ(t, tpsim_fault_clear(site->machine), 1);
	}
	ttmpool_pool_stats(&site->pool, &after);
	CHECK_EQ(t, after.pages_in_use, before.pages_in_use);
	CHECK_EQ(t, after.bytes_mapped, before.bytes_mapped);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 256), 0);
	CHECK_EQ(t, site_give(site, 256), 0);
	CHECK(t, site_mend(site, kept));
	CHECK(t, site_close(site));
}

/* The limits of the device and of the machine bound what the policy asks for. */
static void device_and_machine_bound_the_policy(struct check *t)
{
	struct site *single = site_open(
		t, &(struct tpsim_config){ .iommu = TPSIM_IOMMU_STRICT },
		&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY,
					       .max_mapping = 4096 });
	struct site *small = site_open(
		t, &(struct tpsim_config){ .max_order = 3 }, ANYWHERE);
	struct ttmpool_pool_stats stats;

	CHECK(t, single && small);
	CHECK_EQ(t, site_take(single, TTMPOOL_PLAIN, 16), 0);
	CHECK_EQ(t, site_give(single, 16), 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(&single->pool, TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 0),
		 16);
	CHECK_EQ(t, site_take(small, TTMPOOL_PLAIN, 16), 0);
	CHECK_EQ(t, site_give(small, 16), 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(&small->pool, TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 3),
		 2);
	/* The pool does not even try orders that the machine does not have. */
	ttmpool_pool_stats(&small->pool, &stats);
	CHECK_EQ(t, stats.fallbacks, 0);
	CHECK(t, site_close(single));
	CHECK(t, site_close(small));
}

/* S11: the hysteresis of a large pool is 512 pages, not an eighth of it. */
static void s11_the_hysteresis_is_bounded(struct check *t)
{
	struct site *site = site_open(t, &(struct tpsim_config){ 0 }, ANYWHERE);
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 10240 };
	struct ttmpool_manager_stats stats;

	CHECK(t, site);
	CHECK_EQ(t, ttmpool_pool_prime(&site->pool, &req, false), 0);
	ttmpool_manager_set_pool_limit(&site->mgr, 8192);
	ttmpool_manager_stats(&site->mgr, &stats);
	CHECK_EQ(t, stats.pages_pooled, 8192 - 512);
	CHECK(t, site_close(site));
}

/* In fragmented memory, chunks of smaller orders serve a request. */
static void fragmented_memory_is_served_by_single_pages(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ .iommu = TPSIM_IOMMU_STRICT },
		ANYWHERE);
	struct ttmpool_pool_stats stats;

	CHECK(t, site);
	tpsim_ram_fragment(site->machine, 0);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 100), 0);
	CHECK_EQ(t, site_give(site, 100), 0);
	ttmpool_pool_stats(&site->pool, &stats);
	CHECK(t, stats.fallbacks > 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(&site->pool, TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 0),
		 100);
	CHECK_EQ(t, stats.caching_batches, 1);
	tpsim_ram_release(site->machine);
	CHECK(t, site_close(site));
}

/* Unless the policy says lazy_unmap, a page that has gone to the system is out of the
 * device's reach, even behind a lazy IOMMU: a stale access faults. */
static void s13_a_stale_access_faults(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ .iommu = TPSIM_IOMMU_LAZY },
		ANYWHERE);
	char byte = 1;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 9), 0);
	CHECK_EQ(t, tpsim_device_write(site->dev, site->addrs[8], &byte, 1), 0);
	CHECK_EQ(t, site_give(site, 9), 0);
	ttmpool_pool_drain(&site->pool);
	CHECK_EQ(t, tpsim_device_write(site->dev, site->addrs[8], &byte, 1),
		 -EFAULT);
	CHECK_EQ(t, site_counters(site).dma_faults, 1);
	CHECK(t, site_close(site));
}

/* No page that is not in use stays mapped for an untrusted device. */
static void an_untrusted_device_keeps_no_mapping(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ .iommu = TPSIM_IOMMU_LAZY },
		&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY,
					       .untrusted = true });
	char byte = 1;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 9), 0);
	CHECK_EQ(t, tpsim_device_write(site->dev, site->addrs[0], &byte, 1), 0);
	CHECK_EQ(t, site_give(site, 9), 0);
	CHECK_EQ(t, tpsim_device_write(site->dev, site->addrs[0], &byte, 1),
		 -EFAULT);
	CHECK(t, site_close(site));
}

#define TWO_NODES                                \
	&(struct tpsim_config)                   \
	{                                        \
		.nr_nodes = 2, .ram_pages = 8192 \
	}
#define ON_NODE_1                     \
	&(struct tpsim_device_config) \
	{                             \
		.node = 1             \
	}

static size_t pages_on_node(struct site *site, size_t n, int node)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += tpos_page_node(site->dev, site->pages[i]) == node;
	return count;
}

/* Pages are of the device's node as long as it has any. */
static void pages_are_of_the_devices_node(struct check *t)
{
	struct site *site = site_open(t, TWO_NODES, ON_NODE_1);

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 700), 0);
	CHECK_EQ(t, pages_on_node(site, 700, 1), 700);
	CHECK_EQ(t, site_give(site, 700), 0);
	CHECK(t, site_close(site));
}

/* When the device's node is full, the request gets pages of another node. */
static void a_full_node_is_helped_out_by_another(struct check *t)
{
	struct site *site = site_open(t, TWO_NODES, ON_NODE_1);

	CHECK(t, site);
	tpsim_ram_hold(site->machine, 1, 40);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 100), 0);
	CHECK_EQ(t, pages_on_node(site, 100, 1), 40);
	CHECK_EQ(t, site_give(site, 100), 0);
	tpsim_ram_release(site->machine);
	CHECK(t, site_close(site));
}

/* While pages of the right node are pooled, none of another node is handed out, even if
 * those came back last, in larger chunks. */
static void the_right_node_goes_first(struct check *t)
{
	struct site *site = site_open(t, TWO_NODES, ON_NODE_1);

	CHECK(t, site);
	for (int i = 0; i < 8; i++) /* eight single pages of node 1 */
		CHECK_EQ(t,
			 ttmpool_pool_take(
				 &site->pool,
				 &(struct ttmpool_request){
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .num_pages = 1 },
				 site->pages + i, NULL),
			 0);
	CHECK_EQ(t, site_give(site, 8), 0);
	tpsim_ram_hold(site->machine, 1, 0);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 16), 0);
	CHECK_EQ(t, pages_on_node(site, 16, 1), 8);
	CHECK_EQ(t, site_give(site, 16), 0);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 8), 0);
	CHECK_EQ(t, pages_on_node(site, 8, 1), 8);
	CHECK_EQ(t, site_give(site, 8), 0);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 16), 0);
	CHECK_EQ(t, pages_on_node(site, 16, 1), 8);
	CHECK_EQ(t, site_give(site, 16), 0);
	tpsim_ram_release(site->machine);
	CHECK(t, site_close(site));
}

/* When the system has no memory left, it shrinks the pool; then the request that caused
 * this succeeds. */
static void s11_a_shortage_of_memory_shrinks_the_pool(struct check *t)
{
	struct site *site = site_open(
		t, &(struct tpsim_config){ .ram_pages = 4096 }, ANYWHERE);
	struct ttmpool_request uc = { .caching = TTMPOOL_UNCACHED,
				      .num_pages = 2500 };
	struct ttmpool_manager_stats stats;

	CHECK(t, site);
	CHECK_EQ(t, site_take(site, TTMPOOL_PLAIN, 2500), 0);
	CHECK_EQ(t, site_give(site, 2500), 0);
	CHECK_EQ(t,
		 ttmpool_pool_take(&site->pool, &uc, site->pages, site->addrs),
		 0);
	ttmpool_manager_stats(&site->mgr, &stats);
	CHECK(t, stats.pages_shrunk > 0);
	CHECK_EQ(t,
		 ttmpool_pool_give(&site->pool, site->pages, 2500,
				   TTMPOOL_UNCACHED),
		 0);
	CHECK(t, site_close(site));
}

/* Two machines in one process do not affect each other. */
static void two_machines_are_independent(struct check *t)
{
	struct site *a = site_open(t, TWO_NODES, ANYWHERE);
	struct site *b = site_open(t, SMALL_IOVA, ANYWHERE);
	struct tpsim_counters before;

	CHECK(t, a && b);
	before = site_counters(b);
	tpsim_fault_plan(b->machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1 });
	CHECK_EQ(t, site_take(a, TTMPOOL_PLAIN, 77), 0);
	CHECK_EQ(t, site_counters(b).ns, before.ns);
	CHECK_EQ(t, tpsim_fault_clear(b->machine), 0);
	CHECK_EQ(t,
		 ttmpool_pool_give(&b->pool, a->pages, 77,
				   TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK_EQ(t, tpsim_reports(b->machine, TTMPOOL_REPORT_FOREIGN), 1);
	CHECK_EQ(t, tpsim_reports(a->machine, TTMPOOL_REPORT_FOREIGN), 0);
	CHECK_EQ(t, site_give(a, 77), 0);
	CHECK(t, site_close(a));
	CHECK(t, site_close(b));
}

/* If the policy says scrub, the worker clears pages that have come back. */
static void a_worker_scrubs_where_the_policy_wants_it(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_stats stats;
	struct buffer *buf;
	struct rig *rig;

	policy.scrub = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 600,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 0);
	CHECK_EQ(t, tpsim_work_run(check_machine(t)), 1);
	stats = rig_stats(rig);
	CHECK_EQ(t, stats.bytes_cleared, 600 * 4096);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 600 * 4096);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages that were mapped in place while the mask of their device was wider, and were pooled
 * since, are not handed out by an address beyond the mask that it has now. */
static void f57_what_was_mapped_in_place_by_a_wider_mask_goes(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .mask_bits = 24 });
	struct buffer_config config = { .num_pages = 64,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *a, *b;

	CHECK(t, rig);
	a = buffer_ready(t, rig, &config, 1);
	config.pool = 1;
	b = buffer_open(t, rig, &config);
	CHECK(t, a && b && !ttmpool_to_anonymous(&a->be));
	CHECK_EQ(t, ttmpool_handover(&a->be, &b->be), 0);
	check_set_mask(t, rig->dev[1], 64);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK(t, b->dma_addr[0] >= 1 << 24 && buffer_is_stamped(t, b, 1));
	check_set_mask(t, rig->dev[1], 24);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, ttmpool_populate(&b->be), 0);
	for (size_t i = 0; i < 64; i++)
		CHECK(t, check_device_holds(t, rig->dev[1], b->dma_addr[i], 0));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(dma, CHECK_CASE(s03_a_device_that_reaches_all_gets_plain_pages),
	    CHECK_CASE(s03_a_short_sighted_device_gets_coherent_pages),
	    CHECK_CASE(s03_an_iommu_makes_up_for_a_short_mask),
	    CHECK_CASE(s03_forced_bouncing_means_coherent_pages),
	    CHECK_CASE(s13_coherent_pages_do_not_bounce),
	    CHECK_CASE(s13_no_slot_is_held_by_pooled_pages),
	    CHECK_CASE(s13_chunks_fit_the_largest_mapping),
	    CHECK_CASE(s13_a_shortage_of_slots_is_survived),
	    CHECK_CASE(s13_a_stale_access_faults),
	    CHECK_CASE(s06_iova_space_is_taken_from_pooled_pages),
	    CHECK_CASE(s06_kept_mappings_go_for_coherent_pages),
	    CHECK_CASE(s06_addresses_in_pieces_cost_what_is_wanted),
	    CHECK_CASE(s06_no_mapping_goes_for_spare_pages),
	    CHECK_CASE(s06_exhausted_iova_space_is_told),
	    CHECK_CASE(s06_a_magazine_has_no_smaller_chunks),
	    CHECK_CASE(s06_fragmented_iova_space_is_filled_with_small_chunks),
	    CHECK_CASE(s06_pieces_need_descriptors),
	    CHECK_CASE(device_and_machine_bound_the_policy),
	    CHECK_CASE(s11_the_hysteresis_is_bounded),
	    CHECK_CASE(fragmented_memory_is_served_by_single_pages),
	    CHECK_CASE(an_untrusted_device_keeps_no_mapping),
	    CHECK_CASE(pages_are_of_the_devices_node),
	    CHECK_CASE(a_full_node_is_helped_out_by_another),
	    CHECK_CASE(the_right_node_goes_first),
	    CHECK_CASE(s11_a_shortage_of_memory_shrinks_the_pool),
	    CHECK_CASE(two_machines_are_independent),
	    CHECK_CASE(a_worker_scrubs_where_the_policy_wants_it),
	    CHECK_CASE(f57_what_was_mapped_in_place_by_a_wider_mask_goes));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_dma, &config);
}
