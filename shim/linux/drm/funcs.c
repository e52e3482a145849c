// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Functions that DRM calls by pointer, and dumb buffers. */

#include <linux/dma-resv.h>
#include <linux/export.h>

#include <drm/drm_mode.h>
#include <drm/drm_print.h>

#include "drm_gem_ttmpool_internal.h"

/**
 * drm_gem_ttmpool_status() - the status of an object for fdinfo
 * @obj: the object; no lock needs to be held, and the answer may be out of date at once
 *
 * Does not sleep.
 *
 * Return: whether it has pages, and whether they may be purged.
 */
enum drm_gem_object_status
drm_gem_ttmpool_status(struct drm_gem_ttmpool_object *obj)
{
	enum drm_gem_object_status status = 0;

	if (drm_gem_ttmpool_rss(obj))
		status |= DRM_GEM_OBJECT_RESIDENT;
	if (READ_ONCE(obj->madv) > 0)
		status |= DRM_GEM_OBJECT_PURGEABLE;
	return status;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_status);

/**
 * drm_gem_ttmpool_rss() - the number of bytes of an object in memory
 * @obj: the object; as for drm_gem_ttmpool_status()
 *
 * Does not sleep.
 *
 * Return: its size without what is swapped out; 0 if it has no pages of its own.
 */
size_t drm_gem_ttmpool_rss(struct drm_gem_ttmpool_object *obj)
{
	switch (READ_ONCE(obj->be.tt.state)) {
	case TTMPOOL_TT_EMPTY:
	case TTMPOOL_TT_SWAPPED:
		return 0;
	default:
		return obj->base.size -
		       min(READ_ONCE(obj->be.pages_stored) << PAGE_SHIFT,
			   obj->base.size);
	}
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_rss);

/**
 * drm_gem_ttmpool_print_info() - print an object for debugfs
 * @obj: the object
 * @p: the printer
 * @indent: number of tabs at the beginning of each line
 */
void drm_gem_ttmpool_print_info(const struct drm_gem_ttmpool_object *obj,
				struct drm_printer *p, unsigned int indent)
{
	if (object_is_imported(obj))
		return;
	drm_printf_indent(p, indent, "state=%s\n",
			  ttmpool_tt_state_name(obj->be.tt.state));
	drm_printf_indent(p, indent, "pages_pin_count=%u\n",
			  obj->pages_pin_count);
	drm_printf_indent(p, indent, "pages_stored=%zu\n",
			  obj->be.pages_stored);
	drm_printf_indent(p, indent, "vmap_use_count=%u\n",
			  obj->vmap_use_count);
	drm_printf_indent(p, indent, "vaddr=%p\n", obj->vaddr);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_print_info);

void drm_gem_ttmpool_object_free(struct drm_gem_object *obj)
{
	drm_gem_ttmpool_free(to_drm_gem_ttmpool_obj(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_free);

void drm_gem_ttmpool_object_print_info(struct drm_printer *p,
				       unsigned int indent,
				       const struct drm_gem_object *obj)
{
	drm_gem_ttmpool_print_info(to_drm_gem_ttmpool_obj(obj), p, indent);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_print_info);

int drm_gem_ttmpool_object_pin(struct drm_gem_object *obj)
{
	return drm_gem_ttmpool_pin_locked(to_drm_gem_ttmpool_obj(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_pin);

void drm_gem_ttmpool_object_unpin(struct drm_gem_object *obj)
{
	drm_gem_ttmpool_unpin_locked(to_drm_gem_ttmpool_obj(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_unpin);

struct sg_table *drm_gem_ttmpool_object_get_sg_table(struct drm_gem_object *obj)
{
	return drm_gem_ttmpool_get_sg_table(to_drm_gem_ttmpool_obj(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_get_sg_table);

int drm_gem_ttmpool_object_vmap(struct drm_gem_object *obj,
				struct iosys_map *map)
{
	return drm_gem_ttmpool_vmap_locked(to_drm_gem_ttmpool_obj(obj), map);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_vmap);

void drm_gem_ttmpool_object_vunmap(struct drm_gem_object *obj,
				   struct iosys_map *map)
{
	drm_gem_ttmpool_vunmap_locked(to_drm_gem_ttmpool_obj(obj), map);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_vunmap);

int drm_gem_ttmpool_object_mmap(struct drm_gem_object *obj,
				struct vm_area_struct *vma)
{
	return drm_gem_ttmpool_mmap(to_drm_gem_ttmpool_obj(obj), vma);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_mmap);

enum drm_gem_object_status
drm_gem_ttmpool_object_status(struct drm_gem_object *obj)
{
	return drm_gem_ttmpool_status(to_drm_gem_ttmpool_obj(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_status);

size_t drm_gem_ttmpool_object_rss(struct drm_gem_object *obj)
{
	return drm_gem_ttmpool_rss(to_drm_gem_ttmpool_obj(obj));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_object_rss);

const struct drm_gem_object_funcs drm_gem_ttmpool_funcs = {
	.free = drm_gem_ttmpool_object_free,
	.print_info = drm_gem_ttmpool_object_print_info,
	.pin = drm_gem_ttmpool_object_pin,
	.unpin = drm_gem_ttmpool_object_unpin,
	.get_sg_table = drm_gem_ttmpool_object_get_sg_table,
	.vmap = drm_gem_ttmpool_object_vmap,
	.vunmap = drm_gem_ttmpool_object_vunmap,
	.mmap = drm_gem_ttmpool_object_mmap,
	.status = drm_gem_ttmpool_object_status,
	.rss = drm_gem_ttmpool_object_rss,
	.vm_ops = &drm_gem_ttmpool_vm_ops,
};

/**
 * drm_gem_ttmpool_dumb_create() - create a buffer for a client that draws with the CPU
 * @file: the client
 * @dev: the device
 * @args: width, height and bits per pixel; pitch and size are lower bounds. The handle, and
 *	the pitch and size of the buffer, are filled in
 *
 * Return: 0; -EINVAL for an empty buffer, or for one that is too large; an error of
 * drm_gem_ttmpool_create() or drm_gem_handle_create(). After an error there is no object.
 */
int drm_gem_ttmpool_dumb_create(struct drm_file *file, struct drm_device *dev,
				struct drm_mode_create_dumb *args)
{
	u64 pitch = DIV_ROUND_UP_ULL((u64)args->width * args->bpp, 8);
	struct drm_gem_ttmpool_object *obj;
	int err;

	pitch = max_t(u64, pitch, args->pitch);
	if (pitch > U32_MAX)
		return -EINVAL;
	args->pitch = pitch;
	args->size = max_t(u64, args->size, PAGE_ALIGN(pitch * args->height));
	if (args->size > SIZE_MAX)
		return -EINVAL;
	obj = drm_gem_ttmpool_create(dev, args->size);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	err = drm_gem_handle_create(file, &obj->base, &args->handle);
	drm_gem_object_put(&obj->base);
	return err;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_dumb_create);
