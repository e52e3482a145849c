// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The rig: a manager with one or two pools, and buffers on them, in as few
 * lines as a case can spend on what it is not about.
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
	ttmpool_manager_fini(&rig->mgr);
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

/*
 * The lock of a buffer, as a driver would have one. One thread at a time works
 * on it, so a flag will do.
 */
static bool buffer_trylock(struct ttmpool_backend *be)
{
	struct buffer *buf = ttmpool_list_entry(be, struct buffer, be);
	bool got = !buf->locked;

	buf->locked = true;
	return got;
}

static void buffer_unlock(struct ttmpool_backend *be)
{
	ttmpool_list_entry(be, struct buffer, be)->locked = false;
}

static int buffer_populate(struct ttmpool_backend *be)
{
	return (be->funcs->source ? &ttmpool_backend_coherent
				  : &ttmpool_backend_plain)
		->populate(be);
}

static int buffer_unpopulate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.unpopulate(be);
}

const struct ttmpool_backend_funcs buffer_plain = {
	.name = "plain, swappable",
	.populate = buffer_populate,
	.unpopulate = buffer_unpopulate,
	.movable = true,
	.source = TTMPOOL_PLAIN,
	.trylock = buffer_trylock,
	.unlock = buffer_unlock,
};

const struct ttmpool_backend_funcs buffer_coherent = {
	.name = "coherent, swappable",
	.populate = buffer_populate,
	.unpopulate = buffer_unpopulate,
	.movable = true,
	.source = TTMPOOL_COHERENT,
	.trylock = buffer_trylock,
	.unlock = buffer_unlock,
};

struct buffer *buffer_open(struct check *t, struct rig *rig,
			   const struct buffer_config *config)
{
	size_t n = config->num_pages ? config->num_pages : 1;
	struct buffer *buf = check_zalloc(t, sizeof(*buf));
	struct ttmpool_backend_config be_config = {
		.pool = &rig->pool[config->pool],
		.funcs = config->funcs,
		.owner = config->owner,
		.num_pages = n,
		.caching = config->caching,
	};

	if (!buf)
		return NULL;
	buf->pages = check_zalloc(t, n * sizeof(*buf->pages));
	if (!config->unmapped)
		buf->dma_addr = check_zalloc(t, n * sizeof(*buf->dma_addr));
	be_config.pages = buf->pages;
	be_config.dma_addr = buf->dma_addr;
	if (!buf->pages || (!config->unmapped && !buf->dma_addr) ||
	    ttmpool_backend_init(&buf->be, &be_config))
		return NULL;
	return buf;
}

/* The CPU has written. Where a mapping bounces, the device knows nothing of it,
 * and the end of the mapping would undo it, unless it is told. */
static void buffer_sync(struct check *t, struct buffer *buf)
{
	bool mapped = buf->dma_addr && buf->be.pool->info.bounces &&
		      buf->be.funcs->source == TTMPOOL_PLAIN &&
		      (buf->be.tt.state == TTMPOOL_TT_POPULATED ||
		       buf->be.tt.state == TTMPOOL_TT_BOUND);

	for (size_t i = 0; mapped && i < buf->be.tt.num_pages; i++)
		check_sync(t, buf->be.pool->dev, buf->pages[i],
			   buf->dma_addr[i]);
}

bool buffer_fill(struct check *t, struct buffer *buf, unsigned char byte)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (!check_fill(t, buf->pages[i], buf->be.tt.caching, byte))
			return false;
	buffer_sync(t, buf);
	return true;
}

bool buffer_holds(struct check *t, struct buffer *buf, unsigned char byte)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (!check_holds(t, buf->pages[i], buf->be.tt.caching, byte))
			return false;
	return true;
}

/* By what mapping the CPU gets at its pages now. */
static enum ttmpool_caching caching_now(const struct buffer *buf)
{
	return buf->be.tt.state == TTMPOOL_TT_ANONYMOUS ? TTMPOOL_CACHED
							: buf->be.tt.caching;
}

static unsigned char stamp_of(unsigned char seed, size_t i)
{
	return (unsigned char)(1 + (seed + 7 * i) % 251);
}

bool buffer_stamp(struct check *t, struct buffer *buf, unsigned char seed)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (!check_fill(t, buf->pages[i], caching_now(buf),
				stamp_of(seed, i)))
			return false;
	buffer_sync(t, buf);
	return true;
}

/* The device looks at the first and the last page: a real one is slow. */
static bool device_sees_stamps(struct check *t, struct buffer *buf,
			       unsigned char seed)
{
	size_t last = buf->be.tt.num_pages - 1;
	tpos_device_t *dev = buf->be.pool->dev;

	return check_device_holds(t, dev, buf->dma_addr[0],
				  stamp_of(seed, 0)) &&
	       check_device_holds(t, dev, buf->dma_addr[last],
				  stamp_of(seed, last));
}

bool buffer_is_stamped(struct check *t, struct buffer *buf, unsigned char seed)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (!check_holds(t, buf->pages[i], caching_now(buf),
				 stamp_of(seed, i)))
			return false;
	return !buf->dma_addr || buf->be.tt.state != TTMPOOL_TT_POPULATED ||
	       device_sees_stamps(t, buf, seed);
}

struct buffer *buffer_ready(struct check *t, struct rig *rig,
			    const struct buffer_config *config,
			    unsigned char seed)
{
	struct buffer *buf = buffer_open(t, rig, config);

	if (!buf || ttmpool_populate(&buf->be) || !buffer_stamp(t, buf, seed))
		return NULL;
	return buf;
}

size_t buffer_pages(const struct buffer *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		n += buf->pages[i] != NULL;
	return n;
}

bool buffer_is_of(struct check *t, struct buffer *buf,
		  enum ttmpool_caching caching)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (check_caching(t, buf->pages[i]) != caching)
			return false;
	return true;
}

int buffer_cycle(struct buffer *buf)
{
	int err = ttmpool_populate(&buf->be);

	return err ? err : ttmpool_unpopulate(&buf->be);
}
