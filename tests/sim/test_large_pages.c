// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages of 64 KiB: what is done in pieces, so that memory comes free early and little is held
 * at a time, is done in pieces of as many bytes as with small pages.
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define MIB  ((size_t)1 << 20)
#define MANY (40 * MIB >> 16) /* pages */

/* Bytes of the largest batch that went to the system. */
static size_t largest_freed;

void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;
	size_t pages = 0;

	ttmpool_for_each_chunk(chunk, chunks)
		pages += ttmpool_chunk_pages(chunk);
	if (pages << 16 > largest_freed)
		largest_freed = pages << 16;
	__real_tpos_pages_free(dev, chunks);
}

/* Bytes of the largest chunk that the pool makes. */
static size_t largest_chunk(struct rig *rig)
{
	return (size_t)1 << (16 + rig->pool[0].policy.max_order);
}

static struct buffer *open_many(struct check *t, struct rig *rig)
{
	struct buffer *buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = MANY,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });

	return buf && !ttmpool_populate(&buf->be) ? buf : NULL;
}

/* A swap-out that the store ends early has made 16 MiB ordinary pages, and no more than the
 * rest of a chunk beside that. */
static void s07_a_swap_out_strips_16_mib_of_large_pages(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	size_t stripped, pages;
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_many(t, rig);
	CHECK(t, buf);
	pages = largest_chunk(rig) >> 16; /* a part of a chunk does not leave */
	stripped = (size_t)rig_stats(rig).caching_pages;
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_WRITE,
						.nth = pages + 1,
						.times = UINT_MAX });
	CHECK(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES) < 0);
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	stripped = ((size_t)rig_stats(rig).caching_pages - stripped) << 16;
	CHECK(t, stripped > 0 && stripped < 16 * MIB + largest_chunk(rig));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Whatever is given up goes in slices of 4 MiB, and no more than the rest of a chunk beside
 * that. */
static void s11_a_slice_has_4_mib_of_large_pages(struct check *t)
{
	for (int i = 0; i < 3; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *buf;

		CHECK(t, rig);
		buf = open_many(t, rig);
		CHECK(t, buf && !ttmpool_unpopulate(&buf->be));
		CHECK_EQ(t, rig_stats(rig).pages_pooled, MANY);
		largest_freed = 0;
		if (i == 0)
			ttmpool_manager_set_pool_limit(&rig->mgr, 0);
		else if (i == 1)
			ttmpool_pool_drain(&rig->pool[0]);
		else
			ttmpool_manager_shrink_scan(&rig->mgr, MANY, false);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
		CHECK(t, largest_freed > 0);
		CHECK(t, largest_freed < 4 * MIB + largest_chunk(rig));
		CHECK(t, rig_close(t, rig));
	}
}

CHECK_SUITE(large_pages,
	    CHECK_CASE(s07_a_swap_out_strips_16_mib_of_large_pages),
	    CHECK_CASE(s11_a_slice_has_4_mib_of_large_pages));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .page_shift = 16,
						    .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 2048 };

	return check_main(argc, argv, &check_suite_large_pages, &config);
}
