// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers whose pages belong to a shmem file.
 *
 *     EMPTY        the file has the pages: in memory, swapped out, or not at all
 *     POPULATED    each page is referenced, so that it stays, and mapped
 *
 * Reclaim can do nothing with a referenced page, and finds that out anew each time it comes
 * across it. So the file is marked unevictable. At the end, pages that reclaim has put
 * aside for that reason are brought back to it, because nothing else does this
 * (check_move_unevictable_folios()).
 *
 * A device without an IOMMU that does not emit more than 32 bits needs pages below 4 GiB.
 * The file's mask of allocation flags says so. If such a page comes back from swap at a
 * wrong place, shmem moves it (mm/shmem.c, shmem_should_replace_folio). Nothing helps a
 * device that emits less: it is refused, and so is one whose mappings always bounce.
 *
 * When the device is done with a page, anybody may get it. So at that point all pages are
 * marked dirty, and the IOTLB has forgotten them.
 */

#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>
#include <linux/swiotlb.h>
#include TTMPOOL_FOLIO_BATCH_H

#include "ttmpool_shmem.h"
#include "ttmpool_store.h"
#include "ttmpool_trace.h"

static struct ttmpool_shmem *shmem_of(struct ttmpool_backend *be)
{
	return container_of(be, struct ttmpool_shmem, be);
}

static void release_batch(struct folio_batch *batch)
{
	check_move_unevictable_folios(batch);
	folio_batch_release(batch);
	cond_resched();
}

/*
 * Drops the references to the first @n pages. @dirty says that somebody may have
 * written to them.
 */
static void unpin_pages(struct ttmpool_shmem *shmem, size_t n, bool dirty)
{
	struct page **pages = shmem->be.tt.pages;
	struct folio_batch batch;

	mapping_clear_unevictable(shmem->file->f_mapping);
	folio_batch_init(&batch);
	for (size_t i = 0; i < n; i++) {
		if (dirty)
			set_page_dirty(pages[i]);
		if (!folio_batch_add(&batch, page_folio(pages[i])))
			release_batch(&batch);
		pages[i] = NULL;
	}
	if (folio_batch_count(&batch))
		release_batch(&batch);
}

/*
 * The commit limit concerns memory, too: to a driver, -ENOSPC only means address
 * space.
 */
static int pin_error(long err)
{
	return err == -ENOSPC ? -ENOMEM : ttmpool_store_error(err);
}

static bool would_bounce(struct device *dev, struct page *page)
{
	return !tpos_device_reaches(dev, page, 1) ||
	       (!ttmpool_device_is_translated(dev) &&
		is_swiotlb_force_bounce(dev));
}

static int pin_page(struct ttmpool_shmem *shmem, size_t i)
{
	struct page *page = shmem_read_mapping_page(shmem->file->f_mapping, i);
	struct ttmpool_backend *be = &shmem->be;

	if (IS_ERR(page))
		return pin_error(PTR_ERR(page));
	if (be->dma_addr && would_bounce(be->pool->dev, page)) {
		put_page(page);
		return -EIO;
	}
	be->tt.pages[i] = page;
	return 0;
}

static int pin_pages(struct ttmpool_shmem *shmem)
{
	size_t n;
	int err;

	mapping_set_unevictable(shmem->file->f_mapping);
	for (n = 0; n < shmem->be.tt.num_pages; n++) {
		err = tpos_signal_pending() ? -EINTR : pin_page(shmem, n);
		if (err)
			goto unpin;
		cond_resched();
	}
	return 0;

unpin:
	unpin_pages(shmem, n, false);
	return err;
}

/*
 * The longest piece that the DMA API and the device accept as one, in whole pages.
 */
static unsigned int max_segment(struct device *dev)
{
	size_t max = min_t(size_t, dma_max_mapping_size(dev),
			   dma_get_max_seg_size(dev));

	return max_t(size_t, max & PAGE_MASK, PAGE_SIZE);
}

static void note_addresses(struct ttmpool_shmem *shmem)
{
	dma_addr_t *addr = shmem->be.dma_addr;
	struct sg_dma_page_iter iter;

	for_each_sgtable_dma_page(&shmem->sgt, &iter, 0) *addr++ =
		sg_page_iter_dma_address(&iter);
}

/* Maps all pages in one call: behind an IOMMU they become one piece. */
static int map_pages(struct ttmpool_shmem *shmem)
{
	struct ttmpool_backend *be = &shmem->be;
	struct device *dev = be->pool->dev;
	size_t n = be->tt.num_pages;
	int err;

	if (!be->dma_addr)
		return 0;
	err = sg_alloc_table_from_pages_segment(&shmem->sgt, be->tt.pages, n, 0,
						n << PAGE_SHIFT,
						max_segment(dev), TTMPOOL_GFP);
	if (err)
		return -ENOMEM;
	err = dma_map_sgtable(dev, &shmem->sgt, DMA_BIDIRECTIONAL,
			      DMA_ATTR_NO_WARN);
	trace_ttmpool_map(dev, shmem->sgt.orig_nents, err);
	if (err)
		goto free_table;
	atomic_long_add(shmem->sgt.orig_nents, &ttmpool_counters.maps);
	note_addresses(shmem);
	return 0;

free_table:
	sg_free_table(&shmem->sgt);
	return ttmpool_device_is_translated(dev) ? -ENOSPC : -EIO;
}

