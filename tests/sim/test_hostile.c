// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A port that lies. The linker puts our functions in front of the machine's,
 * and they return what no port should: DMA addresses that the device cannot
 * use. The library must notice before anybody does DMA by them, undo all, and
 * tell.
 */

#include "check_cmocka.h"
#include "rig.h"

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
int __real_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			   bool lazy);
void __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			   bool lazy);
int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
int __real_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);

/* The address that the next mapping is said to have, and the one it has. */
static bool lying;
static tpos_dma_addr_t lie, truth;

static void tell_lie(struct ttmpool_chunk *chunk)
{
	if (!lying)
		return;
	truth = chunk->dma.addr;
	chunk->dma.addr = lie;
}

/* The machine is told the truth again. */
static void tell_truth(struct ttmpool_chunk *chunk)
{
	if (lying && chunk->dma.addr == lie)
		chunk->dma.addr = truth;
}

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	int err = __real_tpos_dma_map(dev, chunks);

	if (!err)
		tell_lie(ttmpool_chunk_of(chunks->prev));
	return err;
}

void __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			   bool lazy)
{
	tell_truth(ttmpool_chunk_of(chunks->prev));
	__real_tpos_dma_unmap(dev, chunks, lazy);
}

int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk)
{
	int err = __real_tpos_pages_alloc(dev, req, chunk);

	if (!err && req->source == TTMPOOL_COHERENT)
		tell_lie(chunk);
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

#define BITS_32 ((tpos_dma_addr_t)1 << 32)

static const tpos_dma_addr_t lies[] = {
	BITS_32 - 8192 + 1, /* not aligned */
	BITS_32,            /* beyond the mask */
};

static const struct ttmpool_backend_funcs *const kinds[] = {
	&ttmpool_backend_plain, &ttmpool_backend_coherent
};

/* An address that the device cannot use is refused, told, and undone. */
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
		lying = false;
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* A chunk whose end is out of reach is refused, though its beginning is not. */
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
static void address_zero_is_an_address(struct check *t)
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

CHECK_SUITE(hostile, CHECK_CASE(an_address_out_of_reach_is_refused),
	    CHECK_CASE(an_end_out_of_reach_is_refused),
	    CHECK_CASE(address_zero_is_an_address));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_hostile, &config);
}
