// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers: what a driver puts around ttmpool.
 *
 * A buffer is a ttmpool backend and the two arrays that it fills. Which pages
 * it gets is not decided here: the pool of the device says, once, whether plain
 * pages will do. The driver adds what only it knows: how its device is told of
 * them (bind).
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "edu.h"

static struct edu_bo *to_bo(struct ttmpool_backend *be)
{
	return container_of(be, struct edu_bo, be);
}

static int edu_bind(struct ttmpool_backend *be)
{
	struct edu_bo *bo = to_bo(be);

	for (int slot = 0; slot < EDU_SLOTS; slot++) {
		if (bo->edu->slots[slot])
			continue;
		bo->edu->slots[slot] = be->dma_addr;
		bo->slot = slot;
		return 0;
	}
	return -ENOSPC;
}

static void edu_unbind(struct ttmpool_backend *be)
{
	struct edu_bo *bo = to_bo(be);

	bo->edu->slots[bo->slot] = NULL;
	bo->slot = -1;
}

/* The engine is idle whenever nobody has the lock: a driver of a device that
 * runs ahead would look at the buffer's fences here. */
static bool edu_trylock(struct ttmpool_backend *be)
{
	return mutex_trylock(&to_bo(be)->lock);
}

static void edu_unlock(struct ttmpool_backend *be)
{
	mutex_unlock(&to_bo(be)->lock);
}

/* What the device reports chooses how pages are got; bind is the driver's. */
void edu_choose_funcs(struct edu *edu)
{
	edu->funcs = *ttmpool_backend_choose(&edu->pool);
	edu->funcs.bind = edu_bind;
	edu->funcs.unbind = edu_unbind;
	edu->funcs.trylock = edu_trylock;
	edu->funcs.unlock = edu_unlock;
}

static int edu_bo_init(struct edu_bo *bo, size_t num_pages,
		       enum ttmpool_caching caching)
{
	struct ttmpool_backend_config config = {
		.pool = &bo->edu->pool,
		.funcs = &bo->edu->funcs,
		.pages = kvcalloc(num_pages, sizeof(*config.pages), GFP_KERNEL),
		.dma_addr = kvcalloc(num_pages, sizeof(*config.dma_addr),
				     GFP_KERNEL),
		.num_pages = num_pages,
		.caching = caching,
	};
	int err = -ENOMEM;

	if (config.pages && config.dma_addr)
		err = ttmpool_backend_init(&bo->be, &config);
	if (!err)
		return 0;
	kvfree(config.dma_addr);
	kvfree(config.pages);
	return err;
}

static void edu_bo_fini(struct edu_bo *bo)
{
	WARN_ON(ttmpool_backend_fini(&bo->be));
	kvfree(bo->be.dma_addr);
	kvfree(bo->be.tt.pages);
}

/* A buffer with pages, bound. */
struct edu_bo *edu_bo_create(struct edu *edu, size_t num_pages,
			     enum ttmpool_caching caching)
{
	struct edu_bo *bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	int err;

	if (!bo)
		return ERR_PTR(-ENOMEM);
	bo->edu = edu;
	bo->slot = -1;
	mutex_init(&bo->lock);
	err = edu_bo_init(bo, num_pages, caching);
	if (err)
		goto free;
	err = ttmpool_populate(&bo->be);
	if (err)
		goto fini;
	err = ttmpool_bind(&bo->be);
	if (err)
		goto unpopulate;
	return bo;

unpopulate:
	WARN_ON(ttmpool_unpopulate(&bo->be));
fini:
	edu_bo_fini(bo);
free:
	kfree(bo);
	return ERR_PTR(err);
}

/* Nobody uses it for the time being: it may go to the store when others need
 * the pages. */
void edu_bo_idle(struct edu_bo *bo)
{
	mutex_lock(&bo->lock);
	ttmpool_unbind(&bo->be);
	WARN_ON(ttmpool_lru_add(&bo->be));
	mutex_unlock(&bo->lock);
}

/* It is wanted again, wherever its contents are now. */
int edu_bo_use(struct edu_bo *bo)
{
	int err = 0;

	mutex_lock(&bo->lock);
	ttmpool_lru_remove(&bo->be);
	if (bo->be.tt.state != TTMPOOL_TT_POPULATED)
		err = ttmpool_swapin(&bo->be, TTMPOOL_ALL_PAGES);
	if (!err)
		err = ttmpool_bind(&bo->be);
	mutex_unlock(&bo->lock);
	return err;
}

/* The engine is idle: edu_read() and edu_write() wait for it. */
void edu_bo_destroy(struct edu_bo *bo)
{
	mutex_lock(&bo->lock);
	ttmpool_lru_remove(&bo->be);
	ttmpool_unbind(&bo->be);
	WARN_ON(bo->be.tt.state == TTMPOOL_TT_POPULATED
			? ttmpool_unpopulate(&bo->be)
			: ttmpool_drop(&bo->be));
	mutex_unlock(&bo->lock);
	edu_bo_fini(bo);
	kfree(bo);
}

/* The kernel's own mapping has the caching that the pool gave the pages, on
 * x86. Elsewhere a driver would vmap() them with the right protection. */
void *edu_bo_page(struct edu_bo *bo, size_t page)
{
	return page_address(bo->be.tt.pages[page]);
}
