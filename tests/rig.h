/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RIG_H
#define RIG_H

#include "check.h"

/**
 * struct rig - a manager with one or two pools, which nearly every case needs
 * @mgr: the manager
 * @dev: two devices
 * @pool: a pool for each device; the second one only if the config asks for it
 * @nr_pools: how many pools there are
 */
struct rig {
	struct ttmpool_manager mgr;
	tpos_device_t *dev[2];
	struct ttmpool_pool pool[2];
	int nr_pools;
};

/**
 * struct rig_config - zero-initialise it and set what matters
 * @mask_bits: DMA mask of the devices; 0 means 64
 * @nr_pools: 0 means 1
 * @page_budget, @pool_limit: in pages; 0 means no limit
 * @pool_nothing: the pool limit is 0
 * @mapped_limit, @mapped_low: in bytes
 * @iova: budget of address space that the pools share
 * @policy: of the pools; NULL for that of rig_policy()
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

/** rig_open() - build a rig; NULL if that failed, and then the case has failed. */
struct rig *rig_open(struct check *t, const struct rig_config *config);

/** rig_close() - tear the rig down; true if nothing was in use, all counters agreed, and
 * the system has all pages back. */
bool rig_close(struct check *t, struct rig *rig);

/** rig_is_quiet() - do the lists and counters agree with each other and with the
 * system? */
bool rig_is_quiet(struct check *t, struct rig *rig);

/** rig_stats() - the counters of the first pool. */
struct ttmpool_pool_stats rig_stats(struct rig *rig);

/** rig_policy() - the default policy for the first device, but without refill, so that a
 * case can count pages. */
struct ttmpool_policy rig_policy(struct check *t);

/**
 * struct pages - pages that a pool handed out, and the request for them
 * @pool: their pool
 * @req: the request
 * @pages, @dma_addr: an entry for each page
 */
struct pages {
	struct ttmpool_pool *pool;
	struct ttmpool_request req;
	tpos_page_t **pages;
	tpos_dma_addr_t *dma_addr;
};

/**
 * struct pages_config - zero-initialise it and set what matters
 * @pool: index of the rig's pool
 * @num_pages: 0 means 1
 * @source: plain if not set
 * @caching: an enum ttmpool_caching
 * @owner: or NULL
 */
struct pages_config {
	int pool;
	size_t num_pages;
	enum ttmpool_source source;
	enum ttmpool_caching caching;
	struct ttmpool_owner *owner;
};

/** pages_open() - room for pages that will be mapped; NULL without memory. */
struct pages *pages_open(struct check *t, struct rig *rig,
			 const struct pages_config *config);

/** pages_take() - take the pages from their pool; the error of ttmpool_pool_take(). */
int pages_take(struct pages *some);

/** pages_give() - give them back; the error of ttmpool_pool_give(). */
int pages_give(struct pages *some);

/** pages_cycle() - take the pages and give them back; the first error. */
int pages_cycle(struct pages *some);

/** pages_sync() - after writes of the CPU, make them visible to the device, if its
 * mappings bounce or it does not see the CPU's cache. */
void pages_sync(struct check *t, struct pages *some);

/** pages_fill() - the CPU writes @byte to every byte. */
bool pages_fill(struct check *t, struct pages *some, unsigned char byte);

/** pages_hold() - does the CPU read @byte in every byte? */
bool pages_hold(struct check *t, struct pages *some, unsigned char byte);

/** pages_are_of() - does the CPU access every page with that caching? */
bool pages_are_of(struct check *t, struct pages *some,
		  enum ttmpool_caching caching);

#endif
