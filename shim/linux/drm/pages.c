// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How an object gets pages, and how it may lose them again. Everything here is called
 * with the object's reservation lock held.
 *
 *     unused      the object has no backend yet; madv and map_wc may be set
 *     populated   it has pages, which the swapper may take away
 *     bound       its pages are pinned: the swapper passes it over
 *     swapped     the contents are in a store; the next user brings them back
 *     anonymous   the parent is gone: the pages are ordinary ones
 *
 * A process may have the object mapped in any of these states. The mapping of the pages ends
 * before they go, and a fault brings them back. So a buffer that nobody touches can be
 * swapped out although it is mapped.
 */

#include <linux/dma-resv.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_ttmpool_internal.h"

static struct drm_gem_ttmpool_object *object_of(struct ttmpool_backend *be)
{
	return container_of(be, struct drm_gem_ttmpool_object, be);
}

/*
 * Called under a spinlock, in any thread that needs memory. The device must be
 * idle.
 */
static bool object_trylock(struct ttmpool_backend *be)
{
	struct drm_gem_ttmpool_object *obj = object_of(be);

	if (!dma_resv_trylock(obj->base.resv))
		return false;
	if (!obj->pages_pin_count &&
	    dma_resv_test_signaled(obj->base.resv, DMA_RESV_USAGE_BOOKKEEP))
		return true;
	dma_resv_unlock(obj->base.resv);
	return false;
}

static void object_unlock(struct ttmpool_backend *be)
{
	dma_resv_unlock(object_of(be)->base.resv);
}

/*
 * Ends the mappings of processes, and the kernel's if nobody uses it. The next fault and the
 * next vmap make new ones.
 */
void drm_gem_ttmpool_end_mappings(struct drm_gem_ttmpool_object *obj)
{
	drm_vma_node_unmap(&obj->base.vma_node,
			   obj->base.dev->anon_inode->i_mapping);
	if (!obj->vmap_use_count) {
		vunmap(obj->vaddr);
		obj->vaddr = NULL;
	}
}

static void object_vacate(struct ttmpool_backend *be)
{
	drm_gem_ttmpool_end_mappings(object_of(be));
}

/* Only the members that are set here are used: see start_pool() in device.c. */
const struct ttmpool_backend_funcs drm_gem_ttmpool_hooks = {
	.trylock = object_trylock,
	.unlock = object_unlock,
	.vacate = object_vacate,
};

/*
 * The protection must match the caching of the pages, because the linear map has
 * the latter, too, on x86.
 */
pgprot_t drm_gem_ttmpool_prot(const struct drm_gem_ttmpool_object *obj,
			      pgprot_t prot)
{
	if (obj->be.tt.state == TTMPOOL_TT_ANONYMOUS ||
	    obj->be.tt.caching == TTMPOOL_CACHED)
		return prot;
	return pgprot_writecombine(prot);
}

static int object_make(struct drm_gem_ttmpool_object *obj, struct page **pages,
		       dma_addr_t *dma_addr)
{
	struct ttmpool_backend_config config = {
		.pool = &obj->pool->pool,
		.funcs = &obj->pool->funcs,
		.pages = pages,
		.dma_addr = dma_addr,
		.num_pages = object_pages(obj),
		.caching = obj->map_wc ? TTMPOOL_WRITE_COMBINED
				       : TTMPOOL_CACHED,
		.killable = true,
	};
	int err = ttmpool_backend_init(&obj->be, &config);

	if (!err)
		err = ttmpool_lru_add(&obj->be);
	if (err) {
		memset(&obj->be, 0, sizeof(obj->be));
		return err;
	}
	obj->pages = pages;
	obj->dma_addr = dma_addr;
	return 0;
}

/**
 * drm_gem_ttmpool_make() - give an object its backend, at its first use
 * @obj: an object that is not imported
 *
 * Return: 0, at once if it has one; -ENOMEM, or -E2BIG for too many pages.
 */
int drm_gem_ttmpool_make(struct drm_gem_ttmpool_object *obj)
{
	struct drm_gem_ttmpool_device *device = obj->pool;
	bool addresses = !device->no_dma && !READ_ONCE(device->gone);
	size_t n = object_pages(obj);
	dma_addr_t *dma_addr = NULL;
	struct page **pages;
	int err = -ENOMEM;

	dma_resv_assert_held(obj->base.resv);
	if (object_is_made(obj))
		return 0;
	pages = kvcalloc(n, sizeof(*pages), GFP_KERNEL);
	if (addresses)
		dma_addr = kvcalloc(n, sizeof(*dma_addr), GFP_KERNEL);
	if (pages && (!addresses || dma_addr))
		err = object_make(obj, pages, dma_addr);
	if (err) {
		kvfree(dma_addr);
		kvfree(pages);
	}
	return err;
}

/*
 * Called if the pages are ordinary ones. If the parent is still there, the mappings of
 * processes end, and the pages become the device's again.
 */
static int object_return(struct drm_gem_ttmpool_object *obj)
{
	if (READ_ONCE(obj->pool->gone))
		return 0;
	drm_gem_ttmpool_end_mappings(obj);
	return ttmpool_to_device(&obj->be);
}

/* Coherent pages are mapped as long as they exist, so there are none without the parent. */
static bool may_have_pages(const struct drm_gem_ttmpool_device *device)
{
	return device->funcs.source != TTMPOOL_COHERENT ||
	       !READ_ONCE(device->gone);
}

