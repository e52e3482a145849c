/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef DRM_GEM_TTMPOOL_H
#define DRM_GEM_TTMPOOL_H

/*
 * GEM objects whose pages come from a ttmpool pool of their device.
 *
 * The interface is that of drm_gem_shmem_helper.h: the same names, the same locks and the
 * same order of calls, so that a driver can be converted by renaming. docs/drm.md says how,
 * and what is different.
 */

#include <linux/llist.h>

#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>
#include <drm/drm_prime.h>

#include <ttmpool/ttmpool.h>

struct dma_buf_attachment;
struct drm_gem_ttmpool_device;
struct drm_mode_create_dumb;
struct drm_printer;
struct iosys_map;
struct sg_table;

/**
 * struct drm_gem_ttmpool_config - the properties of a device's pool
 * @name: name for reports; must outlive the device. NULL: the device's own name
 * @no_dma: the device does no DMA of its own, so that no page is mapped for it, and
 *	drm_gem_ttmpool_get_pages_sgt() cannot be used. Importers map what they import.
 * @policy: what the pool keeps; read during the call. NULL: the policy of
 *	ttmpool_policy_init()
 */
struct drm_gem_ttmpool_config {
	const char *name;
	bool no_dma;
	const struct ttmpool_policy *policy;
};

/**
 * drmm_gem_ttmpool_init() - give a device its pool
 * @dev: a device that was allocated and is not registered yet; its parent's DMA mask is
 *	set
 * @config: the properties of the pool; NULL: all defaults
 *
 * The pool ends with @dev, after the last object. Before that, when the driver is unbound
 * or the parent goes, nothing stays mapped for the parent: idle pages go to the system,
 * and objects that are left keep their contents in ordinary, cached pages, which processes
 * may still have mapped. That takes each object's reservation lock, and waits for threads that
 * end an object; no signal ends it. May sleep.
 *
 * Return: 0; -ENOMEM; what ttmpool_pool_init() returns. After an error there is no pool.
 */
int drmm_gem_ttmpool_init(struct drm_device *dev,
			  const struct drm_gem_ttmpool_config *config);

/**
 * struct drm_gem_ttmpool_object - a GEM object on a pool
 * @base: the object; its reservation lock protects the members below
 * @pages: its pages while it has some, one entry each, otherwise NULL entries; NULL before
 *	the first use
 * @pages_pin_count: number of users that need the pages where they are
 * @madv: the last value of drm_gem_ttmpool_madvise_locked(); negative: purged for good
 * @madv_list: for the driver; unused here
 * @sgt: the addresses of the pages for the device, or, for an imported object, for
 *	@base.dev
 * @vaddr: the kernel's mapping of the pages. It stays after the last vunmap, as long as
 *	the pages do.
 * @vmap_use_count: number of users of @vaddr
 * @map_wc: the CPU writes through write-combining mappings. Must be set before the first
 *	use of the object.
 * @be: the backend of the library that has the pages; private
 * @pool: the pool of the device; private
 * @dma_addr: the array to which @be writes addresses, or NULL; private
 * @link: in the list of the device's objects; private
 * @late: in the list of those that a worker ends; private
 */
struct drm_gem_ttmpool_object {
	struct drm_gem_object base;
	struct page **pages;
	unsigned int pages_pin_count;
	int madv;
	struct list_head madv_list;
	struct sg_table *sgt;
	void *vaddr;
	unsigned int vmap_use_count;
	bool map_wc;
	struct ttmpool_backend be;
	struct drm_gem_ttmpool_device *pool;
	dma_addr_t *dma_addr;
	struct list_head link;
	struct llist_node late;
};

#define to_drm_gem_ttmpool_obj(obj) \
	container_of(obj, struct drm_gem_ttmpool_object, base)

struct drm_gem_ttmpool_object *drm_gem_ttmpool_create(struct drm_device *dev,
						      size_t size);
void drm_gem_ttmpool_free(struct drm_gem_ttmpool_object *obj);

int drm_gem_ttmpool_pin(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_unpin(struct drm_gem_ttmpool_object *obj);
int drm_gem_ttmpool_pin_locked(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_unpin_locked(struct drm_gem_ttmpool_object *obj);
int drm_gem_ttmpool_vmap_locked(struct drm_gem_ttmpool_object *obj,
				struct iosys_map *map);
void drm_gem_ttmpool_vunmap_locked(struct drm_gem_ttmpool_object *obj,
				   struct iosys_map *map);
int drm_gem_ttmpool_mmap(struct drm_gem_ttmpool_object *obj,
			 struct vm_area_struct *vma);

int drm_gem_ttmpool_madvise_locked(struct drm_gem_ttmpool_object *obj,
				   int madv);
bool drm_gem_ttmpool_is_purgeable(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_purge_locked(struct drm_gem_ttmpool_object *obj);

struct sg_table *
drm_gem_ttmpool_get_sg_table(struct drm_gem_ttmpool_object *obj);
struct sg_table *
drm_gem_ttmpool_get_pages_sgt(struct drm_gem_ttmpool_object *obj);
void __drm_gem_ttmpool_free_sgt_locked(struct drm_gem_ttmpool_object *obj);

int drm_gem_ttmpool_handover_locked(struct drm_gem_ttmpool_object *from,
				    struct drm_gem_ttmpool_object *to);

enum drm_gem_object_status
drm_gem_ttmpool_status(struct drm_gem_ttmpool_object *obj);
size_t drm_gem_ttmpool_rss(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_print_info(const struct drm_gem_ttmpool_object *obj,
				struct drm_printer *p, unsigned int indent);

extern const struct vm_operations_struct drm_gem_ttmpool_vm_ops;

/*
 * The functions of an object (struct drm_gem_object_funcs). Each calls the function of the
 * same name above. drm_gem_ttmpool_create() sets all of them, unless the driver's
 * gem_create_object() has set its own.
 */
void drm_gem_ttmpool_object_free(struct drm_gem_object *obj);
void drm_gem_ttmpool_object_print_info(struct drm_printer *p,
				       unsigned int indent,
				       const struct drm_gem_object *obj);
int drm_gem_ttmpool_object_pin(struct drm_gem_object *obj);
void drm_gem_ttmpool_object_unpin(struct drm_gem_object *obj);
struct sg_table *
drm_gem_ttmpool_object_get_sg_table(struct drm_gem_object *obj);
int drm_gem_ttmpool_object_vmap(struct drm_gem_object *obj,
				struct iosys_map *map);
void drm_gem_ttmpool_object_vunmap(struct drm_gem_object *obj,
				   struct iosys_map *map);
int drm_gem_ttmpool_object_mmap(struct drm_gem_object *obj,
				struct vm_area_struct *vma);
enum drm_gem_object_status
drm_gem_ttmpool_object_status(struct drm_gem_object *obj);
size_t drm_gem_ttmpool_object_rss(struct drm_gem_object *obj);

struct drm_gem_object *
drm_gem_ttmpool_prime_import_sg_table(struct drm_device *dev,
				      struct dma_buf_attachment *attach,
				      struct sg_table *sgt);
int drm_gem_ttmpool_dumb_create(struct drm_file *file, struct drm_device *dev,
				struct drm_mode_create_dumb *args);

/**
 * DRM_GEM_TTMPOOL_DRIVER_OPS - members of struct drm_driver for such objects
 */
#define DRM_GEM_TTMPOOL_DRIVER_OPS                                          \
	.gem_prime_import_sg_table = drm_gem_ttmpool_prime_import_sg_table, \
	.dumb_create = drm_gem_ttmpool_dumb_create

#endif
