// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The world of the model: two pools for two devices on one manager, and a few
 * small buffers of every kind, with budgets so small that buffers swap each
 * other out.
 */

#include <stdlib.h>

#include "world.h"

/* splitmix64: a number from a number. */
uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static bool model_trylock(struct ttmpool_backend *be)
{
	struct item *item = ttmpool_list_entry(be, struct item, be);
	bool got = !item->locked;

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

static void world_open_pools(struct world *w)
{
	struct tpsim_device_config dev_config[NR_POOLS] = {
		{ .node = TTMPOOL_NODE_ANY },
		{ .node = TTMPOOL_NODE_ANY, .dma_mask = (1u << 30) - 1 },
	};

	for (int i = 0; i < NR_POOLS; i++) {
		struct ttmpool_pool_config config = {
			.name = i ? "b" : "a",
			.node = TTMPOOL_NODE_ANY,
			.iova = &w->iova,
			.mapped_limit = i ? 160 << 12 : 0,
			.mapped_low = i ? 100 << 12 : 0,
		};

		w->dev[i] = tpsim_device_create(w->machine, &dev_config[i]);
		config.dev = w->dev[i];
		if (!config.dev ||
		    ttmpool_pool_init(&w->pool[i], &w->mgr, &config))
			abort();
		ttmpool_owner_init(&w->owner[i], config.name);
	}
}

void world_open(struct world *w, uint64_t seed)
{
	struct tpsim_config machine_config = { .ram_pages = 1024,
					       .store_pages = 80 };
	struct ttmpool_manager_config config = { .page_budget = 60,
						 .pool_limit = 30 };

	machine_config.store_adopts = seed & 4;
	if (seed % 3)
		machine_config.iommu = seed % 3 == 1 ? TPSIM_IOMMU_STRICT
						     : TPSIM_IOMMU_LAZY;
	*w = (struct world){ 0 };
	w->machine = tpsim_machine_create(&machine_config);
	config.system = w->machine;
	if (!w->machine || ttmpool_manager_init(&w->mgr, &config) ||
	    ttmpool_iova_init(&w->iova, 200 << 12, 150 << 12))
		abort();
	world_open_pools(w);
	for (int i = 0; i < NR_BUFFERS; i++) {
		struct item *item = &w->items[i];
		uint64_t r = mix(seed + (uint64_t)i);
		struct ttmpool_backend_config be_config = {
			.pool = &w->pool[i % NR_POOLS],
			.owner = &w->owner[i % NR_POOLS],
			.funcs = &kinds[i / 2 % 2],
			.pages = item->pages,
			.dma_addr = r % 8 ? item->dma_addr : NULL,
			.num_pages = 1 + (r >> 8) % MAX_PAGES,
			.caching = (enum ttmpool_caching)(
				(r >> 16) % TTMPOOL_CACHING_COUNT),
		};

		if (i >= NR_BUFFERS / 2) /* so that hand-overs fit */
			be_config.num_pages =
				w->items[i - NR_BUFFERS / 2].be.tt.num_pages;
		if (ttmpool_backend_init(&item->be, &be_config))
			abort();
	}
}

void world_close(struct world *w)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		struct item *item = &w->items[i];

		ttmpool_lru_remove(&item->be);
		if (item->be.tt.state == TTMPOOL_TT_BOUND)
			ttmpool_unbind(&item->be);
		if (item->be.tt.state != TTMPOOL_TT_EMPTY)
			ttmpool_drop(&item->be);
		if (ttmpool_backend_fini(&item->be))
			abort();
	}
	for (int i = 0; i < NR_POOLS; i++)
		if (ttmpool_pool_fini(&w->pool[i]) ||
		    ttmpool_owner_fini(&w->owner[i]))
			abort();
	ttmpool_iova_fini(&w->iova);
	if (ttmpool_manager_purge_quarantine(&w->mgr) ||
	    ttmpool_manager_fini(&w->mgr))
		abort();
	tpsim_machine_destroy(w->machine);
}

/* How the CPU gets at a page: as it is. */
static enum ttmpool_caching caching_now(struct world *w, tpos_page_t *page)
{
	return tpsim_page_caching(w->machine, page);
}

bool is_resident(const struct item *item)
{
	return item->be.tt.state == TTMPOOL_TT_POPULATED ||
	       item->be.tt.state == TTMPOOL_TT_BOUND ||
	       item->be.tt.state == TTMPOOL_TT_ANONYMOUS;
}

/* The word that is at every place of a page. */
static uint64_t word_of(const struct item *item, size_t page)
{
	return item->has_bytes ? mix(item->bytes + page) : 0;
}

void write_bytes(struct world *w, struct item *item, uint64_t bytes)
{
	uint64_t words[512];

	item->bytes = bytes;
	item->has_bytes = true;
	for (size_t i = 0; i < item->be.tt.num_pages; i++) {
		uint64_t word = word_of(item, i);

		for (size_t j = 0; j < 512; j++)
			words[j] = word;
		if (tpsim_cpu_write(w->machine, item->pages[i], 0, words,
				    sizeof(words),
				    caching_now(w, item->pages[i])))
			w->wrong = "the CPU cannot write";
	}
}

/* Is every byte what the reference says? */
void check_bytes(struct world *w, const struct item *item)
{
	uint64_t words[512];

	for (size_t i = 0; is_resident(item) && i < item->be.tt.num_pages;
	     i++) {
		uint64_t word = word_of(item, i);

		if (tpsim_cpu_read(w->machine, item->pages[i], 0, words,
				   sizeof(words),
				   caching_now(w, item->pages[i])))
			w->wrong = "the CPU cannot read";
		for (size_t j = 0; j < 512; j++)
			if (words[j] != word)
				w->wrong = "a byte is not what was written";
		if (item->be.tt.state == TTMPOOL_TT_POPULATED &&
		    caching_now(w, item->pages[i]) != item->be.tt.caching)
			w->wrong = "a page is of another caching";
	}
}

/* Do all accounts agree with what the buffers are, and with the machine's? */
void check_sums(struct world *w)
{
	unsigned long pages[NR_POOLS] = { 0 }, stored[NR_POOLS] = { 0 };
	struct ttmpool_manager_stats stats;
	struct tpsim_ledger ledger;

	for (int i = 0; i < NR_BUFFERS; i++) {
		const struct item *item = &w->items[i];

		stored[i % NR_POOLS] += item->be.pages_stored;
		for (size_t j = 0; j < item->be.tt.num_pages; j++)
			pages[i % NR_POOLS] += item->pages[j] != NULL;
		if (!ttmpool_backend_is_valid(&w->items[i].be))
			w->wrong = "a backend is not valid";
	}
	for (int i = 0; i < NR_POOLS; i++)
		if (ttmpool_owner_pages(&w->owner[i], TTMPOOL_IN_USE) !=
			    pages[i] ||
		    ttmpool_owner_pages(&w->owner[i], TTMPOOL_SWAPPED) !=
			    stored[i])
			w->wrong = "an owner's account is not the sum";
	ttmpool_manager_stats(&w->mgr, &stats);
	tpsim_ledger(w->machine, &ledger);
	if (!ttmpool_manager_is_valid(&w->mgr) ||
	    stats.pages != ledger.pages_plain + ledger.pages_coherent)
		w->wrong = "the manager's account is not the machine's";
	if (stats.pages_swapped != stored[0] + stored[1] ||
	    ledger.store_pages < stored[0] + stored[1])
		w->wrong = "the stores do not have what was swapped out";
	if (ledger.mapped_bytes > 200 << 12)
		w->wrong = "more is mapped than the limit";
}
