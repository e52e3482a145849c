// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pool more of a node's memory than TTM's limit allows: a pool of node 1 takes six tenths
 * of it in write-combined buffers, and gets all of them back. That is less than half of
 * all memory. The node's meminfo shows what is pooled then, as long as this module is
 * loaded.
 */

#include <linux/dma-mapping.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/drm_vma_manager.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#define NODE        1
#define BUFFER_SIZE SZ_8M

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
static struct ttm_device bdev; /* TTM's manager exists while a device does */
static struct ttm_pool pool;

static int buffer_get(struct buffer *buf)
{
	struct ttm_operation_ctx ctx = {};
	int err;

	buf->bo.base.size = BUFFER_SIZE;
	buf->bo.type = ttm_bo_type_kernel;
	err = ttm_tt_init(&buf->tt, &buf->bo, 0, ttm_write_combined, 0);
	if (err)
		return err;
	err = ttm_pool_alloc(&pool, &buf->tt, &ctx);
	if (err)
		ttm_tt_fini(&buf->tt);
	return err;
}

static void buffer_put(struct buffer *buf)
{
	ttm_pool_free(&pool, &buf->tt);
	ttm_tt_fini(&buf->tt);
}

static int fill(void)
{
	size_t got, n = node_present_pages(NODE) * 6 / 10 /
			(BUFFER_SIZE >> PAGE_SHIFT);
	struct buffer *buffers = kvcalloc(n, sizeof(*buffers), GFP_KERNEL);
	int err = 0;

	if (!buffers)
		return -ENOMEM;
	for (got = 0; got < n; got++) {
		err = buffer_get(&buffers[got]);
		if (err)
			break;
	}
	pr_info("fill: %zu of %zu buffers\n", got, n);
	while (got--)
		buffer_put(&buffers[got]);
	kvfree(buffers);
	return err;
}

static void stop(void)
{
	ttm_pool_fini(&pool);
	ttm_device_fini(&bdev);
	drm_vma_offset_manager_destroy(&offsets);
	platform_device_unregister(platform);
}

static int __init fill_init(void)
{
	int err;

	if (!node_online(NODE))
		return -ENODEV;
	platform = platform_device_register_simple("ttm_fill", -1, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	err = dma_set_mask_and_coherent(&platform->dev, DMA_BIT_MASK(64));
	if (err)
		goto unregister;
	drm_vma_offset_manager_init(&offsets, 0x100000, 0x1000000);
	err = ttm_device_init(&bdev, &funcs, &platform->dev, NULL, &offsets, 0);
	if (err)
		goto destroy_offsets;
	ttm_pool_init(&pool, &platform->dev, NODE, 0);
	err = fill();
	if (err)
		stop();
	return err;

destroy_offsets:
	drm_vma_offset_manager_destroy(&offsets);
unregister:
	platform_device_unregister(platform);
	return err;
}

static void __exit fill_exit(void)
{
	stop();
}

module_init(fill_init);
module_exit(fill_exit);
MODULE_DESCRIPTION("More of a node's memory than TTM lets lie pooled");
MODULE_LICENSE("Dual MIT/GPL");
