// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A driver's first buffer: 600 write-combined pages, which its device can reach. */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <ttmpool/ttmpool.h>
#include <ttmpool_module.h>

static struct platform_device *device;
static struct ttmpool_pool pool;
static struct page *pages[600];
static dma_addr_t addr[600];

static int use_a_buffer(void)
{
	struct ttmpool_backend_config config = {
		.pool = &pool,
		.pages = pages,
		.dma_addr = addr,
		.num_pages = ARRAY_SIZE(pages),
		.caching = TTMPOOL_WRITE_COMBINED,
	};
	struct ttmpool_backend be;
	int err = ttmpool_backend_init(&be, &config);

	if (err)
		return err;
	err = ttmpool_populate(&be);
	if (!err) {
		dev_info(&device->dev, "page 599 is at %pad\n", &addr[599]);
		/* The pages stay write-combined and mapped, for the next buffer. */
		err = ttmpool_unpopulate(&be);
	}
	WARN_ON(ttmpool_backend_fini(&be));
	return err;
}

static int __init first_init(void)
{
	struct ttmpool_pool_config config = { .name = "first" };
	int err = ttmpool_module_get();

	if (err)
		return err;
	device = platform_device_register_simple("ttmpool_first", -1, NULL, 0);
	err = PTR_ERR_OR_ZERO(device);
	if (err)
		goto module_put;
	config.dev = &device->dev;
	err = dma_coerce_mask_and_coherent(config.dev, DMA_BIT_MASK(64));
	if (!err)
		err = ttmpool_pool_init(&pool, ttmpool_module_manager(),
					&config);
	if (err)
		goto unregister;
	err = use_a_buffer();
	if (!err)
		return 0;
	WARN_ON(ttmpool_pool_fini(&pool));
unregister:
	platform_device_unregister(device);
module_put:
	ttmpool_module_put();
	return err;
}

static void __exit first_exit(void)
{
	WARN_ON(ttmpool_pool_fini(&pool));
	platform_device_unregister(device);
	ttmpool_module_put();
}

module_init(first_init);
module_exit(first_exit);
MODULE_DESCRIPTION("A first driver on ttmpool");
MODULE_LICENSE("Dual MIT/GPL");
