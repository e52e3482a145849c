// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The rig: a manager with one or two pools, and buffers of their pages, set up in few
 * lines so that a case can spend its own lines on its subject. It needs the pool floor
 * alone.
 */

#include "rig.h"

/* The default policy, but without refill. */
static struct ttmpool_policy policy_for(tpos_device_t *dev)
{
	struct tpos_device_info info;
	struct ttmpool_policy policy;

	tpos_device_query(dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.refill = false;
	return policy;
}

static int rig_open_pool(struct check *t, struct rig *rig, int i,
			 const struct rig_config *config)
{
	unsigned int bits = config->mask_bits ? config->mask_bits : 64;
	struct ttmpool_policy policy;
	struct ttmpool_pool_config pool_config = {
		.name = i ? "pool-b" : "pool-a",
		.node = TTMPOOL_NODE_OF_DEVICE,
		.mapped_limit = config->mapped_limit,
		.mapped_low = config->mapped_low,
		.iova = config->iova,
		.policy = config->policy ? config->policy : &policy,
	};

	rig->dev[i] = check_device(t, i, bits);
	if (!rig->dev[i])
		return -EIO;
	policy = policy_for(rig->dev[i]);
	pool_config.dev = rig->dev[i];
	return ttmpool_pool_init(&rig->pool[i], &rig->mgr, &pool_config);
}

struct rig *rig_open(struct check *t, const struct rig_config *config)
{
	struct ttmpool_manager_config mgr_config = {
		.system = t->system,
		.page_budget = config->page_budget ? config->page_budget
						   : TTMPOOL_NO_LIMIT,
		.pool_limit = config->pool_limit ? config->pool_limit
						 : TTMPOOL_NO_LIMIT,
	};
	int want = config->nr_pools ? config->nr_pools : 1;
	struct rig *rig = check_zalloc(t, sizeof(*rig));

	if (config->pool_nothing)
		mgr_config.pool_limit = 0;
	if (!rig || ttmpool_manager_init(&rig->mgr, &mgr_config))
		goto failed;
	while (rig->nr_pools < want) {
		if (rig_open_pool(t, rig, rig->nr_pools, config))
			goto fini_pools;
		rig->nr_pools++;
	}
	return rig;

fini_pools:
	while (rig->nr_pools)
		ttmpool_pool_fini(&rig->pool[--rig->nr_pools]);
	check_any(ttmpool_manager_fini(&rig->mgr));
failed:
	check_fail(t, __FILE__, __LINE__, "the rig could not be opened", NULL);
	return NULL;
}

bool rig_is_quiet(struct check *t, struct rig *rig)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&rig->mgr, &stats);
	return ttmpool_manager_is_valid(&rig->mgr) &&
	       stats.pages == check_pages_out(t);
}

bool rig_close(struct check *t, struct rig *rig)
{
	bool good = rig_is_quiet(t, rig);

	while (rig->nr_pools)
		good &= !ttmpool_pool_fini(&rig->pool[--rig->nr_pools]);
	good &= !ttmpool_manager_fini(&rig->mgr);
	return good && !check_pages_out(t);
}

struct ttmpool_pool_stats rig_stats(struct rig *rig)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(&rig->pool[0], &stats);
	return stats;
}

struct ttmpool_policy rig_policy(struct check *t)
{
	return policy_for(check_device(t, 0, 64));
}

struct pages *pages_open(struct check *t, struct rig *rig,
			 const struct pages_config *config)
{
	size_t n = config->num_pages ? config->num_pages : 1;
	struct pages *some = check_zalloc(t, sizeof(*some));

	if (!some)
		return NULL;
	some->pool = &rig->pool[config->pool];
	some->req = (struct ttmpool_request){ .source = config->source,
					      .caching = config->caching,
					      .num_pages = n,
					      .owner = config->owner };
	some->pages = check_zalloc(t, n * sizeof(*some->pages));
	some->dma_addr = check_zalloc(t, n * sizeof(*some->dma_addr));
	return some->pages && some->dma_addr ? some : NULL;
}

int pages_take(struct pages *some)
{
	return ttmpool_pool_take(some->pool, &some->req, some->pages,
				 some->dma_addr);
}

int pages_give(struct pages *some)
{
	return ttmpool_pool_give(some->pool, some->pages, some->req.num_pages,
				 some->req.caching);
}

int pages_cycle(struct pages *some)
{
	int err = pages_take(some);

	return err ? err : pages_give(some);
}

/* If the mapping bounces, or the device does not see the CPU's cache, the mapping does
 * not know what the CPU wrote, and its end would overwrite it. So the caller syncs the
 * pages. */
void pages_sync(struct check *t, struct pages *some)
{
	bool streamed = some->dma_addr && some->req.source == TTMPOOL_PLAIN;

	for (size_t i = 0; streamed && i < some->req.num_pages; i++)
		check_sync(t, some->pool->dev, some->pages[i],
			   some->dma_addr[i]);
}

bool pages_fill(struct check *t, struct pages *some, unsigned char byte)
{
	for (size_t i = 0; i < some->req.num_pages; i++)
		if (!check_fill(t, some->pages[i], some->req.caching, byte))
			return false;
	pages_sync(t, some);
	return true;
}

bool pages_hold(struct check *t, struct pages *some, unsigned char byte)
{
	for (size_t i = 0; i < some->req.num_pages; i++)
		if (!check_holds(t, some->pages[i], some->req.caching, byte))
			return false;
	return true;
}

bool pages_are_of(struct check *t, struct pages *some,
		  enum ttmpool_caching caching)
{
	for (size_t i = 0; i < some->req.num_pages; i++)
		if (check_caching(t, some->pages[i]) != caching)
			return false;
	return true;
}
