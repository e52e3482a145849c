// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Failures that only a kernel has (f09, f15, f29, f30): poisoned memory, bounce buffers
 * that are really full, pointers to all kinds of pages, and a write to a page that was
 * given back, which nothing prevents here.
 */

#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "check_ktap.h"
#include "rig_buffer.h"

static struct rig *verified_rig(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.verify = true;
	return rig_open(t, &(struct rig_config){ .policy = &policy });
}

static struct buffer *open_buffer(struct check *t, struct rig *rig, size_t n,
				  struct ttmpool_owner *owner)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .owner = owner,
					 .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

/* A chunk with a page that the kernel marks as poisoned is quarantined; when the
 * quarantine is purged, the kernel keeps that page, and gets the others. */
static void f09_a_poisoned_page_is_set_aside(struct check *t)
{
	struct rig *rig = verified_rig(t);
	struct buffer *buf;
	struct page *page;

	CHECK(t, rig);
	buf = open_buffer(t, rig, 4, NULL);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	page = buf->pages[2];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	if (!check_poison(t, page)) {
		check_skip(t, "this kernel knows no poisoned pages");
		CHECK(t, rig_close(t, rig));
		return;
	}
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	for (size_t i = 0; i < 4; i++)
		CHECK(t, !PageHWPoison(buf->pages[i]));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 1);
	CHECK_EQ(t, rig_stats(rig).pages_quarantined, 4);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
	CHECK(t, PageHWPoison(page) && !page_count(page));
}

#define BUFFERS      32
#define BUFFER_PAGES 1024 /* 4 MiB: 128 MiB in all, and 64 MiB of slots */

/* When the bounce slots run out, the whole buffer is refused; pages that need no slots
 * can be had. When slots come back, the buffer can be populated. */
static void f15_full_bounce_buffers_are_told(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});
	struct buffer *buf[BUFFERS], *coherent;
	int n = 0, err = 0;

	CHECK(t, rig);
	if (strcmp(check_mode(), "swiotlb")) {
		check_skip(t, "nothing bounces here");
		CHECK(t, rig_close(t, rig));
		return;
	}
	while (n < BUFFERS && !err) {
		buf[n] = open_buffer(t, rig, BUFFER_PAGES, NULL);
		CHECK(t, buf[n]);
		err = ttmpool_populate(&buf[n++]->be);
	}
	CHECK_EQ(t, err, -ENOSPC);
	CHECK(t, !buf[n - 1]->pages[0] && rig_is_quiet(t, rig));
	coherent = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 64,
					 .funcs = &ttmpool_backend_coherent });
	CHECK(t, coherent && !buffer_cycle(coherent));
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&buf[n - 1]->be), 0);
	while (--n)
		CHECK_EQ(t, ttmpool_unpopulate(&buf[n]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pool claims no page of the kernel: neither the page of zeroes, nor one of slab or
 * vmalloc, nor a device's registers, nor a number that is no page. */
static void f29_no_page_of_the_kernel_is_ours(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});
	void *slab = kmalloc(100, GFP_KERNEL), *area = vmalloc(PAGE_SIZE);
	struct page *pages[5];

	CHECK(t, rig && slab && area);
	pages[0] = ZERO_PAGE(0);
	pages[1] = virt_to_page(slab);
	pages[2] = vmalloc_to_page(area);
	pages[3] = pfn_to_page(0xfee00);
	pages[4] = pfn_to_page(~0UL >> (PAGE_SHIFT + 1));
	for (int i = 0; i < 5; i++) {
		CHECK_EQ(t,
			 ttmpool_pool_give(&rig->pool[0], &pages[i], 1,
					   TTMPOOL_WRITE_COMBINED),
			 -EINVAL);
		CHECK(t, !ttmpool_pool_owns(&rig->pool[0], pages[i]));
		CHECK(t, !ttmpool_page_insertable(&rig->pool[0], pages[i]));
	}
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), 5);
	vfree(area);
	kfree(slab);
	CHECK(t, rig_close(t, rig));
}

/* An owner that writes to a page after giving it back is named when the page is handed
 * out, and the next owner sees zeroes. */
static void f30_a_late_write_names_its_owner(struct check *t)
{
	struct rig *rig = verified_rig(t);
	struct ttmpool_owner owner;
	struct buffer *buf;
	struct page *page;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "late");
	buf = open_buffer(t, rig, 4, &owner);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	page = buf->pages[3];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	memset(page_address(page) + 77, 0x66, 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_faults, CHECK_CASE(f09_a_poisoned_page_is_set_aside),
	    CHECK_CASE(f15_full_bounce_buffers_are_told),
	    CHECK_CASE(f29_no_page_of_the_kernel_is_ours),
	    CHECK_CASE(f30_a_late_write_names_its_owner));
