// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TTM's page pool, used as its drivers use it: with a device or without, mapped or not,
 * pages of the DMA API, pages below 4 GiB, each caching, several pools for one device,
 * pools of a node. The module can be loaded on the kernel's own ttm.ko and on the one
 * with the drop-in. It writes its results to the kernel's log; if the two behave alike,
 * the lines are the same: "ways: NAME PAGES: RESULT ORDERS; PROMISES".
 *
 * Each buffer is allocated twice, the second time from used pages; then all kinds are
 * allocated at once, and freed in another order. Before all that, a buffer outlives the only
 * device.
 */

#include <linux/debugfs.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_vma_manager.h>
#include <drm/ttm/ttm_device.h>

#include "ways.h"

static const struct way ways[] = {
	{ "radeon-wc", .device = true, .addresses = true, .zero = true,
	  .caching = ttm_write_combined },
	{ "radeon-uc", .device = true, .addresses = true, .zero = true,
	  .caching = ttm_uncached },
	{ "radeon-cached", .device = true, .addresses = true, .zero = true,
	  .caching = ttm_cached },
	{ "swiotlb-wc", .device = true, .dma_alloc = true, .addresses = true,
	  .zero = true, .caching = ttm_write_combined },
	{ "swiotlb-uc", .device = true, .dma_alloc = true, .addresses = true,
	  .zero = true, .caching = ttm_uncached },
	{ "swiotlb-cached", .device = true, .dma_alloc = true,
	  .addresses = true, .zero = true, .caching = ttm_cached },
	{ "dma32-wc", .device = true, .dma32 = true, .addresses = true,
	  .caching = ttm_write_combined },
	{ "dma32-uc", .device = true, .dma32 = true, .addresses = true,
	  .zero = true, .caching = ttm_uncached },
	{ "vram", .device = true, .dma32 = true, .caching = ttm_cached },
	{ "qxl", .zero = true, .caching = ttm_cached },
	{ "xe", .device = true, .zero = true, .caching = ttm_write_combined,
	  .good_order = 9 },
};

static const struct way late_way = { "late", .zero = true,
				     .caching = ttm_cached };

static const size_t sizes[] = { 1, 3, 75, 512, 1029 };

/**
 * struct buffer - a buffer object, as far as a struct ttm_tt uses it
 */
struct buffer {
	struct ttm_buffer_object bo;
	struct ttm_tt tt;
};

static struct platform_device *platform;
static struct drm_vma_offset_manager offsets;
static struct ttm_device_funcs funcs;
static struct ttm_device bdevs[ARRAY_SIZE(ways)];
static struct ttm_device mortals[2];
static struct buffer buffers[ARRAY_SIZE(ways)];
static char text[200], order_text[200];

static int buffer_open(const struct way *way, struct buffer *buf, size_t pages)
{
	u32 flags = way->zero ? TTM_TT_FLAG_ZERO_ALLOC : 0;

	memset(buf, 0, sizeof(*buf));
	buf->bo.base.size = pages << PAGE_SHIFT;
	buf->bo.type = ttm_bo_type_kernel;
	return way->addresses
		       ? ttm_sg_tt_init(&buf->tt, &buf->bo, flags, way->caching)
		       : ttm_tt_init(&buf->tt, &buf->bo, flags, way->caching,
				     0);
}

static int buffer_get(const struct way *way, struct ttm_pool *pool,
		      struct buffer *buf, size_t pages)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	int err = buffer_open(way, buf, pages);

	if (!err)
		err = ttm_pool_alloc(pool, &buf->tt, &ctx);
	if (err) {
		pr_info("ways: %s %zu: %d\n", way->name, pages, err);
		ttm_tt_fini(&buf->tt);
		return err;
	}
	orders(way, &buf->tt, order_text, sizeof(order_text));
	look(way, &buf->tt, text, sizeof(text));
	pr_info("ways: %s %zu: 0%s\n", way->name, pages, text);
	pr_info("orders: %s %zu:%s\n", way->name, pages, order_text);
	scribble(&buf->tt);
	return 0;
}

static void buffer_put(struct ttm_pool *pool, struct buffer *buf)
{
	ttm_pool_free(pool, &buf->tt);
	ttm_tt_fini(&buf->tt);
}

/* Allocate twice: first fresh pages, then those that the first buffer gave back. */
static void go(const struct way *way, struct ttm_pool *pool)
{
	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
		for (int i = 0; i < 2; i++)
			if (!buffer_get(way, pool, &buffers[0], sizes[s]))
				buffer_put(pool, &buffers[0]);
}

