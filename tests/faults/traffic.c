// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The traffic: four buffers at a time, of one caching and one source. In the first pass
 * the bins are empty, in the second full, and one buffer is swapped out and in; then the
 * code primes, scrubs and shrinks. A populate may fail, and then has changed nothing. No
 * unpopulate may fail. A move may fail half way, and leaves everything whole: whether the
 * buffer is brought back later or not, no byte changes.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "churn.h"

/* One page, odd orders, and more than a block of the linear map. */
static const size_t sizes[] = { 1, 5, 37, 600 };

struct buffer {
	struct ttmpool_backend be;
	struct page **pages;
	dma_addr_t *dma_addr;
	bool open;
};

static struct buffer buffers[ARRAY_SIZE(sizes)];

/* The index of the buffer that is swapped out. */
#define SWAPPED 1

int churn_traffic_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct buffer *buf = &buffers[i];

		buf->pages =
			kvcalloc(sizes[i], sizeof(*buf->pages), GFP_KERNEL);
		buf->dma_addr =
			kvcalloc(sizes[i], sizeof(*buf->dma_addr), GFP_KERNEL);
		if (buf->pages && buf->dma_addr)
			continue;
		churn_traffic_fini();
		return -ENOMEM;
	}
	return 0;
}

void churn_traffic_fini(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		kvfree(buffers[i].pages);
		kvfree(buffers[i].dma_addr);
	}
}

static bool is_untouched(const struct buffer *buf, size_t n)
{
	return buf->be.tt.state == TTMPOOL_TT_EMPTY &&
	       !memchr_inv(buf->pages, 0, n * sizeof(*buf->pages)) &&
	       !memchr_inv(buf->dma_addr, 0, n * sizeof(*buf->dma_addr));
}

/* The page must be zero when it comes, and must be zero for the next user, too. */
static void use_page(struct page *page)
{
	if (memchr_inv(page_address(page), 0, PAGE_SIZE))
		churn_wrong("a page is not zero, of frame",
			    (long)page_to_pfn(page));
	memset(page_address(page), 0xa5, PAGE_SIZE);
}

static void buffer_start(struct buffer *buf, size_t n,
			 const struct ttmpool_backend_config *like)
{
	struct ttmpool_backend_config config = *like;
	int err;

	config.pages = buf->pages;
	config.dma_addr = buf->dma_addr;
	config.num_pages = n;
	err = ttmpool_backend_init(&buf->be, &config);
	if (err)
		churn_wrong("backend_init", err);
	buf->open = !err;
	if (err)
		return;
	err = ttmpool_populate(&buf->be);
	churn_excuses("populate", err);
	if (err && !is_untouched(buf, n))
		churn_wrong("a populate failed and left traces, pages",
			    (long)n);
	if (err)
		return;
	use_page(buf->pages[0]);
	if (n == 1)
		return;
	use_page(buf->pages[n / 2]);
	use_page(buf->pages[n - 1]);
}

/* The CPU writes, and syncs the page where a mapping bounces. */
static void mark(const struct buffer *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		memset(page_address(buf->pages[i]), 0x80 + i, PAGE_SIZE);
		if (buf->be.funcs->source == TTMPOOL_PLAIN)
			dma_sync_single_for_device(buf->be.pool->dev,
						   buf->dma_addr[i], PAGE_SIZE,
						   DMA_BIDIRECTIONAL);
	}
}

/* Check all pages that are there, as the CPU sees them. */
static void look_at(const struct buffer *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct page *page = buf->pages[i];

		if (page && memchr_inv(page_address(page), 0x80 + i, PAGE_SIZE))
			churn_wrong("contents are not what they were, page",
				    (long)i);
	}
}

/* Swap the buffer out and in. If the swapin failed, a second one may succeed, or the
 * contents are dropped when the buffer ends. */
static void buffer_swap(struct buffer *buf, size_t n)
{
	int err;

	if (!buf->open || buf->be.tt.state != TTMPOOL_TT_POPULATED)
		return;
	mark(buf, n);
	err = ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES);
	churn_excuses("swapout", err);
	look_at(buf, n);
	for (int tries = 0; tries < 2; tries++) {
		if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
			break;
		err = ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES);
		churn_excuses("swapin", err);
		look_at(buf, n);
	}
	if (!ttmpool_backend_is_valid(&buf->be))
		churn_wrong("a backend is not valid after a move, state",
			    buf->be.tt.state);
}

static void buffer_end(struct buffer *buf)
{
	int err = 0;

	if (!buf->open)
		return;
	if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
		err = ttmpool_unpopulate(&buf->be);
	else if (buf->be.tt.state != TTMPOOL_TT_EMPTY)
		err = ttmpool_drop(&buf->be);
	if (err)
		churn_wrong("unpopulate or drop", err);
	err = ttmpool_backend_fini(&buf->be);
	if (err)
		churn_wrong("backend_fini", err);
	buf->open = false;
}

static void come_and_go(const struct ttmpool_backend_config *like, bool swap)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		buffer_start(&buffers[i], sizes[i], like);
	if (swap)
		buffer_swap(&buffers[SWAPPED], sizes[SWAPPED]);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		buffer_end(&buffers[i]);
}

static void tend(struct ttmpool_pool *pool, enum ttmpool_source source,
		 enum ttmpool_caching caching)
{
	struct ttmpool_request req = { .source = source,
				       .caching = caching,
				       .num_pages = 20 };

	if (pool->policy.recycle[source][caching])
		churn_excuses("prime", ttmpool_pool_prime(pool, &req, true));
	ttmpool_pool_scrub(pool, 10);
	ttmpool_manager_shrink_scan(pool->mgr, 100, false);
	/* With the reclaim lock: a chunk that is leaving is on no list. */
	mutex_lock(&pool->mgr->reclaim);
	if (!ttmpool_pool_is_valid(pool))
		churn_wrong("the pool's counters disagree, caching", caching);
	mutex_unlock(&pool->mgr->reclaim);
}

void churn_traffic(struct ttmpool_pool *pool)
{
	static const struct ttmpool_backend_funcs *const funcs[] = {
		[TTMPOOL_PLAIN] = &ttmpool_backend_plain,
		[TTMPOOL_COHERENT] = &ttmpool_backend_coherent,
	};
	struct ttmpool_backend_config like = { .pool = pool };

	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		like.funcs = funcs[source];
		for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
			like.caching = c;
			come_and_go(&like, false);
			come_and_go(&like, true);
			tend(pool, source, c);
		}
	}
}
