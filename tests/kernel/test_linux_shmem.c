// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers whose pages belong to a shmem file: the struct pages show that nothing is
 * copied.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/swap.h>

#include "batch.h"
#include "rig_buffer.h"
#include "ttmpool_shmem.h"

#define PAGES 300

struct shmem_buffer {
	struct ttmpool_shmem shmem;
	struct page *pages[PAGES];
	dma_addr_t dma_addr[PAGES];
	struct page *seen[PAGES];
};

static struct shmem_buffer *open_buffer(struct check *t, struct rig *rig)
{
	struct shmem_buffer *buf = check_zalloc(t, sizeof(*buf));
	struct ttmpool_backend_config config = { .pool = &rig->pool[0],
						 .num_pages = PAGES,
						 .caching = TTMPOOL_CACHED };

	if (!buf)
		return NULL;
	config.pages = buf->pages;
	config.dma_addr = buf->dma_addr;
	return ttmpool_shmem_init(&buf->shmem, &config) ? NULL : buf;
}

static void fill(struct shmem_buffer *buf, unsigned char byte)
{
	for (int i = 0; i < PAGES; i++)
		memset(page_address(buf->pages[i]), byte + i, PAGE_SIZE);
	wmb(); /* before the device looks */
}

static bool holds(struct shmem_buffer *buf, unsigned char byte)
{
	for (int i = 0; i < PAGES; i++)
		if (memchr_inv(page_address(buf->pages[i]),
			       (unsigned char)(byte + i), PAGE_SIZE))
			return false;
	return true;
}

static bool is_empty(const struct shmem_buffer *buf)
{
	return !memchr_inv(buf->pages, 0, sizeof(buf->pages)) &&
	       !memchr_inv(buf->dma_addr, 0, sizeof(buf->dma_addr));
}

/* With a bounce buffer, the device would not access the file's pages. */
static bool is_served(struct check *t)
{
	if (strcmp(check_mode(), "swiotlb"))
		return true;
	check_skip(t, "every mapping bounces");
	return false;
}

/* The device sees the contents, and when the buffer is populated again, it has the same
 * pages, with the same contents. */
static void contents_survive_without_a_copy(struct check *t)
{
	struct shmem_buffer *buf;
	struct rig *rig;

	if (!is_served(t))
		return;
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	buf = open_buffer(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), 0);
	fill(buf, 0x11);
	memcpy(buf->seen, buf->pages, sizeof(buf->pages));
	CHECK(t, check_device_holds(t, rig->dev[0], buf->dma_addr[0], 0x11));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), 0);
	CHECK(t, is_empty(buf));
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), 0);
	CHECK(t, !memcmp(buf->seen, buf->pages, sizeof(buf->pages)));
	CHECK(t, holds(buf, 0x11));
	CHECK(t, check_device_holds(t, rig->dev[0], buf->dma_addr[PAGES - 1],
				    (0x11 + PAGES - 1) & 0xff));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), 0);
	CHECK_EQ(t, ttmpool_shmem_fini(&buf->shmem), 0);
	CHECK(t, rig_close(t, rig));
}

/* Purged contents read as zeroes afterwards. */
static void purged_contents_are_gone(struct check *t)
{
	struct shmem_buffer *buf;
	struct rig *rig;

	if (!is_served(t))
		return;
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	buf = open_buffer(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), 0);
	fill(buf, 0x22);
	CHECK_EQ(t, ttmpool_shmem_purge(&buf->shmem), -EBUSY);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), 0);
	CHECK_EQ(t, ttmpool_shmem_purge(&buf->shmem), 0);
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), 0);
	for (int i = 0; i < PAGES; i++)
		CHECK(t,
		      !memchr_inv(page_address(buf->pages[i]), 0, PAGE_SIZE));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), 0);
	CHECK_EQ(t, ttmpool_shmem_fini(&buf->shmem), 0);
	CHECK(t, rig_close(t, rig));
}

/* Calls with a wrong page, address or caching, and a fini while the buffer is populated,
 * are refused, and nothing has changed. */
static void what_is_wrong_is_refused(struct check *t)
{
	struct shmem_buffer *buf;
	struct page *page;
	struct rig *rig;

	if (!is_served(t))
		return;
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	buf = open_buffer(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), 0);
	fill(buf, 0x33);
	page = buf->pages[7];
	buf->pages[7] = buf->pages[8];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), -EINVAL);
	buf->pages[7] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), -EINVAL);
	buf->pages[7] = NULL;
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), -EINVAL);
	buf->pages[7] = page;
	buf->dma_addr[9]++;
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), -EINVAL);
	buf->dma_addr[9]--;
	buf->shmem.be.tt.caching = TTMPOOL_UNCACHED;
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), -EINVAL);
	buf->shmem.be.tt.caching = TTMPOOL_CACHED;
	CHECK_EQ(t, ttmpool_shmem_fini(&buf->shmem), -EBUSY);
	CHECK(t, holds(buf, 0x33));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), 0);
	CHECK_EQ(t, ttmpool_shmem_fini(&buf->shmem), 0);
	CHECK(t, rig_close(t, rig));
}

