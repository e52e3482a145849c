/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RIG_H
#define RIG_H

#include "check.h"

/**
 * struct rig - what every case needs: a manager, and a pool or two
 * @mgr: the manager
 * @dev: two devices
 * @pool: a pool for each device; the second one only if asked for
 * @nr_pools: how many pools there are
 */
struct rig {
	struct ttmpool_manager mgr;
	tpos_device_t *dev[2];
	struct ttmpool_pool pool[2];
	int nr_pools;
};

/**
 * struct rig_config - zero-initialise and set what matters
 * @mask_bits: of the devices; 0 means 64
 * @nr_pools: 0 means 1
 * @page_budget, @pool_limit: in pages; 0 means none
 * @pool_nothing: the pool limit is 0
 * @mapped_limit, @mapped_low: in bytes
 * @iova: of the pools
 * @policy: of the pools; NULL for rig_policy()'s
 */
struct rig_config {
	unsigned int mask_bits;
	int nr_pools;
	unsigned long page_budget;
	unsigned long pool_limit;
	bool pool_nothing;
	uint64_t mapped_limit;
	uint64_t mapped_low;
	struct ttmpool_iova *iova;
	const struct ttmpool_policy *policy;
};

/** rig_open() - build one; NULL if that failed, which is told. */
struct rig *rig_open(struct check *t, const struct rig_config *config);

/** rig_close() - take it down; whether nothing was in use, nothing is left with
 * the system, and all counters agreed before. */
bool rig_close(struct check *t, struct rig *rig);

/** rig_is_quiet() - do lists and counters agree, and with the system's, too? */
bool rig_is_quiet(struct check *t, struct rig *rig);

/** rig_stats() - the counters of the first pool. */
struct ttmpool_pool_stats rig_stats(struct rig *rig);

/** rig_policy() - the default policy for the first device, but without refill,
 * so that a case can count pages. */
struct ttmpool_policy rig_policy(struct check *t);

/**
 * struct pages - pages that a pool handed out, and what they were asked for by
 * @pool: theirs
 * @req: what was asked for
 * @pages, @dma_addr: an entry for each page
 */
struct pages {
	struct ttmpool_pool *pool;
	struct ttmpool_request req;
	tpos_page_t **pages;
	tpos_dma_addr_t *dma_addr;
};

/**
 * struct pages_config - zero-initialise and set what matters
 * @pool: which of the rig's
 * @num_pages: 0 means 1
 * @source: plain, if not set
 * @caching: of an enum ttmpool_caching
 * @owner: or NULL
 */
struct pages_config {
	int pool;
	size_t num_pages;
	enum ttmpool_source source;
	enum ttmpool_caching caching;
	struct ttmpool_owner *owner;
};

/** pages_open() - room for pages that will be mapped; NULL if there was none. */
struct pages *pages_open(struct check *t, struct rig *rig,
			 const struct pages_config *config);

/** pages_take() - take them from their pool; ttmpool_pool_take()'s error. */
int pages_take(struct pages *some);

/** pages_give() - give them back; ttmpool_pool_give()'s error. */
int pages_give(struct pages *some);

/** pages_cycle() - take them, and give them back; the first error. */
int pages_cycle(struct pages *some);

/** pages_sync() - the CPU has written: the device has to be told, if it has mappings
 * that bounce, or does not see the CPU's cache. */
void pages_sync(struct check *t, struct pages *some);

/** pages_fill() - the CPU writes @byte to every byte. */
bool pages_fill(struct check *t, struct pages *some, unsigned char byte);

/** pages_hold() - is every byte @byte, as the CPU sees it? */
bool pages_hold(struct check *t, struct pages *some, unsigned char byte);

/** pages_are_of() - is every page of that caching, for the CPU? */
bool pages_are_of(struct check *t, struct pages *some,
		  enum ttmpool_caching caching);

#endif
