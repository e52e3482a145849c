// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Contents of buffers if a device does not see the CPU's cache (f22), and if the CPU
 * itself bypasses its cache, with a mapping that is not write-back beside a linear map
 * that is (f55). Between any two steps the cache may evict its lines.
 *
 * Each case runs for all kinds of requests: both sources, each caching, with and without
 * addresses; on a machine whose linear map can be changed and on one where it cannot.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N     21 /* chunks of 16, 4 and 1 pages */
#define SEED  0x77
#define KINDS (2 * TTMPOOL_CACHING_COUNT * 2)
#define MOVES 4

/* The i-th of all kinds of buffers. */
static struct buffer *buffer_of_kind(struct check *t, struct rig *rig, int i)
{
	struct buffer_config config = {
		.num_pages = N,
		.funcs = i % 2 ? &ttmpool_backend_coherent
			       : &ttmpool_backend_plain,
		.caching =
			(enum ttmpool_caching)(i / 2 % TTMPOOL_CACHING_COUNT),
		.unmapped = i >= 2 * TTMPOOL_CACHING_COUNT,
	};

	return buffer_open(t, rig, &config);
}

/* Does the device read @byte all over the page, mapped or not? Without an IOMMU it can
 * read everywhere. */
static bool device_holds(struct check *t, struct buffer *buf, size_t i,
			 unsigned char byte)
{
	tpos_device_t *dev = buf->be.pool->dev;

	return check_device_holds(
		t, dev, tpsim_page_physical(check_machine(t), buf->pages[i]),
		byte);
}

/* Must the device see the contents? If cached pages have no address, the driver has to
 * sync them. */
static bool device_counts(const struct buffer *buf)
{
	return buf->be.tt.caching != TTMPOOL_CACHED || buf->dma_addr;
}

/* Does the memory of all pages hold @byte, for the device and for the CPU, before and
 * after the cache is evicted? */
static bool all_hold(struct check *t, struct buffer *buf, unsigned char byte)
{
	bool device = device_counts(buf);

	for (int i = 0; i < 2; i++) {
		for (size_t page = 0; device && page < N; page++)
			if (!device_holds(t, buf, page, byte))
				return false;
		if (!buffer_holds(t, buf, byte))
			return false;
		tpsim_cache_evict(check_machine(t));
	}
	return true;
}

/* The device writes to all of a page, bypassing the CPU's cache. */
static bool device_fills(struct check *t, struct buffer *buf, size_t i,
			 unsigned char byte)
{
	struct tpsim_machine *machine = check_machine(t);
	uint64_t addr = tpsim_page_physical(machine, buf->pages[i]);
	char bytes[4096];

	memset(bytes, byte, sizeof(bytes));
	return !tpsim_device_write(buf->be.pool->dev, addr, bytes,
				   sizeof(bytes));
}

static int swap_out(struct ttmpool_backend *be)
{
	return ttmpool_swapout(be, TTMPOOL_ALL_PAGES);
}

static int swap_in(struct ttmpool_backend *be)
{
	return ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
}

static bool zeroes_are_in_memory(struct check *t, int kind)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf = buffer_of_kind(t, rig, kind);

	for (int round = 0; round < 3; round++)
		if (ttmpool_populate(&buf->be) || !all_hold(t, buf, 0) ||
		    !buffer_fill(t, buf, 0xc3) ||
		    !device_fills(t, buf, 3, 0x3c) ||
		    ttmpool_unpopulate(&buf->be))
			return false;
	return rig_close(t, rig);
}

static unsigned char stamp_of(size_t i)
{
	return (unsigned char)(1 + (SEED + 7 * i) % 251);
}

/* The CPU stamps all pages; or it writes something else, and then the device stamps
 * them. */
static bool stamp(struct check *t, struct buffer *buf, bool by_device)
{
	if (!by_device)
		return buffer_stamp(t, buf, SEED);
	if (!buffer_fill(t, buf, 0x11))
		return false;
	for (size_t i = 0; i < N; i++)
		if (!device_fills(t, buf, i, stamp_of(i)))
			return false;
	return true;
}

/* Are the stamps there, for the CPU and, if the buffer is populated, for the device? */
static bool is_whole(struct check *t, struct buffer *buf)
{
	bool device = device_counts(buf) &&
		      buf->be.tt.state == TTMPOOL_TT_POPULATED;

	for (size_t i = 0; device && i < N; i++)
		if (!device_holds(t, buf, i, stamp_of(i)))
			return false;
	if (device && buf->dma_addr && buf->be.funcs == &ttmpool_backend_plain)
		for (size_t i = 0; i < N; i++)
			tpsim_dma_sync(buf->be.pool->dev, buf->pages[i], false);
	return buffer_is_stamped(t, buf, SEED);
}

