// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mappings of objects by processes. A fault gets the pages of the object ready, and inserts
 * several at once, because a process that draws a picture touches the next ones soon.
 * Before pages go, they are removed from all mappings (drm_gem_ttmpool_end_mappings()),
 * under the same lock that is held here.
 */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/mm.h>

#include <drm/drm_print.h>
#include <drm/drm_vma_manager.h>

#include "drm_gem_ttmpool_internal.h"

/* The most pages that one fault inserts: as many as in TTM. */
#define MAP_AHEAD 16

/*
 * Inserts pages from the one that was touched on, as far as the mapping and the
 * object go.
 */
static vm_fault_t insert_pages(struct drm_gem_ttmpool_object *obj,
			       struct vm_fault *vmf, size_t first)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long addr = vmf->address & PAGE_MASK;
	pgprot_t prot = vm_get_page_prot(vma->vm_flags);
	size_t in_vma = (vma->vm_end - addr) >> PAGE_SHIFT;
	size_t n = min3((size_t)MAP_AHEAD, in_vma, object_pages(obj) - first);
	vm_fault_t ret = VM_FAULT_NOPAGE;

	prot = drm_gem_ttmpool_prot(obj, prot);
	for (size_t i = 0; i < n; i++, addr += PAGE_SIZE) {
		unsigned long pfn = page_to_pfn(obj->pages[first + i]);

		ret = vmf_insert_pfn_prot(vma, addr, pfn, prot);
		if (ret & VM_FAULT_ERROR)
			return i ? VM_FAULT_NOPAGE : ret;
	}
	return ret;
}

static vm_fault_t fault_locked(struct drm_gem_ttmpool_object *obj,
			       struct vm_fault *vmf)
{
	/*
	 * The offset says where in the object the mapping begins: the mapping may be a part
	 * of one that has been divided.
	 */
	size_t first = vmf->pgoff - drm_vma_node_start(&obj->base.vma_node);
	int err;

	if (obj->madv < 0 || first >= object_pages(obj))
		return VM_FAULT_SIGBUS;
	err = drm_gem_ttmpool_get_ready(obj);
	if (err)
		return err == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	return insert_pages(obj, vmf, first);
}

static vm_fault_t object_fault(struct vm_fault *vmf)
{
	struct drm_gem_ttmpool_object *obj =
		to_drm_gem_ttmpool_obj(vmf->vma->vm_private_data);
	vm_fault_t ret;

	dma_resv_lock(obj->base.resv, NULL);
	ret = fault_locked(obj, vmf);
	dma_resv_unlock(obj->base.resv);
	return ret;
}

const struct vm_operations_struct drm_gem_ttmpool_vm_ops = {
	.fault = object_fault,
	.open = drm_gem_vm_open,
	.close = drm_gem_vm_close,
};
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_vm_ops);

/*
 * The exporter makes the mapping, and holds what it needs, so the reference that
 * DRM took is dropped.
 */
static int mmap_imported(struct drm_gem_ttmpool_object *obj,
			 struct vm_area_struct *vma)
{
	int err;

	vma->vm_private_data = NULL;
	vma->vm_ops = NULL;
	err = dma_buf_mmap(obj->base.import_attach->dmabuf, vma, 0);
	if (!err)
		drm_gem_object_put(&obj->base);
	return err;
}

/*
 * Gets the pages now, so that the caller of mmap() gets an error if there can be
 * none.
 */
static int object_prepare(struct drm_gem_ttmpool_object *obj)
{
	int err;

	dma_resv_lock(obj->base.resv, NULL);
	err = drm_gem_ttmpool_get_ready(obj);
	dma_resv_unlock(obj->base.resv);
	return err;
}

/**
 * drm_gem_ttmpool_mmap() - let a process map an object
 * @obj: the object
 * @vma: the mapping; at most of the object's size, which the caller has checked
 *
 * Faults insert the pages. Takes the reservation lock. May sleep.
 *
 * Return: 0; -EINVAL for a private mapping that may be written to; an error of
 * drm_gem_ttmpool_get_ready() or, for an imported object, of dma_buf_mmap().
 */
int drm_gem_ttmpool_mmap(struct drm_gem_ttmpool_object *obj,
			 struct vm_area_struct *vma)
{
	int err;

	if (object_is_imported(obj))
		return mmap_imported(obj, vma);
	if ((vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE)
		return -EINVAL;
	err = object_prepare(obj);
	if (err)
		return err;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_page_prot =
		drm_gem_ttmpool_prot(obj, vm_get_page_prot(vma->vm_flags));
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_mmap);
