// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * More than one device: scatter-gather tables of an object, for its own device and for importers;
 * objects of other devices; and contents that move from one device to another.
 *
 * When an importer attaches to an exported object, DRM pins the object
 * (drm_gem_map_attach()), so that it stays in device state as long as anybody is attached.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include <drm/drm_print.h>

#include "drm_gem_ttmpool_internal.h"

/**
 * drm_gem_ttmpool_get_sg_table() - the pages of an object, not mapped for anybody
 * @obj: a pinned object that is not imported
 *
 * May sleep.
 *
 * Return: a table, which belongs to the caller; -EINVAL if it is not pinned; -ENOMEM.
 */
struct sg_table *
drm_gem_ttmpool_get_sg_table(struct drm_gem_ttmpool_object *obj)
{
	if (drm_WARN_ON(obj->base.dev,
			object_is_imported(obj) || !obj->pages_pin_count))
		return ERR_PTR(-EINVAL);
	return drm_prime_pages_to_sg(obj->base.dev, obj->pages,
				     object_pages(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_get_sg_table);

/*
 * Returns how many pages from @first on are contiguous both in memory and for the
 * device.
 */
static size_t run_length(const struct drm_gem_ttmpool_object *obj, size_t first,
			 size_t most)
{
	size_t n = 1;

	while (n < most && obj->pages[first + n] == obj->pages[first] + n &&
	       obj->dma_addr[first + n] == obj->dma_addr[first] + n * PAGE_SIZE)
		n++;
	return n;
}

/*
 * Returns the number of entries of the table. If @sgl is not NULL, fills them in.
 */
static unsigned int each_run(const struct drm_gem_ttmpool_object *obj,
			     struct scatterlist *sgl)
{
	size_t longest = dma_get_max_seg_size(obj->base.dev->dev) >> PAGE_SHIFT
				 ?: 1;
	size_t n_pages = object_pages(obj), n;
	unsigned int runs = 0;

	for (size_t i = 0; i < n_pages; i += n, runs++) {
		n = run_length(obj, i, min(longest, n_pages - i));
		if (!sgl)
			continue;
		sg_set_page(sgl, obj->pages[i], n << PAGE_SHIFT, 0);
		sg_dma_address(sgl) = obj->dma_addr[i];
		sg_dma_len(sgl) = n << PAGE_SHIFT;
		sgl = sg_next(sgl);
	}
	return runs;
}

static struct sg_table *make_sgt(struct drm_gem_ttmpool_object *obj)
{
	struct sg_table *sgt = kzalloc(sizeof(*sgt), GFP_KERNEL);
	int err;

	if (!sgt)
		return ERR_PTR(-ENOMEM);
	err = sg_alloc_table(sgt, each_run(obj, NULL), GFP_KERNEL);
	if (err) {
		kfree(sgt);
		return ERR_PTR(err);
	}
	each_run(obj, sgt->sgl);
	return sgt;
}

/* The object stays pinned while there is a table. */
static struct sg_table *get_pages_sgt_locked(struct drm_gem_ttmpool_object *obj)
{
	struct sg_table *sgt;
	int err;

	if (obj->sgt)
		return obj->sgt;
	if (obj->pool->no_dma)
		return ERR_PTR(-EOPNOTSUPP);
	err = drm_gem_ttmpool_pin_locked(obj);
	if (err)
		return ERR_PTR(err);
	sgt = obj->be.dma_addr ? make_sgt(obj) : ERR_PTR(-ENODEV);
	if (IS_ERR(sgt))
		drm_gem_ttmpool_unpin_locked(obj);
	else
		obj->sgt = sgt;
	return sgt;
}

/**
 * drm_gem_ttmpool_get_pages_sgt() - the addresses of an object for its device
 * @obj: the object
 *
 * The pool has mapped the pages already. The object is pinned from then on, until it is
 * purged, until its device goes, or until __drm_gem_ttmpool_free_sgt_locked(). Takes the
 * reservation lock. May sleep.
 *
 * Return: the table, which belongs to the object; -EINTR for a signal; -EOPNOTSUPP if the
 * device does no DMA; -ENODEV if its parent is gone; an error of
 * drm_gem_ttmpool_pin_locked(); -ENOMEM.
 */
struct sg_table *
drm_gem_ttmpool_get_pages_sgt(struct drm_gem_ttmpool_object *obj)
{
	struct sg_table *sgt;
	int err = dma_resv_lock_interruptible(obj->base.resv, NULL);

	if (err)
		return ERR_PTR(err);
	sgt = get_pages_sgt_locked(obj);
	dma_resv_unlock(obj->base.resv);
	return sgt;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_get_pages_sgt);

/**
 * __drm_gem_ttmpool_free_sgt_locked() - end the device's use of an object
 * @obj: an object that is not imported; its reservation lock is held
 *
 * Frees the table of drm_gem_ttmpool_get_pages_sgt(), if there is one, and drops its pin, so
 * that the object can be swapped out. The pages stay mapped for the device while they are
 * there.
 */
void __drm_gem_ttmpool_free_sgt_locked(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_assert_held(obj->base.resv);
	if (!obj->sgt)
		return;
	sg_free_table(obj->sgt);
	kfree(obj->sgt);
	obj->sgt = NULL;
	drm_gem_ttmpool_unpin_locked(obj);
}
EXPORT_SYMBOL_GPL(__drm_gem_ttmpool_free_sgt_locked);

/**
 * drm_gem_ttmpool_prime_import_sg_table() - create an object for pages of another device
 * @dev: the importing device
 * @attach: its attachment to the dma-buf
 * @sgt: the pages, mapped for it
 *
 * Return: an object, without pages of its own; an error of drm_gem_ttmpool_create().
 */
struct drm_gem_object *
drm_gem_ttmpool_prime_import_sg_table(struct drm_device *dev,
				      struct dma_buf_attachment *attach,
				      struct sg_table *sgt)
{
	struct drm_gem_ttmpool_object *obj =
		drm_gem_ttmpool_create_private(dev, attach->dmabuf->size, true);

	if (IS_ERR(obj))
		return ERR_CAST(obj);
	obj->sgt = sgt;
	return &obj->base;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_prime_import_sg_table);

/*
 * Checks that both objects are unpinned and of the same size, and that @to is
 * empty.
 */
static int may_hand_over(struct drm_gem_ttmpool_object *from,
			 struct drm_gem_ttmpool_object *to)
{
	if (object_is_imported(from) || object_is_imported(to) ||
	    from->base.size != to->base.size || to->madv < 0)
		return -EINVAL;
	if (from->pages_pin_count || to->pages_pin_count)
		return -EBUSY;
	if (object_is_made(to) && to->be.tt.state != TTMPOOL_TT_EMPTY)
		return -EBUSY;
	return 0;
}

/**
 * drm_gem_ttmpool_handover_locked() - move the contents of an object to another device
 * @from: an object of one device; its reservation lock is held
 * @to: an object of another device, or of the same; its lock is held, too
 *
 * The pages move with the contents, without a copy, if @to's device reaches them and its
 * pool does not need coherent pages. @from has no contents after that: its next user finds
 * zeroes. May sleep.
 *
 * Return: 0; -EINVAL if they are of different sizes, or one is imported or was purged;
 * -EBUSY if one is pinned, or @to has contents; what drm_gem_ttmpool_get_ready(),
 * ttmpool_to_anonymous() or ttmpool_to_device() return. After an error the contents are in
 * @from, unless the last of these failed: then they are in @to, and come at its next use.
 */
int drm_gem_ttmpool_handover_locked(struct drm_gem_ttmpool_object *from,
				    struct drm_gem_ttmpool_object *to)
{
	int err;

	dma_resv_assert_held(from->base.resv);
	dma_resv_assert_held(to->base.resv);
	err = may_hand_over(from, to);
	if (!err)
		err = drm_gem_ttmpool_make(to);
	if (!err)
		err = drm_gem_ttmpool_get_ready(from);
	if (err)
		return err;
	drm_gem_ttmpool_end_mappings(from);
	if (from->be.tt.state == TTMPOOL_TT_POPULATED)
		err = ttmpool_to_anonymous(&from->be);
	if (!err)
		err = ttmpool_handover(&from->be, &to->be);
	return err ? err : drm_gem_ttmpool_get_ready(to);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_handover_locked);
