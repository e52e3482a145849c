// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A thread with buffers, as a driver has them: each under its own lock, and on the
 * swapper's list. The thread checks what it can know: its pages are zero when it gets
 * them, and hold what it wrote until it gives them back, wherever they have been in
 * between.
 */

#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "races.h"

#define BUFFERS     3
#define BUFFER_SIZE 40

/**
 * struct worker - one thread's buffers
 */
struct worker {
	struct race *race;
	u8 byte;
	struct worker_buffer {
		struct ttmpool_backend be;
		struct mutex lock;
		struct page *pages[BUFFER_SIZE];
		dma_addr_t dma_addr[BUFFER_SIZE];
	} bufs[BUFFERS];
};

static bool worker_trylock(struct ttmpool_backend *be)
{
	return mutex_trylock(&container_of(be, struct worker_buffer, be)->lock);
}

static void worker_unlock(struct ttmpool_backend *be)
{
	mutex_unlock(&container_of(be, struct worker_buffer, be)->lock);
}

static int worker_populate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.populate(be);
}

static int worker_unpopulate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.unpopulate(be);
}

static const struct ttmpool_backend_funcs worker_funcs = {
	.name = "worker",
	.populate = worker_populate,
	.unpopulate = worker_unpopulate,
	.movable = true,
	.source = TTMPOOL_PLAIN,
	.trylock = worker_trylock,
	.unlock = worker_unlock,
};

static void fill(struct worker_buffer *buf, u8 byte)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		memset(page_address(buf->pages[i]), byte, PAGE_SIZE);
}

static void expect(struct worker_buffer *buf, u8 byte)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (memchr_inv(page_address(buf->pages[i]), byte, PAGE_SIZE))
			race_wrong("not what this thread wrote, page", (long)i);
}

/* Memory and addresses are short at times, and a thread that is stopped gets a signal:
 * then nothing is lost, and the thread tries again or drops the buffer. */
static void may_fail(const char *what, int err)
{
	if (err && err != -ENOMEM && err != -ENOSPC && err != -EINTR)
		race_wrong(what, err);
}

static void buffer_come(struct worker *worker, struct worker_buffer *buf)
{
	int err = ttmpool_populate(&buf->be);

	may_fail("populate", err);
	if (err)
		return;
	expect(buf, 0);
	fill(buf, worker->byte);
	may_fail("lru_add", ttmpool_lru_add(&buf->be));
}

static void buffer_go(struct worker *worker, struct worker_buffer *buf)
{
	ttmpool_lru_remove(&buf->be);
	if (buf->be.tt.state == TTMPOOL_TT_EMPTY)
		return;
	if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
		expect(buf, worker->byte);
	if (ttmpool_drop(&buf->be))
		race_wrong("drop, state", buf->be.tt.state);
}

/* Swap the buffer in if the swapper had it; or swap it out and in; or make it anonymous
 * and ready for the device again. */
static void buffer_move(struct worker *worker, struct worker_buffer *buf,
			unsigned int round)
{
	enum ttmpool_tt_state state = buf->be.tt.state;

	if (state == TTMPOOL_TT_SWAPPED || state == TTMPOOL_TT_PARTIAL)
		may_fail("swapin", ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES));
	else if (state == TTMPOOL_TT_ANONYMOUS)
		may_fail("to_device", ttmpool_to_device(&buf->be));
	else if (state == TTMPOOL_TT_POPULATED && round % 3 == 0)
		may_fail("swapout",
			 ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES));
	else if (state == TTMPOOL_TT_POPULATED && round % 3 == 1)
		may_fail("to_anonymous", ttmpool_to_anonymous(&buf->be));
	if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
		expect(buf, worker->byte);
	ttmpool_lru_touch(&buf->be);
}

static struct worker *worker_start(struct race *race, unsigned int nr)
{
	struct worker *worker = kvzalloc(sizeof(*worker), GFP_KERNEL);

	if (!worker)
		return NULL;
	worker->race = race;
	worker->byte = 0x10 + nr;
	for (unsigned int i = 0; i < BUFFERS; i++) {
		struct worker_buffer *buf = &worker->bufs[i];
		struct ttmpool_backend_config config = {
			.pool = &race->pools[(nr + i) % RACE_POOLS],
			.funcs = &worker_funcs,
			.owner = &race->owner,
			.pages = buf->pages,
			.dma_addr = buf->dma_addr,
			.num_pages = BUFFER_SIZE - 7 * i,
			.caching = (nr + i) % TTMPOOL_CACHING_COUNT,
		};

		mutex_init(&buf->lock);
		if (ttmpool_backend_init(&buf->be, &config))
			race_wrong("backend_init", i);
	}
	return worker;
}

static void worker_round(struct worker *worker, unsigned int round)
{
	struct worker_buffer *buf = &worker->bufs[round % BUFFERS];

	mutex_lock(&buf->lock);
	if (buf->be.tt.state == TTMPOOL_TT_EMPTY)
		buffer_come(worker, buf);
	else if (round % 7 == 0)
		buffer_go(worker, buf);
	else
		buffer_move(worker, buf, round);
	mutex_unlock(&buf->lock);
	cond_resched();
}

int race_work(struct race *race, unsigned int nr)
{
	struct worker *worker = worker_start(race, nr);

	if (!worker)
		return -ENOMEM;
	for (unsigned int round = nr; !kthread_should_stop(); round++)
		worker_round(worker, round);
	for (unsigned int i = 0; i < BUFFERS; i++) {
		struct worker_buffer *buf = &worker->bufs[i];

		mutex_lock(&buf->lock);
		buffer_go(worker, buf);
		mutex_unlock(&buf->lock);
		if (ttmpool_backend_fini(&buf->be))
			race_wrong("backend_fini", i);
	}
	kvfree(worker);
	return 0;
}