/**
 * drm_gem_ttmpool_get_ready() - get the pages of an object, with their contents
 * @obj: an object that is not imported
 *
 * New pages are zero. May sleep.
 *
 * Return: 0; -EFAULT if it was purged; -ENODEV if the parent is gone, and it needs new pages,
 * which would be mapped for the parent from birth; what ttmpool_populate(), ttmpool_swapin() and
 * ttmpool_to_device() return. After an error no content is lost.
 */
int drm_gem_ttmpool_get_ready(struct drm_gem_ttmpool_object *obj)
{
	int err;

	dma_resv_assert_held(obj->base.resv);
	if (obj->madv < 0)
		return -EFAULT;
	err = drm_gem_ttmpool_make(obj);
	if (err)
		return err;
	switch (obj->be.tt.state) {
	case TTMPOOL_TT_EMPTY:
		return may_have_pages(obj->pool) ? ttmpool_populate(&obj->be)
						 : -ENODEV;
	case TTMPOOL_TT_SWAPPED:
	case TTMPOOL_TT_PARTIAL:
		if (!may_have_pages(obj->pool))
			return -ENODEV;
		return ttmpool_swapin(&obj->be, TTMPOOL_ALL_PAGES);
	case TTMPOOL_TT_ANONYMOUS:
		return object_return(obj);
	default:
		ttmpool_lru_touch(&obj->be);
		return 0;
	}
}

/*
 * Pages that an importer has pinned may lose their mapping only in place: they become
 * ordinary pages. Coherent pages cannot do that without a copy.
 */
static int object_unmap_pinned(struct drm_gem_ttmpool_object *obj)
{
	if (obj->be.tt.state != TTMPOOL_TT_BOUND)
		return 0;
	if (obj->pool->funcs.source == TTMPOOL_COHERENT)
		return -EBUSY;
	return ttmpool_unbind(&obj->be) ?: ttmpool_to_anonymous(&obj->be);
}

/*
 * Moves the contents to ordinary pages, or all of them to the store: in both cases
 * no page is mapped.
 */
static int object_unmap(struct drm_gem_ttmpool_object *obj)
{
	int err = 0;

	if (obj->be.tt.state == TTMPOOL_TT_POPULATED)
		err = ttmpool_to_anonymous(&obj->be);
	if (err || obj->be.tt.state == TTMPOOL_TT_PARTIAL)
		err = ttmpool_swapout(&obj->be, TTMPOOL_ALL_PAGES);
	return err;
}

/**
 * drm_gem_ttmpool_leave_device() - cut an object off from the parent of its device, which goes
 * @obj: an object that is not imported
 *
 * When this returns, nothing of the object is mapped for the parent, except for coherent
 * pages that an importer has pinned, which are logged. Contents stay, unless there is no
 * memory to move them to: then the object is purged, which is logged, too. A mapping of the
 * kernel that is in use stays where it is. May sleep.
 */
void drm_gem_ttmpool_leave_device(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_assert_held(obj->base.resv);
	if (!object_is_made(obj))
		return;
	__drm_gem_ttmpool_free_sgt_locked(obj);
	drm_gem_ttmpool_end_mappings(obj);
	if (obj->pages_pin_count) {
		if (object_unmap_pinned(obj)) {
			drm_err(obj->base.dev,
				"%zu bytes stay mapped: an importer has them\n",
				obj->base.size);
			return;
		}
	} else if (object_unmap(obj)) {
		drm_err(obj->base.dev,
			"the device is gone, and with it %zu bytes\n",
			obj->base.size);
		drm_gem_ttmpool_end_contents(obj);
		obj->madv = -1;
	}
	obj->be.dma_addr = NULL;
}

/**
 * drm_gem_ttmpool_end_contents() - end the contents of an object
 * @obj: an object that is not imported; nobody uses its kernel mapping
 *
 * May sleep.
 */
void drm_gem_ttmpool_end_contents(struct drm_gem_ttmpool_object *obj)
{
	struct ttmpool_backend *be = &obj->be;
	int err = 0;

	if (!object_is_made(obj))
		return;
	drm_gem_ttmpool_end_mappings(obj);
	if (be->tt.state == TTMPOOL_TT_BOUND)
		err = ttmpool_unbind(be);
	if (!err && be->tt.state == TTMPOOL_TT_POPULATED)
		err = ttmpool_unpopulate(be);
	else if (!err && be->tt.state != TTMPOOL_TT_EMPTY)
		err = ttmpool_drop(be);
	drm_WARN_ON(obj->base.dev, err);
}

/**
 * drm_gem_ttmpool_end_pages() - end the backend of an object
 * @obj: an object that is not imported, and to which nobody has a reference any more
 *
 * May sleep. Takes the reservation lock, unlike all other functions here.
 */
void drm_gem_ttmpool_end_pages(struct drm_gem_ttmpool_object *obj)
{
	if (!object_is_made(obj))
		return;
	ttmpool_lru_remove(&obj->be);
	dma_resv_lock(obj->base.resv, NULL);
	__drm_gem_ttmpool_free_sgt_locked(obj);
	drm_gem_ttmpool_end_contents(obj);
	dma_resv_unlock(obj->base.resv);
	drm_WARN_ON(obj->base.dev, ttmpool_backend_fini(&obj->be));
	kvfree(obj->dma_addr);
	kvfree(obj->pages);
}