static void unmap_pages(struct ttmpool_shmem *shmem)
{
	struct ttmpool_backend *be = &shmem->be;
	struct device *dev = be->pool->dev;
	bool lazy = be->pool->policy.lazy_unmap;

	if (!be->dma_addr)
		return;
	dma_unmap_sgtable(dev, &shmem->sgt, DMA_BIDIRECTIONAL, 0);
	if (!lazy)
		ttmpool_complete_invalidations(dev);
	atomic_long_add(shmem->sgt.orig_nents, &ttmpool_counters.unmaps);
	trace_ttmpool_unmap(dev, shmem->sgt.orig_nents, lazy);
	sg_free_table(&shmem->sgt);
}

static int shmem_populate(struct ttmpool_backend *be)
{
	struct ttmpool_shmem *shmem = shmem_of(be);
	int err = pin_pages(shmem);

	if (err)
		return err;
	err = map_pages(shmem);
	if (err)
		goto unpin;
	return 0;

unpin:
	unpin_pages(shmem, be->tt.num_pages, false);
	return err;
}

/* Returns whether @page, whatever it is, is the page of the file at index @i. */
static bool is_page_of(struct ttmpool_shmem *shmem, struct page *page, size_t i)
{
	struct folio *folio;
	unsigned long pfn;

	if (!ttmpool_is_page(page, &pfn) || !pfn_valid(pfn))
		return false;
	folio = page_folio(page);
	return folio->mapping == shmem->file->f_mapping &&
	       folio_file_page(folio, i) == page && folio->index <= i &&
	       i - folio->index < folio_nr_pages(folio);
}

static bool addresses_are_ours(struct ttmpool_shmem *shmem)
{
	const dma_addr_t *addr = shmem->be.dma_addr;
	struct sg_dma_page_iter iter;

	if (!addr)
		return true;
	for_each_sgtable_dma_page(
		&shmem->sgt, &iter,
		0) if (*addr++ != sg_page_iter_dma_address(&iter)) return false;
	return true;
}

static int shmem_unpopulate(struct ttmpool_backend *be)
{
	struct ttmpool_shmem *shmem = shmem_of(be);

	if (be->tt.caching != TTMPOOL_CACHED)
		return -EINVAL;
	for (size_t i = 0; i < be->tt.num_pages; i++)
		if (!is_page_of(shmem, be->tt.pages[i], i))
			return -EINVAL;
	if (!addresses_are_ours(shmem))
		return -EINVAL;
	unmap_pages(shmem);
	unpin_pages(shmem, be->tt.num_pages, true);
	return 0;
}

static const struct ttmpool_backend_funcs shmem_funcs = {
	.name = "shmem",
	.populate = shmem_populate,
	.unpopulate = shmem_unpopulate,
};

/*
 * Pages that are pinned for long must not lie where memory has to be movable (no
 * __GFP_MOVABLE).
 */
static gfp_t file_gfp(struct device *dev)
{
	gfp_t gfp = TTMPOOL_GFP | __GFP_RECLAIMABLE;

	if (ttmpool_device_is_translated(dev) ||
	    dma_get_mask(dev) > DMA_BIT_MASK(32))
		return gfp | __GFP_HIGHMEM;
	return gfp | __GFP_DMA32;
}

int ttmpool_shmem_init(struct ttmpool_shmem *shmem,
		       const struct ttmpool_backend_config *config)
{
	struct ttmpool_backend_config ours = *config;
	struct file *file;
	int err;

	if (config->funcs || config->caching != TTMPOOL_CACHED)
		return -EINVAL;
	if (config->num_pages > UINT_MAX)
		return -E2BIG;
	*shmem = (struct ttmpool_shmem){};
	ours.funcs = &shmem_funcs;
	err = ttmpool_backend_init(&shmem->be, &ours);
	if (err)
		return err;
	file = ttmpool_store_file("ttmpool",
				  (loff_t)config->num_pages << PAGE_SHIFT);
	if (IS_ERR(file))
		return PTR_ERR(file);
	mapping_set_gfp_mask(file->f_mapping, file_gfp(config->pool->dev));
	shmem->file = file;
	return 0;
}

int ttmpool_shmem_purge(struct ttmpool_shmem *shmem)
{
	if (shmem->be.tt.state != TTMPOOL_TT_EMPTY)
		return -EBUSY;
	shmem_truncate_range(file_inode(shmem->file), 0, (loff_t)-1);
	return 0;
}

int ttmpool_shmem_fini(struct ttmpool_shmem *shmem)
{
	int err = ttmpool_shmem_purge(shmem);

	if (err)
		return err;
	fput(shmem->file);
	return ttmpool_backend_fini(&shmem->be);
}
