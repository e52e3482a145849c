// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Cases that no client of a display can cause: purging, tables of addresses, an exhausted
 * page budget, and a device that goes while buffers are mapped for it.
 */

#define pr_fmt(fmt) fmt

#include <linux/dma-resv.h>
#include <linux/iosys-map.h>
#include <linux/module.h>
#include <linux/scatterlist.h>

#include <ttmpool_module.h>

#include "cases.h"

static struct drm_device *drm;

static struct drm_gem_ttmpool_object *make(bool wc)
{
	return make_of(drm, wc);
}

/* An unused mapping in the kernel's address space is kept, and used again. */
static bool a_mapping_is_kept(void)
{
	struct drm_gem_ttmpool_object *obj = make(true);
	void *first, *second;
	bool good;

	CHECK(obj);
	first = visit(obj, true, 1, &good);
	second = visit(obj, false, 1, &good);
	CHECK(first && first == second && good);
	CHECK(!obj->pages_pin_count && !obj->vmap_use_count);
	end(obj);
	return true;
}

/* An object that is not pinned can be swapped out, and returns. */
static bool idle_objects_are_swapped(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_gem_ttmpool_object *obj = make(true);

	CHECK(obj && fill(obj, 2));
	CHECK(drm_gem_ttmpool_rss(obj) == SIZE);
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
	CHECK(drm_gem_ttmpool_rss(obj) == 0 && !obj->vaddr);
	CHECK(!(drm_gem_ttmpool_status(obj) & DRM_GEM_OBJECT_RESIDENT));
	CHECK(holds(obj, 2));
	CHECK(drm_gem_ttmpool_rss(obj) == SIZE);
	end(obj);
	return true;
}

/* An object that is pinned or locked is not swapped out. */
static bool pinned_objects_stay(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_gem_ttmpool_object *obj = make(false);

	CHECK(obj && fill(obj, 3) && !drm_gem_ttmpool_pin(obj));
	CHECK(!drm_gem_ttmpool_pin(obj));
	drm_gem_ttmpool_unpin(obj);
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == 0);
	drm_gem_ttmpool_unpin(obj);
	lock(obj);
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == 0);
	unlock(obj);
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
	end(obj);
	return true;
}

/* The table of DMA addresses covers the object, page by page. */
static bool addresses_are_those_of_the_pages(void)
{
	struct drm_gem_ttmpool_object *obj = make(true);
	struct sg_table *sgt;
	struct scatterlist *sg;
	size_t page = 0;
	int i;

	CHECK(obj);
	sgt = drm_gem_ttmpool_get_pages_sgt(obj);
	CHECK(!IS_ERR(sgt) && drm_gem_ttmpool_get_pages_sgt(obj) == sgt);
	for_each_sgtable_dma_sg(sgt, sg, i)
	{
		CHECK(sg_page(sg) == obj->pages[page]);
		for (size_t at = 0; at < sg_dma_len(sg); at += PAGE_SIZE)
			CHECK(sg_dma_address(sg) + at == obj->dma_addr[page++]);
	}
	CHECK(page == PAGES && obj->pages_pin_count == 1);
	lock(obj);
	__drm_gem_ttmpool_free_sgt_locked(obj);
	unlock(obj);
	CHECK(!obj->sgt && !obj->pages_pin_count);
	end(obj);
	return true;
}

/* Objects that are marked as not needed are purged, in memory and in the store, and no
 * others. */
static bool what_nobody_wants_is_purged(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();

	for (int swapped = 0; swapped < 2; swapped++) {
		struct drm_gem_ttmpool_object *obj = make(true);

		CHECK(obj && fill(obj, 4) && !drm_gem_ttmpool_pin(obj));
		lock(obj);
		CHECK(!drm_gem_ttmpool_is_purgeable(obj));
		CHECK(drm_gem_ttmpool_madvise_locked(obj, 1) == 1);
		CHECK(!drm_gem_ttmpool_is_purgeable(obj));
		drm_gem_ttmpool_unpin_locked(obj);
		CHECK(drm_gem_ttmpool_is_purgeable(obj));
		unlock(obj);
		if (swapped)
			CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
		lock(obj);
		drm_gem_ttmpool_purge_locked(obj);
		CHECK(drm_gem_ttmpool_madvise_locked(obj, 0) == 0);
		CHECK(drm_gem_ttmpool_pin_locked(obj) == -EFAULT);
		unlock(obj);
		CHECK(drm_gem_ttmpool_rss(obj) == 0);
		end(obj);
	}
	return true;
}

/* A pin without pages fails, and succeeds when there are pages again. */
static bool without_pages_nothing_is_pinned(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_gem_ttmpool_object *obj = make(false);
	struct iosys_map map;

	CHECK(obj);
	ttmpool_manager_set_page_budget(mgr, PAGES - 1);
	CHECK(drm_gem_ttmpool_pin(obj) == -ENOMEM);
	lock(obj);
	CHECK(drm_gem_ttmpool_vmap_locked(obj, &map) == -ENOMEM);
	unlock(obj);
	CHECK(IS_ERR(drm_gem_ttmpool_get_pages_sgt(obj)));
	CHECK(!obj->pages_pin_count && !obj->vmap_use_count);
	ttmpool_manager_set_page_budget(mgr, TTMPOOL_NO_LIMIT);
	CHECK(fill(obj, 5) && holds(obj, 5));
	end(obj);
	return true;
}

