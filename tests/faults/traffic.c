// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The traffic: three buffers at a time, of one caching, from one source. The
 * first pass finds empty bins, the second one full ones; then some is primed,
 * scrubbed and shrunk. Any populate may fail, and has then changed nothing. No
 * unpopulate may.
 */

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "churn.h"

/* One page, odd orders, and more than a block of the linear map. */
static const size_t sizes[] = { 1, 37, 600 };

struct buffer {
	struct ttmpool_backend be;
	struct page **pages;
	dma_addr_t *dma_addr;
	bool open;
};

static struct buffer buffers[ARRAY_SIZE(sizes)];

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

/* Nobody else's bytes are in it; and whoever has it next is to find none of
 * these. */
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

static void buffer_end(struct buffer *buf)
{
	int err = 0;

	if (!buf->open)
		return;
	if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
		err = ttmpool_unpopulate(&buf->be);
	if (err)
		churn_wrong("unpopulate", err);
	err = ttmpool_backend_fini(&buf->be);
	if (err)
		churn_wrong("backend_fini", err);
	buf->open = false;
}

static void come_and_go(const struct ttmpool_backend_config *like)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		buffer_start(&buffers[i], sizes[i], like);
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
	/* While nobody reclaims: a chunk on its way out is on no list. */
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
			come_and_go(&like);
			come_and_go(&like);
			tend(pool, source, c);
		}
	}
}
