// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The world of the model: two pools on one manager, and a few small buffers of every
 * kind, with budgets so small that the buffers swap each other out. The seed decides what
 * the machine is: its IOMMU, one node or two, stores that take over pages, bouncing, an
 * untrusted device, policies, few addresses, both pools on one device, with an address
 * budget or without.
 */

#include <stdlib.h>

#include "world.h"

/* splitmix64: a number made from a number. */
uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

bool asked_in_vain;

/* The swapper does not ask a buffer for pages that has none to give. */
static bool model_trylock(struct ttmpool_backend *be)
{
	struct item *item = ttmpool_list_entry(be, struct item, be);
	bool got = !item->locked;

	if (got && (be->tt.state == TTMPOOL_TT_EMPTY ||
		    be->tt.state == TTMPOOL_TT_BOUND ||
		    be->tt.state == TTMPOOL_TT_SWAPPED))
		asked_in_vain = true;
	item->locked = true;
	return got;
}

static void model_unlock(struct ttmpool_backend *be)
{
	ttmpool_list_entry(be, struct item, be)->locked = false;
}

static int plain_populate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.populate(be);
}

static int coherent_populate(struct ttmpool_backend *be)
{
	return ttmpool_backend_coherent.populate(be);
}

static int stock_unpopulate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.unpopulate(be);
}

static const struct ttmpool_backend_funcs kinds[TTMPOOL_SOURCE_COUNT] = {
	{ .name = "plain",
	  .populate = plain_populate,
	  .unpopulate = stock_unpopulate,
	  .movable = true,
	  .source = TTMPOOL_PLAIN,
	  .trylock = model_trylock,
	  .unlock = model_unlock },
	{ .name = "coherent",
	  .populate = coherent_populate,
	  .unpopulate = stock_unpopulate,
	  .movable = true,
	  .source = TTMPOOL_COHERENT,
	  .trylock = model_trylock,
	  .unlock = model_unlock },
};

/* The choices of a policy, one bit each. */
static struct ttmpool_policy policy_of(struct world *w, int i)
{
	uint64_t r = mix(w->seed ^ mix((uint64_t)i + 77));
	struct ttmpool_policy policy;
	struct tpos_device_info info;

	tpos_device_query(w->dev[i], &info);
	ttmpool_policy_init(&policy, &info);
	policy.max_order = MAX_ORDER;
	policy.keep_mapped = r % 4 != 0;
	policy.refill = r >> 8 & 1;
	policy.scrub = r >> 9 & 1;
	policy.lazy_unmap = (r >> 10) % 8 == 0;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = r >> 16 & 1;
	policy.stock = r >> 18 & 3;
	return policy;
}

static void world_open_pools(struct world *w)
{
	uint64_t r = mix(w->seed ^ 5);
	const struct tpsim_device_config dev_config[NR_POOLS] = {
		{ .node = TTMPOOL_NODE_ANY, .untrusted = r % 8 == 0 },
		{ .node = TTMPOOL_NODE_ANY, .dma_mask = (1u << 30) - 1 },
	};

	for (int i = 0; i < NR_POOLS; i++) {
		struct ttmpool_policy policy;
		struct ttmpool_pool_config config = {
			.name = i ? "b" : "a",
			.node = w->config.nr_nodes > 1 ? i : TTMPOOL_NODE_ANY,
			.iova = w->shares_iova ? &w->iova : NULL,
			.mapped_limit =
				i ? (uint64_t)POOL_LIMIT_B << w->page_shift : 0,
			.mapped_low = i ? 100ull << w->page_shift : 0,
			.policy = &policy,
		};

		w->dev[i] = i && w->one_device
				    ? w->dev[0]
				    : tpsim_device_create(w->machine,
							  &dev_config[i]);
		if (!w->dev[i])
			abort();
		config.dev = w->dev[i];
		policy = policy_of(w, i);
		if (ttmpool_pool_init(&w->pool[i], &w->mgr, &config))
			abort();
		ttmpool_owner_init(&w->owner[i], config.name);
	}
}

static void world_open_items(struct world *w)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		struct item *item = &w->items[i];
		uint64_t r = mix(w->seed + (uint64_t)i);
		struct ttmpool_backend_config be_config = {
			.pool = &w->pool[i % NR_POOLS],
			.owner = &w->owner[i % NR_POOLS],
			.funcs = &kinds[i / 2 % 2],
			.pages = item->pages,
			.dma_addr = r % 8 ? item->dma_addr : NULL,
			.num_pages = 1 + (r >> 8) % MAX_PAGES,
			.caching = (enum ttmpool_caching)(
				(r >> 16) % TTMPOOL_CACHING_COUNT),
			.wait_ms = (r >> 24) % 4 ? 0 : 150,
		};

		if (i >= NR_BUFFERS / 2) /* so that hand-overs fit */
			be_config.num_pages =
				w->items[i - NR_BUFFERS / 2].be.tt.num_pages;
		if (ttmpool_backend_init(&item->be, &be_config))
			abort();
	}
}