/* An object of no byte, or of more than possible, is refused. */
static bool impossible_objects_are_refused(void)
{
	CHECK(IS_ERR(drm_gem_ttmpool_create(drm, 0)));
	CHECK(IS_ERR(drm_gem_ttmpool_create(drm, SIZE_MAX)));
	return true;
}

/* Contents go from one device to another with their pages, and back, also out of the
 * store. A pinned object is not handed over, and one with contents takes none. */
static bool contents_are_handed_over(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_device *second = device_plug(1);
	struct drm_gem_ttmpool_object *a = make(true), *b;
	struct page *page;

	CHECK(a && second);
	b = make_of(second, false);
	CHECK(b && fill(a, 11));
	page = a->pages[PAGES - 1];
	lock(a);
	CHECK(dma_resv_trylock(b->base.resv));
	CHECK(!drm_gem_ttmpool_pin_locked(a));
	CHECK(drm_gem_ttmpool_handover_locked(a, b) == -EBUSY);
	drm_gem_ttmpool_unpin_locked(a);
	CHECK(drm_gem_ttmpool_handover_locked(a, b) == 0);
	CHECK(b->pages[PAGES - 1] == page && b->dma_addr[PAGES - 1]);
	CHECK(drm_gem_ttmpool_handover_locked(a, b) == -EBUSY);
	unlock(b);
	unlock(a);
	CHECK(holds(b, 11) && drm_gem_ttmpool_rss(a) == 0);
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
	lock(a);
	CHECK(dma_resv_trylock(b->base.resv));
	CHECK(drm_gem_ttmpool_handover_locked(b, a) == 0);
	unlock(b);
	unlock(a);
	CHECK(holds(a, 11) && fill(b, 12) && holds(b, 12));
	end(a);
	end(b);
	device_unplug(1);
	return true;
}

/* Nothing stays mapped for a device that goes, and the contents of its objects stay: of a
 * pinned one, one with a table of addresses, an idle, a swapped, and an unused one. This
 * case is the last, since the device goes. */
static bool what_a_device_had_outlives_it(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_gem_ttmpool_object *obj[5];
	struct sg_table *sgt;

	for (int i = 0; i < 5; i++) {
		obj[i] = make(i & 1);
		CHECK(obj[i]);
	}
	CHECK(fill(obj[3], 9));
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
	CHECK(fill(obj[0], 6) && fill(obj[1], 7) && fill(obj[2], 8));
	CHECK(!drm_gem_ttmpool_pin(obj[0]));
	CHECK(!IS_ERR(drm_gem_ttmpool_get_pages_sgt(obj[1])));
	drm_dev_get(drm);
	device_unplug(0);
	for (int i = 0; i < 5; i++)
		CHECK(!obj[i]->be.dma_addr && !obj[i]->sgt);
	CHECK(obj[0]->pages_pin_count == 1 && obj[1]->pages_pin_count == 0);
	CHECK(holds(obj[0], 6) && holds(obj[1], 7) && holds(obj[2], 8));
	CHECK(holds(obj[3], 9) && fill(obj[4], 10) && holds(obj[4], 10));
	sgt = drm_gem_ttmpool_get_pages_sgt(obj[4]);
	CHECK(IS_ERR(sgt) && PTR_ERR(sgt) == -ENODEV);
	drm_gem_ttmpool_unpin(obj[0]);
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
	for (int i = 0; i < 5; i++)
		end(obj[i]);
	drm_dev_put(drm);
	return true;
}

#define CASE(name)          \
	{                   \
#name, name \
	}
static const struct {
	const char *name;
	bool (*run)(void);
} cases[] = {
	CASE(a_mapping_is_kept),
	CASE(idle_objects_are_swapped),
	CASE(pinned_objects_stay),
	CASE(addresses_are_those_of_the_pages),
	CASE(what_nobody_wants_is_purged),
	CASE(without_pages_nothing_is_pinned),
	CASE(impossible_objects_are_refused),
	CASE(contents_are_handed_over),
	CASE(an_object_may_end_in_reclaim),
	CASE(who_has_one_object_may_end_another),
	CASE(a_device_waits_for_who_ends_an_object),
	CASE(objects_may_end_while_the_device_goes),
	CASE(a_kill_costs_no_contents),
	CASE(what_a_device_had_outlives_it),
};

static int __init cases_init(void)
{
	int err = devices_start();

	if (err)
		return err;
	drm = device_plug(0);
	if (!drm) {
		devices_end();
		return -ENODEV;
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		pr_info("    %sok %zu %s\n", cases[i].run() ? "" : "not ",
			i + 1, cases[i].name);
	return 0;
}

static void __exit cases_exit(void)
{
	devices_end();
}

module_init(cases_init);
module_exit(cases_exit);
MODULE_DESCRIPTION("Cases of drm_gem_ttmpool");
MODULE_LICENSE("Dual MIT/GPL");