/* Allocate all kinds at once, and free them in another order. */
static void go_together(void)
{
	bool got[ARRAY_SIZE(ways)];

	for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
		got[w] = !buffer_get(&ways[w], &bdevs[w].pool, &buffers[w], 75);
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		size_t turn = w * 7 % ARRAY_SIZE(ways);

		if (got[turn])
			buffer_put(&bdevs[turn].pool, &buffers[turn]);
	}
}

static void go_on_nodes(void)
{
	struct ttm_pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	int node;

	if (!pool)
		return;
	for_each_online_node(node) {
		if (!ways_pool_of_node(pool, &platform->dev, node))
			break;
		pr_info("ways: node %d\n", node);
		go(&ways[0], pool);
		ways_pool_of_node_end(pool);
	}
	kfree(pool);
}

/* Are all chunks of a buffer allocated still, with the bytes that scribble() wrote? The first
 * page of a chunk has the chunk's reference. */
static bool is_kept(const struct buffer *buf)
{
	unsigned long order;

	for (u32 i = 0; i < buf->tt.num_pages; i += 1U << order) {
		struct page *page = buf->tt.pages[i];

		order = page_private(page);
		if (page_count(page) != 1 || order > 10 ||
		    memchr_inv(page_address(page), SCRIBBLE,
			       PAGE_SIZE << order))
			return false;
	}
	return true;
}

static bool has_page(const struct buffer *buf, const struct page *page)
{
	for (u32 i = 0; i < buf->tt.num_pages; i++)
		if (buf->tt.pages[i] == page)
			return true;
	return false;
}

/* The next device, and a buffer of it: gets none of the pages of the late one. */
static void go_next(const struct buffer *late)
{
	struct buffer *next = &buffers[1];
	u32 shared = 0;

	if (ways_device_init(&mortals[1], &funcs, &late_way, &platform->dev,
			     &offsets))
		return;
	if (!buffer_get(&late_way, &mortals[1].pool, next, 75)) {
		for (u32 i = 0; i < next->tt.num_pages; i++)
			shared += has_page(late, next->tt.pages[i]);
		pr_info("ways: late: next device: %u pages shared\n", shared);
		buffer_put(&mortals[1].pool, next);
	}
	ttm_device_fini(&mortals[1]);
}

/* A buffer outlives the last device: its pages stay its own, and keep their bytes, until it
 * ends. */
static void go_late(void)
{
	struct buffer *late = &buffers[0];

	if (ways_device_init(&mortals[0], &funcs, &late_way, &platform->dev,
			     &offsets))
		return;
	if (buffer_get(&late_way, &mortals[0].pool, late, 75)) {
		ttm_device_fini(&mortals[0]);
		return;
	}
	ttm_device_fini(&mortals[0]);
	pr_info("ways: late: after its device: %d\n", is_kept(late));
	go_next(late);
	pr_info("ways: late: after the next: %d\n", is_kept(late));
	buffer_put(&mortals[0].pool, late);
}

static int open_devices(void)
{
	int err = 0;
	size_t w;

	for (w = 0; w < ARRAY_SIZE(ways); w++) {
		err = ways_device_init(&bdevs[w], &funcs, &ways[w],
				       &platform->dev, &offsets);
		if (err)
			goto fini;
	}
	return 0;

fini:
	while (w--)
		ttm_device_fini(&bdevs[w]);
	return err;
}

static void close_devices(void)
{
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
		ttm_device_fini(&bdevs[w]);
}

/* A driver's debugfs file would call ttm_pool_debugfs(). */
static int pools_show(struct seq_file *m, void *data)
{
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
		ttm_pool_debugfs(&bdevs[w].pool, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

static struct dentry *file;

static int __init ways_init(void)
{
	int err;

	platform = platform_device_register_simple("ttm_ways", -1, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	err = dma_set_mask_and_coherent(&platform->dev, DMA_BIT_MASK(64));
	if (err)
		goto unregister;
	drm_vma_offset_manager_init(&offsets, 0x100000, 0x1000000);
	go_late();
	err = open_devices();
	if (err)
		goto destroy_offsets;
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++)
		go(&ways[w], &bdevs[w].pool);
	go_together();
	go_on_nodes();
	file = debugfs_create_file("ttm_ways", 0400, NULL, NULL, &pools_fops);
	pr_info("ways: end\n");
	return 0;

destroy_offsets:
	drm_vma_offset_manager_destroy(&offsets);
unregister:
	platform_device_unregister(platform);
	return err;
}

static void __exit ways_exit(void)
{
	debugfs_remove(file);
	close_devices();
	drm_vma_offset_manager_destroy(&offsets);
	platform_device_unregister(platform);
}

module_init(ways_init);
module_exit(ways_exit);
MODULE_DESCRIPTION("TTM's page pool, asked as its drivers ask");
MODULE_LICENSE("Dual MIT/GPL");