static struct tpsim_config machine_of(const struct world *w)
{
	uint64_t r = mix(w->seed ^ 6);
	struct tpsim_config config = { .ram_pages = w->large ? MOST_RAM : 1024,
				       .store_pages = 80,
				       .page_shift = w->page_shift };

	config.iommu = (enum tpsim_iommu)(w->seed % 3);
	config.store_adopts = w->seed & 4;
	config.shared_iova = r >> 25 & 1;
	config.nr_nodes = r % 4 ? 1 : 2;
	config.swiotlb_force = config.iommu == TPSIM_IOMMU_OFF &&
			       (r >> 8) % 4 == 0;
	if (config.swiotlb_force) /* few, so that they run out */
		config.swiotlb_slots = 256;
	if (config.iommu != TPSIM_IOMMU_OFF &&
	    (r >> 16) % (w->one_device ? 2 : 4) == 0)
		config.iova_bytes = (24 + (r >> 20) % 32) << w->page_shift;
	return config;
}

void world_open(struct world *w, uint64_t seed, unsigned int page_shift)
{
	struct ttmpool_manager_config config = { .page_budget = 60,
						 .pool_limit = 30 };
	struct tpsim_ledger ledger;

	*w = (struct world){ .seed = seed,
			     .page_shift = page_shift ? page_shift : 12 };
	w->page_bytes = (size_t)1 << w->page_shift;
	w->large = w->page_shift == 12 && mix(seed ^ 7) % 4 == 0;
	w->one_device = mix(seed ^ 8) % 3 == 0;
	w->shares_iova = mix(seed ^ 9) % 3 != 0;
	w->config = machine_of(w);
	w->machine = tpsim_machine_create(&w->config);
	config.system = w->machine;
	if (!w->machine || ttmpool_manager_init(&w->mgr, &config) ||
	    ttmpool_iova_init(&w->iova, (uint64_t)MAPPED_LIMIT << w->page_shift,
			      150ull << w->page_shift))
		abort();
	tpsim_ledger(w->machine, &ledger);
	w->total_pages = ledger.free_pages;
	w->page_budget = config.page_budget;
	w->pool_limit = config.pool_limit;
	world_open_pools(w);
	world_open_items(w);
}

static void world_close_items(struct world *w)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		struct item *item = &w->items[i];

		ttmpool_lru_remove(&item->be);
		if (item->be.tt.state == TTMPOOL_TT_BOUND)
			ttmpool_unbind(&item->be);
		if (item->be.tt.state != TTMPOOL_TT_EMPTY &&
		    ttmpool_drop(&item->be))
			abort();
		if (ttmpool_backend_fini(&item->be))
			abort();
	}
}

/* Give back pages that were taken without a buffer; in some worlds, forget them. */
static size_t world_forget(struct world *w, const struct ttmpool_pool *pool)
{
	size_t forgotten = 0;

	for (int i = 0; i < NR_RAW; i++) {
		struct raw *raw = &w->raws[i];

		if (!raw->n || raw->pool != pool)
			continue;
		if (w->seed >> 3 & 1)
			forgotten += raw->n;
		else if (ttmpool_pool_give(raw->pool, raw->pages, raw->n,
					   raw->caching))
			abort();
	}
	return forgotten;
}

/* The devices go when their pools have ended, whatever is left: then the manager has
 * pages of them in quarantine. */
void world_close(struct world *w)
{
	world_close_items(w);
	for (int i = 0; i < NR_POOLS; i++) {
		size_t forgotten = world_forget(w, &w->pool[i]);

		if (ttmpool_pool_fini(&w->pool[i]) != forgotten ||
		    ttmpool_owner_fini(&w->owner[i]))
			abort();
		if (i || !w->one_device)
			tpsim_device_destroy(w->dev[i]);
		if (!ttmpool_manager_is_valid(&w->mgr))
			abort();
		ttmpool_manager_shrink_scan(&w->mgr, 1, true);
	}
	ttmpool_iova_fini(&w->iova);
	if (ttmpool_manager_purge_quarantine(&w->mgr) ||
	    ttmpool_manager_fini(&w->mgr))
		abort();
	tpsim_ram_release(w->machine);
	tpsim_machine_destroy(w->machine);
}
