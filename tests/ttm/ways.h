/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef WAYS_H
#define WAYS_H

#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

/**
 * struct way - how a driver uses the pool
 * @name: the driver whose way it is
 * @device: it passes its device
 * @dma_alloc: pages of the DMA API, for a device that bounces
 * @dma32: below 4 GiB
 * @addresses: it wants DMA addresses
 * @zero: pages must be zero, as for userspace
 * @caching: of the buffer
 * @good_order: the order that helps the device, where TTM takes one; 0: none
 */
struct way {
	const char *name;
	bool device;
	bool dma_alloc;
	bool dma32;
	bool addresses;
	bool zero;
	enum ttm_caching caching;
	unsigned int good_order;
};

/** look() - write to @text one word for each guarantee that a buffer of @way keeps. */
void look(const struct way *way, const struct ttm_tt *tt, char *text,
	  size_t size);

/** orders() - write the orders of its chunks, like "10 2 0", as far as their first pages
 * tell. */
void orders(const struct way *way, const struct ttm_tt *tt, char *text,
	    size_t size);

#define SCRIBBLE 0xa5

/** scribble() - the CPU writes SCRIBBLE to every byte of every page. */
void scribble(const struct ttm_tt *tt);

/** ways_device_init() - start TTM for a device in the manner of @way. */
int ways_device_init(struct ttm_device *bdev, struct ttm_device_funcs *funcs,
		     const struct way *way, struct device *dev,
		     struct drm_vma_offset_manager *offsets);

/** ways_pool_of_node() - start a pool of one node, if this TTM has such; otherwise
 * false. */
bool ways_pool_of_node(struct ttm_pool *pool, struct device *dev, int node);
void ways_pool_of_node_end(struct ttm_pool *pool);

#endif
