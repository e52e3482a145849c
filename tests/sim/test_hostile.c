// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A port that lies. The linker puts our functions in front of the machine's, and they
 * return what no port should: DMA addresses that the device cannot use, or that another
 * chunk has, and wrong results of caching changes. The library must notice this before
 * any device uses the addresses, undo everything, and report it. (A store that lies is in
 * test_hostile_store.c. A lie of an unmap or of a free cannot be noticed, because these
 * calls report nothing.)
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
int __real_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
int __real_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
int __real_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);

/* The wrong address that the next mapping gets, and its real one. */
static bool lying, about_the_first, only_once;
static tpos_dma_addr_t lie, truth;

static void tell_lie(struct ttmpool_chunk *chunk)
{
	if (!lying)
		return;
	truth = chunk->dma.addr;
	chunk->dma.addr = lie;
	lying = !only_once;
}

/* Restore the real address before the machine sees it. */
static void tell_truth(struct ttmpool_chunk *chunk)
{
	if (lying && chunk->dma.addr == lie)
		chunk->dma.addr = truth;
}

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	int err = __real_tpos_dma_map(dev, chunks);

	if (!err)
		tell_lie(ttmpool_chunk_of(about_the_first ? chunks->next
							  : chunks->prev));
	return err;
}

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	tell_truth(ttmpool_chunk_of(chunks->prev));
	return __real_tpos_dma_unmap(dev, chunks, lazy);
}

/* The manager whose page budget is lowered while pages are allocated. */
static struct ttmpool_manager *lowered;

int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk)
{
	int err = __real_tpos_pages_alloc(dev, req, chunk);

	if (!err && req->source == TTMPOOL_COHERENT)
		tell_lie(chunk);
	if (lowered)
		ttmpool_manager_set_page_budget(lowered, 4);
	return err;
}

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct ttmpool_list *link;

	ttmpool_list_for_each(link, chunks)
		if (ttmpool_chunk_of(link)->flags & TTMPOOL_CHUNK_FROM_COHERENT)
			tell_truth(ttmpool_chunk_of(link));
	__real_tpos_pages_free(dev, chunks);
}

/* How the next caching change away from write-back lies. */
static enum {
	CACHING_TRUTH,
	CACHING_NOT_DONE,     /* reports success, but did nothing */
	CACHING_DONE,         /* reports a failure, but did it */
	CACHING_DONE_UNKNOWN, /* did it, but the result is unknown */
	CACHING_LIES,
} caching_lie;

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching)
{
	int err;

	if (caching == TTMPOOL_CACHED || caching_lie == CACHING_TRUTH)
		return __real_tpos_caching_set(dev, chunks, caching);
	if (caching_lie == CACHING_NOT_DONE)
		return 0;
	err = __real_tpos_caching_set(dev, chunks, caching);
	if (caching_lie == CACHING_DONE)
		return -ENOMEM;
	ttmpool_chunk_of(chunks->prev)->caching = TTMPOOL_CACHING_UNKNOWN;
	return err;
}

void __wrap_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from);
void __real_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from);

/* Counts copies of pages that are not write-back: they are slow, and against the
 * contract. */
static int slow_copies;

void __wrap_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from)
{
	slow_copies += from->chunk->caching != TTMPOOL_CACHED;
	__real_tpos_pages_copy(to, from);
}

#define BITS_32 ((tpos_dma_addr_t)1 << 32)

static const tpos_dma_addr_t lies[] = {
	BITS_32 - 8192 + 1, /* not aligned */
	BITS_32,            /* beyond the mask */
};

static const struct ttmpool_backend_funcs *const kinds[] = {
	&ttmpool_backend_plain, &ttmpool_backend_coherent
};

/* An address that the device cannot use is refused and reported, and the populate is
 * undone. */
static void an_address_out_of_reach_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .mask_bits = 32 });
	size_t told = 0;

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		struct buffer *buf = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = 1,
				.funcs = kinds[i % 2],
				.caching = TTMPOOL_WRITE_COMBINED });

		CHECK(t, buf);
		lying = true;
		lie = lies[i / 2];
		CHECK_EQ(t, ttmpool_populate(&buf->be), -EIO);
		CHECK(t, !buf->pages[0] && !buf->dma_addr[0]);
		CHECK(t, check_reports(t, TTMPOOL_REPORT_BAD_ADDRESS) > told);
		told = check_reports(t, TTMPOOL_REPORT_BAD_ADDRESS);
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK_EQ(t, rig_stats(rig).pages_fresh,
			 rig_stats(rig).pages_released);
		lying = false;
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* A chunk whose end is out of reach is refused, even if its beginning is not. */
static void an_end_out_of_reach_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .mask_bits = 32 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 16,
					 .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf);
	lying = true;
	lie = BITS_32 - 15 * 4096;
	CHECK_EQ(t, ttmpool_populate(&buf->be), -EIO);
	lying = false;
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* 0 is an address like any other. */
static void f12_address_zero_is_an_address(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .mask_bits = 32 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf);
	lying = true;
	lie = 0;
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, buf->dma_addr[0], 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	lying = false;
	CHECK(t, rig_close(t, rig));
}