/* Do the stamps survive the first @moves moves of a round trip, and an eviction of the
 * cache? */
static bool survives(struct check *t, struct buffer *buf, int moves)
{
	static int (*const move[])(struct ttmpool_backend * be) = {
		ttmpool_to_anonymous,
		ttmpool_to_device,
		swap_out,
		swap_in,
	};

	for (int i = 0; i < moves; i++)
		if (move[i](&buf->be))
			return false;
	if (buf->be.tt.state == TTMPOOL_TT_SWAPPED)
		return true;
	if (!is_whole(t, buf))
		return false;
	tpsim_cache_evict(check_machine(t));
	return is_whole(t, buf);
}

static bool contents_are_in_memory(struct check *t, int kind)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf = buffer_of_kind(t, rig, kind);

	for (int i = 0; i < 2 * (MOVES + 1); i++) {
		bool by_device = i % 2 && device_counts(buf);

		if (ttmpool_populate(&buf->be) || !stamp(t, buf, by_device) ||
		    !survives(t, buf, i / 2) || ttmpool_drop(&buf->be))
			return false;
	}
	return rig_close(t, rig);
}

/* The pages of a new buffer are zero for its device and for the CPU, whether they are
 * fresh or another buffer has left them full, and stay zero when the cache is evicted. */
static void f22_zeroes_are_in_memory(struct check *t)
{
	for (int i = 0; i < KINDS; i++)
		CHECK(t, zeroes_are_in_memory(t, i));
}

/* After each move that a buffer can make, both the CPU and the device read everything
 * that either of them wrote. */
static void f22_contents_are_in_memory(struct check *t)
{
	for (int i = 0; i < KINDS; i++)
		CHECK(t, contents_are_in_memory(t, i));
}

/* A cached buffer without addresses gets pages that a buffer with addresses has left in
 * the pool: does what the CPU writes survive the first @moves moves? */
static bool survives_without_address(struct check *t, int moves)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer_config config = { .num_pages = N,
					.caching = TTMPOOL_CACHED };
	struct buffer *before, *buf;
	struct rig *rig;

	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	before = buffer_open(t, rig, &config);
	config.unmapped = true;
	buf = buffer_open(t, rig, &config);
	if (buffer_cycle(before) || ttmpool_populate(&buf->be) ||
	    rig_stats(rig).pages_hit != N || !stamp(t, buf, false) ||
	    !survives(t, buf, moves) || ttmpool_drop(&buf->be))
		return false;
	return rig_close(t, rig);
}

/* A caller that asked for no addresses cannot sync the pages for the device. So they are
 * not mapped, and no mapping can end with an invalidation of the cache; not even a
 * mapping that the pool had kept. */
static void f22_contents_without_an_address_are_not_lost(struct check *t)
{
	for (int moves = 0; moves <= MOVES; moves++)
		CHECK(t, survives_without_address(t, moves));
}

/* A mapping that is not write-back shows the zeroes, also if the device snoops the
 * cache. */
static void f55_a_mapping_past_the_cache_is_zero(struct check *t)
{
	check_snoops(t);
	for (int i = 0; i < KINDS; i++)
		CHECK(t, zeroes_are_in_memory(t, i));
}

/* What the CPU wrote through a mapping that is not write-back is neither overwritten by
 * the cache nor missed by a move, also if the device snoops the cache. */
static void f55_a_mapping_past_the_cache_keeps_its_contents(struct check *t)
{
	check_snoops(t);
	for (int i = 0; i < KINDS; i++)
		CHECK(t, contents_are_in_memory(t, i));
}

CHECK_SUITE(caches, CHECK_CASE(f22_zeroes_are_in_memory),
	    CHECK_CASE(f22_contents_are_in_memory),
	    CHECK_CASE(f22_contents_without_an_address_are_not_lost),
	    CHECK_CASE(f55_a_mapping_past_the_cache_is_zero),
	    CHECK_CASE(f55_a_mapping_past_the_cache_keeps_its_contents));

int main(int argc, char **argv)
{
	int failed = 0;

	for (int fixed = 0; fixed < 2; fixed++)
		failed |= check_main(
			argc, argv, &check_suite_caches,
			&(struct tpsim_config){ .caches = true,
						.store_adopts = true,
						.no_caching = fixed });
	return failed;
}
