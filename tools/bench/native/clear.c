// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clearing of pooled pages, compared with a loop that only stores zeroes past the caches,
 * and with memset(), on the same bytes. */

#include <emmintrin.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "native.h"

#define PAGES ((size_t)32768) /* 128 MiB */
#define BYTES (PAGES << NATIVE_PAGE_SHIFT)

struct site {
	struct native_system *system;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	struct ttmpool_runs runs;
	struct ttmpool_request req;
	char *bytes;
};

static int site_open(struct site *site)
{
	struct ttmpool_manager_config mgr = { .page_budget = TTMPOOL_NO_LIMIT,
					      .pool_limit = PAGES };
	struct ttmpool_pool_config config = { .name = "clear",
					      .node = TTMPOOL_NODE_ANY };

	site->req = (struct ttmpool_request){ .caching = TTMPOOL_WRITE_COMBINED,
					      .num_pages = PAGES };
	site->system = native_open(2 * PAGES);
	if (!site->system)
		return -ENOMEM;
	mgr.system = site->system;
	config.dev = native_device(site->system);
	if (ttmpool_manager_init(&site->mgr, &mgr) ||
	    ttmpool_pool_init(&site->pool, &site->mgr, &config) ||
	    ttmpool_runs_take(&site->pool, &site->req, true, &site->runs))
		return -ENOMEM;
	site->bytes = native_bytes(
		site->system, ttmpool_chunk_of(site->runs.chunks.next)->page);
	ttmpool_runs_give(&site->runs);
	return 0;
}

static void site_close(struct site *site)
{
	ttmpool_pool_fini(&site->pool);
	if (ttmpool_manager_fini(&site->mgr))
		abort();
	native_close(site->system);
}

/* The worker's part, on pages that a buffer has just given back. */
static double clear_pool(void *arg)
{
	struct site *site = arg;
	uint64_t began;

	if (ttmpool_runs_take(&site->pool, &site->req, true, &site->runs))
		return 0;
	ttmpool_runs_give(&site->runs);
	began = now_ns();
	ttmpool_pool_scrub(&site->pool, PAGES);
	return (double)(now_ns() - began);
}

static double clear_floor(void *arg)
{
	struct site *site = arg;
	const __m128i zero = _mm_setzero_si128();
	__m128i *at = (__m128i *)site->bytes;
	uint64_t began = now_ns();

	for (size_t i = 0; i < BYTES / sizeof(zero); i += 4) {
		_mm_stream_si128(at + i, zero);
		_mm_stream_si128(at + i + 1, zero);
		_mm_stream_si128(at + i + 2, zero);
		_mm_stream_si128(at + i + 3, zero);
	}
	_mm_sfence();
	return (double)(now_ns() - began);
}

/* Page by page, as clear_page() is called. */
static double clear_cached(void *arg)
{
	struct site *site = arg;
	size_t page = (size_t)1 << NATIVE_PAGE_SHIFT;
	uint64_t began = now_ns();

	for (size_t i = 0; i < BYTES; i += page) {
		char *at = site->bytes + i;
		size_t n = page;

		__asm__ volatile("rep stosb"
				 : "+D"(at), "+c"(n)
				 : "a"(0)
				 : "memory");
	}
	return (double)(now_ns() - began);
}

static int race(struct row *row, struct site *site, double (*other)(void *))
{
	int err = compare(row, &(struct side){ clear_pool, site },
			  &(struct side){ other, site });

	row->ours = BYTES / row->ours;
	row->other = BYTES / row->other;
	row->unit = "GB/s";
	return err;
}

int bench_clear(struct rows *rows)
{
	static struct site site;
	struct row *row;
	int err = site_open(&site);

	if (err)
		return err;
	row = rows_add(rows, "clearing: share of bare stores past the caches",
		       "T5");
	row->goal = 0.9;
	err = race(row, &site, clear_floor);
	row = rows_add(rows, "clearing, beside rep stosb, page by page",
		       "clear-stosb");
	if (!err)
		err = race(row, &site, clear_cached);
	site_close(&site);
	return err;
}