static struct rig *verified_rig(struct check *t, unsigned int mask_bits)
{
	struct ttmpool_policy policy;

	check_device(t, 0, mask_bits); /* the first to ask says what it is */
	policy = rig_policy(t);
	policy.verify = true;
	return rig_open(t, &(struct rig_config){ .mask_bits = mask_bits,
						 .policy = &policy });
}

static struct buffer *open_kind(struct check *t, struct rig *rig, size_t n,
				int kind)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = kinds[kind],
					 .caching = TTMPOOL_WRITE_COMBINED });
}

/* Populate the buffer while the port returns this address. */
static int populate_at(struct buffer *buf, tpos_dma_addr_t addr)
{
	int err;

	lie = addr;
	lying = true;
	err = ttmpool_populate(&buf->be);
	lying = false;
	return err;
}

/* The address with all bits set, which the kernel uses for a mapping error, is refused,
 * even for a device that could emit it. */
static void f12_the_sentinel_is_no_address(struct check *t)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct rig *rig = verified_rig(t, 64);
		struct buffer *buf;

		CHECK(t, rig);
		buf = open_kind(t, rig, 1, (int)i);
		CHECK(t, buf);
		CHECK_EQ(t, populate_at(buf, (tpos_dma_addr_t)-1), -EIO);
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK_EQ(t, buffer_cycle(buf), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* No address is handed out that is not aligned, is beyond the mask, or wraps around. */
static void f13_no_impossible_address_is_handed_out(struct check *t)
{
	static const tpos_dma_addr_t wrong[] = {
		1,
		4095,
		4097,
		0x80000800,
		(tpos_dma_addr_t)0 - 4096 * 15,
		(tpos_dma_addr_t)0 - 4096,
	};

	for (unsigned int i = 0; i < 12; i++) {
		struct rig *rig = verified_rig(t, 64);
		struct buffer *buf;

		CHECK(t, rig);
		buf = open_kind(t, rig, 16, i % 2);
		CHECK(t, buf);
		CHECK_EQ(t, populate_at(buf, wrong[i / 2]), -EIO);
		CHECK(t, !buf->pages[0] && rig_is_quiet(t, rig));
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* An address that another buffer has, in whole or in its last page, is refused, and so is
 * one that occurs twice in a batch. */
static void f14_no_address_is_had_twice(struct check *t)
{
	for (int i = 0; i < 2; i++) {
		struct rig *rig = verified_rig(t, 64);
		struct buffer *first, *buf, *pair;

		CHECK(t, rig);
		first = open_kind(t, rig, 16, i);
		buf = open_kind(t, rig, 16, i);
		pair = open_kind(t, rig, 24, i);
		CHECK(t, first && buf && pair);
		CHECK_EQ(t, ttmpool_populate(&first->be), 0);
		CHECK_EQ(t, populate_at(buf, first->dma_addr[0]), -EIO);
		CHECK_EQ(t, populate_at(buf, first->dma_addr[15]), -EIO);
		CHECK_EQ(t, populate_at(buf, first->dma_addr[0] - 0xf000),
			 -EIO);
		CHECK(t, check_reports(t, TTMPOOL_REPORT_BAD_ADDRESS) >= 3);
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		CHECK_EQ(t, populate_at(pair, first->dma_addr[0]), -EIO);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK_EQ(t, ttmpool_unpopulate(&first->be), 0);
		CHECK_EQ(t, ttmpool_populate(&pair->be), 0);
		lie = pair->dma_addr[0];
		CHECK_EQ(t, ttmpool_unpopulate(&pair->be), 0);
		ttmpool_pool_drain(&rig->pool[0]);
		CHECK_EQ(t, populate_at(pair, lie), -EIO);
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* The pool compares at most a fixed number of addresses, and serves buffers of very many
 * chunks all the same. */
static void f14_a_search_for_addresses_ends(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer *buf[2];
	struct rig *rig;

	policy.verify = true;
	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		buf[i] = open_kind(t, rig, 150, 0);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the result of a caching change and the state of its chunks differ, the populate
 * fails; and no page leaves that is not write-back. */
static void f23_a_caching_change_that_lies_is_undone(struct check *t)
{
	for (int i = 2; i < 2 * CACHING_LIES; i++) {
		struct rig *rig = verified_rig(t, 64);
		struct buffer *buf;

		CHECK(t, rig);
		buf = open_kind(t, rig, 21, i % 2);
		CHECK(t, buf);
		caching_lie = i / 2;
		CHECK(t, ttmpool_populate(&buf->be) < 0);
		caching_lie = CACHING_TRUTH;
		CHECK(t, !buf->pages[0] && rig_is_quiet(t, rig));
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK_EQ(t, buffer_cycle(buf), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Pages are write-back by the time that they are copied. */
static void s12_no_page_is_copied_uncached(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_kind(t, rig, 21, 1);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK(t, buffer_stamp(t, buf, 9));
	slow_copies = 0;
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, slow_copies, 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK_EQ(t, slow_copies, 0);
	CHECK(t, buffer_is_stamped(t, buf, 9));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the new address of a pooled page is refused, the page is not pooled with it. */
static void f13_a_refused_address_is_not_kept(struct check *t)
{
	struct rig *rig = verified_rig(t, 32);
	struct buffer *bare, *buf;

	CHECK(t, rig);
	bare = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 16,
					 .unmapped = true,
					 .funcs = kinds[0],
					 .caching = TTMPOOL_WRITE_COMBINED });
	buf = open_kind(t, rig, 16, 0);
	CHECK(t, bare && buf && !buffer_cycle(bare));
	CHECK_EQ(t, populate_at(buf, BITS_32), -EIO);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 16);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, buf->dma_addr[0] < BITS_32);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A wrong address is found anywhere in a batch; and if smaller chunks can be had instead
 * of a refused one, the buffer gets as many pages as it asked for. */
static void f13_one_wrong_address_is_enough(struct check *t)
{
	struct rig *rig = verified_rig(t, 64);
	struct buffer *plain, *coherent;

	CHECK(t, rig);
	plain = open_kind(t, rig, 21, 0);
	coherent = open_kind(t, rig, 16, 1);
	CHECK(t, plain && coherent);
	about_the_first = true;
	CHECK_EQ(t, populate_at(plain, 4097), -EIO);
	about_the_first = false;
	CHECK_EQ(t, check_pages_out(t), 0);
	only_once = true;
	CHECK_EQ(t, populate_at(coherent, 4097), 0);
	only_once = false;
	CHECK_EQ(t, rig_stats(rig).pages_in_use, 16);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 16 * 4096);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_unpopulate(&coherent->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Smaller chunks that replace a refused one take its budget again, and only if it is
 * still there. */
static void f13_room_for_a_refused_chunk_may_be_gone(struct check *t)
{
	struct rig *rig = verified_rig(t, 64);
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_kind(t, rig, 16, 1);
	CHECK(t, buf);
	only_once = true;
	lowered = &rig->mgr;
	CHECK_EQ(t, populate_at(buf, 4097), -ENOMEM);
	lowered = NULL;
	only_once = false;
	CHECK_EQ(t, check_pages_out(t), 0);
	ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* An address next to another buffer does not overlap it, and an address that no chunk has
 * any more may be used again. */
static void f14_neighbours_and_the_past_do_not_count(struct check *t)
{
	struct rig *rig = verified_rig(t, 64);
	struct buffer *first, *buf, *again;

	CHECK(t, rig);
	first = open_kind(t, rig, 16, 0);
	buf = open_kind(t, rig, 16, 0);
	again = open_kind(t, rig, 16, 0);
	CHECK(t, first && buf && again && !ttmpool_populate(&first->be));
	lie = first->dma_addr[0] + 16 * 4096;
	lying = true;
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	lying = false;
	lie = first->dma_addr[0];
	CHECK_EQ(t, ttmpool_to_anonymous(&first->be), 0);
	CHECK_EQ(t, ttmpool_populate(&again->be), 0);
	CHECK_EQ(t, again->dma_addr[0], lie);
	CHECK_EQ(t, ttmpool_unpopulate(&again->be), 0);
	CHECK_EQ(t, ttmpool_drop(&first->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(hostile, CHECK_CASE(f12_the_sentinel_is_no_address),
	    CHECK_CASE(f13_no_impossible_address_is_handed_out),
	    CHECK_CASE(f14_no_address_is_had_twice),
	    CHECK_CASE(f14_a_search_for_addresses_ends),
	    CHECK_CASE(f23_a_caching_change_that_lies_is_undone),
	    CHECK_CASE(an_address_out_of_reach_is_refused),
	    CHECK_CASE(an_end_out_of_reach_is_refused),
	    CHECK_CASE(f12_address_zero_is_an_address),
	    CHECK_CASE(s12_no_page_is_copied_uncached),
	    CHECK_CASE(f13_a_refused_address_is_not_kept),
	    CHECK_CASE(f13_one_wrong_address_is_enough),
	    CHECK_CASE(f13_room_for_a_refused_chunk_may_be_gone),
	    CHECK_CASE(f14_neighbours_and_the_past_do_not_count));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_hostile, &config);
}