/* An init without a pool, with another caching, or with functions of another kind is
 * refused. */
static void only_cached_buffers_start(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});
	struct shmem_buffer *buf = check_zalloc(t, sizeof(*buf));
	struct ttmpool_backend_config config = { .num_pages = PAGES,
						 .caching = TTMPOOL_CACHED };

	CHECK(t, rig && buf);
	config.pages = buf->pages;
	CHECK_EQ(t, ttmpool_shmem_init(&buf->shmem, &config), -EINVAL);
	config.pool = &rig->pool[0];
	config.caching = TTMPOOL_WRITE_COMBINED;
	CHECK_EQ(t, ttmpool_shmem_init(&buf->shmem, &config), -EINVAL);
	config.caching = TTMPOOL_CACHED;
	config.funcs = &ttmpool_backend_plain;
	CHECK_EQ(t, ttmpool_shmem_init(&buf->shmem, &config), -EINVAL);
	CHECK(t, rig_close(t, rig));
}

/* If every mapping bounces, the populate is refused, and the buffer holds no page. */
static void a_device_that_bounces_is_refused(struct check *t)
{
	struct shmem_buffer *buf;
	struct rig *rig;

	if (strcmp(check_mode(), "swiotlb")) {
		check_skip(t, "nothing bounces");
		return;
	}
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	buf = open_buffer(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), -EIO);
	CHECK(t, is_empty(buf));
	CHECK_EQ(t, ttmpool_shmem_fini(&buf->shmem), 0);
	CHECK(t, rig_close(t, rig));
}

/* After an unpopulate, the device does not reach the pages. */
static void unpopulated_pages_are_out_of_reach(struct check *t)
{
	struct tpos_device_info info;
	struct shmem_buffer *buf;
	struct rig *rig;
	dma_addr_t addr;

	tpos_device_query(check_device(t, 0, 64), &info);
	if (!info.has_iommu) {
		check_skip(t, "no IOMMU");
		return;
	}
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	buf = open_buffer(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->shmem.be), 0);
	fill(buf, 0x44);
	addr = buf->dma_addr[0];
	CHECK(t, check_device_holds(t, rig->dev[0], addr, 0x44));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->shmem.be), 0);
	check_provoke(rig->dev[0], addr);
	CHECK_EQ(t, edu_load(edu_of(rig->dev[0]), addr), 0);
	CHECK(t, !edu_holds(edu_of(rig->dev[0]), 0x44));
	CHECK_EQ(t, ttmpool_shmem_fini(&buf->shmem), 0);
	CHECK(t, rig_close(t, rig));
}

/* Returns the number of pages of the file that are not in memory, or are on their way
 * out. */
static int pages_absent(struct shmem_buffer *buf)
{
	int absent = 0;

	for (int i = 0; i < PAGES; i++) {
		struct page *page =
			pagecache_get_page(buf->shmem.file->f_mapping, i, 0, 0);

		if (page)
			put_page(page);
		absent += !page;
	}
	return absent;
}

/* Under pressure the system swaps out a buffer that is not populated, and it comes back
 * with every byte, even if an earlier reclaim tried that in vain because the buffer was
 * populated. A populated buffer stays in memory. */
static void the_system_swaps_what_is_not_in_use(struct check *t)
{
	struct shmem_buffer *bufs[2];
	struct rig *rig;

	if (get_nr_swap_pages() < 16 * PAGES) {
		check_skip(t, "no swap device");
		return;
	}
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		bufs[i] = open_buffer(t, rig);
		CHECK(t, bufs[i]);
		CHECK_EQ(t, ttmpool_populate(&bufs[i]->shmem.be), 0);
		fill(bufs[i], 0x55 + i);
	}
	batch_squeeze();
	CHECK_EQ(t, ttmpool_unpopulate(&bufs[1]->shmem.be), 0);
	for (int n = 0; n < 20 && pages_absent(bufs[1]) < PAGES; n++)
		batch_squeeze();
	CHECK_EQ(t, pages_absent(bufs[0]), 0);
	CHECK(t, pages_absent(bufs[1]) > PAGES / 2);
	CHECK_EQ(t, ttmpool_populate(&bufs[1]->shmem.be), 0);
	for (int i = 0; i < 2; i++) {
		CHECK(t, holds(bufs[i], 0x55 + i));
		CHECK(t, check_device_holds(t, rig->dev[0],
					    bufs[i]->dma_addr[0], 0x55 + i));
		CHECK_EQ(t, ttmpool_unpopulate(&bufs[i]->shmem.be), 0);
		CHECK_EQ(t, ttmpool_shmem_fini(&bufs[i]->shmem), 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_shmem, CHECK_CASE(contents_survive_without_a_copy),
	    CHECK_CASE(purged_contents_are_gone),
	    CHECK_CASE(what_is_wrong_is_refused),
	    CHECK_CASE(only_cached_buffers_start),
	    CHECK_CASE(a_device_that_bounces_is_refused),
	    CHECK_CASE(unpopulated_pages_are_out_of_reach),
	    CHECK_CASE(the_system_swaps_what_is_not_in_use));
