// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the threads do while schedules are explored. The machine is so small, and the
 * budgets are so tight, that they are in each other's way: a thread has to swap another's
 * buffer out to get its own, or it waits for addresses that another one has.
 *
 * Before they start, each thread has its first buffer, on the swapper's list, and some
 * pages are pooled. When they are done, all counters must agree, every byte of every
 * buffer must be there, and nothing may be left.
 */

#include <stdlib.h>
#include <string.h>

#include <ttmpool/ttmpool.h>

#include "scenario.h"
#include "tpsim.h"

#define PAGES 3
#define OWN   2

#define MOST_BUDGET (4 * MOST_THREADS + 2)

struct buffer {
	struct ttmpool_backend be;
	tpos_page_t *pages[PAGES];
	tpos_dma_addr_t dma_addr[PAGES];
	uint64_t word;
	unsigned int locked; /* how often */
};

static struct stage {
	const struct scenario *scenario;
	struct tpsim_machine *machine;
	struct ttmpool_iova iova;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	struct ttmpool_owner owner;
	struct buffer bufs[MOST_THREADS][OWN];
	unsigned int (*choose)(void *arg, unsigned int enabled,
			       unsigned int current,
			       const struct point *pending);
	void *choose_arg;
	long budget; /* of pages: the highest so far */
	bool roomy;  /* there is always room for every take */
	const char *wrong;
} stage;

static bool buffer_trylock(struct ttmpool_backend *be)
{
	bool got = coop_trylock(be);

	ttmpool_list_entry(be, struct buffer, be)->locked += got;
	return got;
}

static void buffer_unlock(struct ttmpool_backend *be)
{
	coop_unlock(be);
}

static uint64_t *word_at(struct buffer *buf, size_t i)
{
	return tpsim_page_address(stage.machine, buf->pages[i]);
}

static void buffer_write(struct buffer *buf, uint64_t word)
{
	buf->word = word;
	for (size_t i = 0; i < PAGES; i++)
		*word_at(buf, i) = word + i;
}

static void buffer_check(struct buffer *buf)
{
	for (size_t i = 0; i < PAGES; i++) {
		if (!buf->pages[i])
			continue;
		if (*word_at(buf, i) != buf->word + i)
			stage.wrong = "a word is not what was written";
	}
}

/* A lack of memory or of addresses is not a failure here; any other error is. */
static void note(int err)
{
	if (err && err != -ENOMEM && err != -ENOSPC && err != -ETIMEDOUT)
		stage.wrong = "an error without a reason";
}

static void get(struct buffer *buf)
{
	struct ttmpool_backend *be = &buf->be;
	bool fresh = be->tt.state == TTMPOOL_TT_EMPTY;
	int err = 0;

	if (fresh)
		err = ttmpool_populate(be);
	else if (be->tt.state == TTMPOOL_TT_ANONYMOUS)
		err = ttmpool_to_device(be);
	else if (be->tt.state != TTMPOOL_TT_POPULATED)
		err = ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
	note(err);
	if (!err && be->tt.state != TTMPOOL_TT_POPULATED)
		stage.wrong = "a buffer is not what it should be";
	if (!err && fresh)
		buffer_write(buf, buf->word + 0x1000);
	buffer_check(buf);
}

static void put(struct buffer *buf)
{
	if (buf->be.tt.state != TTMPOOL_TT_EMPTY && ttmpool_drop(&buf->be))
		stage.wrong = "a buffer could not be dropped";
}

static void out(struct buffer *buf)
{
	if (buf->be.tt.state == TTMPOOL_TT_POPULATED ||
	    buf->be.tt.state == TTMPOOL_TT_ANONYMOUS)
		note(ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES));
	buffer_check(buf);
}

static void make_anonymous(struct buffer *buf)
{
	if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
		note(ttmpool_to_anonymous(&buf->be));
	buffer_check(buf);
}

/* Make one operation on a buffer, under its lock. */
static void with_buffer(struct buffer *buf, char op)
{
	coop_lock(&buf->be);
	buf->locked++;
	switch (op) {
	case 'g':
		get(buf);
		break;
	case 'p':
		put(buf);
		break;
	case 'o':
		out(buf);
		break;
	case 'a':
		make_anonymous(buf);
		break;
	case 'l':
		ttmpool_lru_add(&buf->be);
		break;
	default:
		ttmpool_lru_remove(&buf->be);
		break;
	}
	coop_unlock(&buf->be);
}

/* The lock is destroyed with the buffer, so it is not taken: it is enough that the
 * swapper does not examine the buffer any more. */
static void end_buffer(struct buffer *buf)
{
	ttmpool_lru_remove(&buf->be);
	put(buf);
}

static struct ttmpool_request two_pages(void)
{
	return (struct ttmpool_request){ .caching = TTMPOOL_WRITE_COMBINED,
					 .num_pages = 2 };
}

static void take_and_give(void)
{
	struct ttmpool_request req = two_pages();
	tpos_page_t *pages[2];
	int err = ttmpool_pool_take(&stage.pool, &req, pages, NULL);

	note(err);
	if (err && stage.roomy)
		stage.wrong = "refused, though there was room";
	if (err)
		return;
	for (int i = 0; i < 2; i++)
		if (*(uint64_t *)tpsim_page_address(stage.machine, pages[i]))
			stage.wrong = "another owner's bytes were handed out";
	if (ttmpool_pool_give(&stage.pool, pages, 2, TTMPOOL_WRITE_COMBINED))
		stage.wrong = "pages could not be given back";
}

/* Ask for all pages of the budget; most of the time, other threads have a part of
 * them. */
static void ask_for_all(void)
{
	struct ttmpool_request req = two_pages();
	tpos_page_t *pages[MOST_BUDGET];
	int err;

	req.num_pages = (size_t)tpos_atomic_read(&stage.mgr.page_budget);
	err = ttmpool_pool_take(&stage.pool, &req, pages, NULL);
	note(err);
	if (!err &&
	    ttmpool_pool_give(&stage.pool, pages, req.num_pages, req.caching))
		stage.wrong = "pages could not be given back";
}

/* Returns whether the swapper could have the buffer now. */
static bool is_idle(const struct buffer *buf)
{
	const struct ttmpool_backend *be = &buf->be;

	return be->lru_pages && !ttmpool_list_empty(&be->lru) &&
	       !be->lru_victim && !coop_is_locked(be);
}

/* Shrink. That gains nothing only if all buffers were in use, if only for a moment. */
static void shrink(void)
{
	struct buffer *idle[MOST_THREADS * OWN];
	unsigned int locked[MOST_THREADS * OWN];
	size_t n = 0;

	for (unsigned int i = 0; i < stage.scenario->n; i++) {
		for (int j = 0; j < OWN; j++) {
			struct buffer *buf = &stage.bufs[i][j];

			if (!is_idle(buf))
				continue;
			idle[n] = buf;
			locked[n++] = buf->locked;
		}
	}
	if (ttmpool_manager_shrink_scan(&stage.mgr, 4, true))
		return;
	for (size_t i = 0; i < n; i++)
		if (is_idle(idle[i]) && idle[i]->locked == locked[i])
			stage.wrong = "the shrinker left an idle buffer";
}

/* Make one operation that is not on a buffer. */
static void with_pool(char op)
{
	struct ttmpool_request req = two_pages();

	switch (op) {
	case 'x':
		take_and_give();
		break;
	case 'z':
		ask_for_all();
		break;
	case 's':
		shrink();
		break;
	case 'w':
		ttmpool_manager_swapout(&stage.mgr, 3);
		break;
	case 'd':
		ttmpool_pool_drain(&stage.pool);
		break;
	case 't':
		ttmpool_manager_set_pool_limit(&stage.mgr, 2);
		break;
	case 'u':
		ttmpool_manager_set_pool_limit(&stage.mgr, 8);
		break;
	case 'b':
		ttmpool_manager_set_page_budget(&stage.mgr, 8);
		break;
	case 'm':
		note(ttmpool_pool_prime(&stage.pool, &req, true));
		break;
	default:
		ttmpool_pool_scrub(&stage.pool, 4);
		break;
	}
}

static void run_thread(void *arg, unsigned int i)
{
	(void)arg;
	for (const char *op = stage.scenario->ops[i]; *op && !stage.wrong;
	     op++) {
		if (*op == 'k')
			end_buffer(&stage.bufs[i][0]);
		else if (strchr("gpoalr", *op))
			with_buffer(&stage.bufs[i][0], *op);
		else if (strchr("GPOA", *op))
			with_buffer(&stage.bufs[i][1], (char)(*op - 'A' + 'a'));
		else
			with_pool(*op);
	}
}

static void open_buffers(void)
{
	static struct ttmpool_backend_funcs funcs;

	funcs = ttmpool_backend_plain;
	funcs.trylock = buffer_trylock;
	funcs.unlock = buffer_unlock;
	for (unsigned int i = 0; i < stage.scenario->n; i++) {
		for (int j = 0; j < OWN; j++) {
			struct buffer *buf = &stage.bufs[i][j];
			struct ttmpool_backend_config config = {
				.pool = &stage.pool,
				.funcs = &funcs,
				.owner = &stage.owner,
				.pages = buf->pages,
				.dma_addr = buf->dma_addr,
				.num_pages = PAGES,
				.caching = TTMPOOL_WRITE_COMBINED,
				.wait_ms = 1000,
			};

			if (ttmpool_backend_init(&buf->be, &config))
				abort();
		}
	}
	for (unsigned int i = 0; i < stage.scenario->n; i++) {
		get(&stage.bufs[i][0]);
		ttmpool_lru_add(&stage.bufs[i][0].be);
	}
}

/* Two threads that have a buffer of three pages each, and only take two more pages and
 * give things up, are never short of pages. Nor are they if only one takes any, and the
 * other asks for the whole budget, which it does not get as long as its own buffer cannot
 * be swapped out for that. */
static bool is_roomy(const struct scenario *scenario)
{
	for (unsigned int i = 0; i < scenario->n; i++) {
		const char *ops = scenario->ops[i];
		size_t r = *ops == 'r';

		if (strspn(ops + r, r ? "xswdtucz" : "xswdtuc") + r !=
		    strlen(ops))
			return false;
	}
	return scenario->n == 2;
}

/* Pages for one buffer of each thread, and two more; none more if a thread asks for the
 * whole budget. */
static unsigned long budget_of(const struct scenario *scenario)
{
	unsigned long pages = 4 * scenario->n + 2;

	for (unsigned int i = 0; i < scenario->n; i++)
		if (strchr(scenario->ops[i], 'z'))
			return pages - 2;
	return pages;
}

/* The budgets are just enough for one buffer of each thread, and a little more. */
static void open_stage(const struct scenario *scenario)
{
	struct tpsim_config machine = { .ram_pages = 128,
					.max_order = 4,
					.iommu = TPSIM_IOMMU_STRICT,
					.store_pages = 64 };
	struct tpsim_device_config device = { .node = TTMPOOL_NODE_ANY };
	struct ttmpool_manager_config manager = {
		.page_budget = budget_of(scenario), .pool_limit = 8
	};
	struct ttmpool_pool_config pool = { .name = "schedules",
					    .node = TTMPOOL_NODE_ANY,
					    .iova = &stage.iova };
	struct ttmpool_policy policy;
	struct tpos_device_info info;

	memset(&stage, 0, sizeof(stage));
	stage.scenario = scenario;
	stage.machine = tpsim_machine_create(&machine);
	manager.system = stage.machine;
	pool.dev = stage.machine ? tpsim_device_create(stage.machine, &device)
				 : NULL;
	if (!pool.dev || ttmpool_manager_init(&stage.mgr, &manager) ||
	    ttmpool_iova_init(&stage.iova, (3ull * scenario->n + 1) << 12, 0))
		abort();
	tpos_device_query(pool.dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.max_order = 1;
	policy.refill = false;
	pool.policy = &policy;
	if (ttmpool_pool_init(&stage.pool, &stage.mgr, &pool))
		abort();
	ttmpool_owner_init(&stage.owner, "threads");
	open_buffers();
	take_and_give();
}

/* If pages only come back and the limit is only lowered, what the limit and its slack
 * admit stays pooled. The last chunk that goes may be a page larger than needed. */
static unsigned long least_pooled(const struct scenario *scenario)
{
	unsigned long limit =
		(unsigned long)tpos_atomic_read(&stage.mgr.pool_limit);
	unsigned long least = limit - limit / 8 - 1;
	unsigned long given = 2; /* open_stage() */

	for (unsigned int i = 0; i < scenario->n; i++) {
		const char *ops = scenario->ops[i];

		if (strspn(ops, "pt") != strlen(ops))
			return 0;
		given += strchr(ops, 'p') ? PAGES : 0;
	}
	return given < least ? given : least;
}

/* All threads are done: do all counters agree? */
static void check_stage(void)
{
	struct ttmpool_manager_stats stats;
	struct tpsim_ledger ledger;
	unsigned long pages = 0;

	for (unsigned int i = 0; i < stage.scenario->n; i++) {
		for (int j = 0; j < OWN; j++) {
			struct buffer *buf = &stage.bufs[i][j];

			buffer_check(buf);
			if (!ttmpool_backend_is_valid(&buf->be))
				stage.wrong = "a backend is not valid";
			for (int k = 0; k < PAGES; k++)
				pages += buf->pages[k] != NULL;
		}
	}
	ttmpool_manager_stats(&stage.mgr, &stats);
	if (stats.pages_pooled >
	    (unsigned long)tpos_atomic_read(&stage.mgr.pool_limit))
		stage.wrong = "more is pooled than may be";
	if (stats.pages_pooled < least_pooled(stage.scenario))
		stage.wrong = "more was trimmed than was over the limit";
	tpsim_ledger(stage.machine, &ledger);
	if (!ttmpool_manager_is_valid(&stage.mgr))
		stage.wrong = "the manager is not valid";
	if (stats.pages != ledger.pages_plain ||
	    ttmpool_owner_pages(&stage.owner, TTMPOOL_IN_USE) != pages)
		stage.wrong = "the accounts are not the machine's";
	if (ledger.mapped_bytes != ttmpool_iova_pages(&stage.iova) << 12)
		stage.wrong = "what is mapped is not on the books";
}

static void close_stage(void)
{
	for (unsigned int i = 0; i < stage.scenario->n; i++) {
		for (int j = 0; j < OWN; j++) {
			struct buffer *buf = &stage.bufs[i][j];

			ttmpool_lru_remove(&buf->be);
			put(buf);
			if (ttmpool_backend_fini(&buf->be))
				stage.wrong = "a buffer could not be ended";
		}
	}
	if (ttmpool_pool_fini(&stage.pool) ||
	    ttmpool_owner_fini(&stage.owner) ||
	    ttmpool_manager_fini(&stage.mgr)) {
		stage.wrong = "something was in use at the end";
		return;
	}
	ttmpool_iova_fini(&stage.iova);
	tpsim_machine_destroy(stage.machine);
}

/*
 * What must be true at any time, wherever the threads are: no more pages are in use, and
 * no more are mapped, than the budgets admit. (A request that runs while the page budget
 * is lowered may have read the old one.)
 */
static unsigned int watch(void *arg, unsigned int enabled, unsigned int current,
			  const struct point *pending)
{
	(void)arg;
	if (__atomic_load_n(&stage.mgr.pages.value, __ATOMIC_SEQ_CST) >
	    stage.budget)
		stage.wrong = "more pages than the budget, for a moment";
	if ((uint64_t)__atomic_load_n(&stage.iova.pages.value, __ATOMIC_SEQ_CST)
		    << 12 >
	    stage.iova.limit)
		stage.wrong = "more is mapped than the limit, for a moment";
	return stage.choose(stage.choose_arg, enabled, current, pending);
}

const char *scenario_play(const struct scenario *scenario,
			  unsigned int (*choose)(void *arg,
						 unsigned int enabled,
						 unsigned int current,
						 const struct point *pending),
			  void *arg)
{
	struct coop_run run = { scenario->n, run_thread, watch, NULL };

	open_stage(scenario);
	stage.roomy = is_roomy(scenario);
	stage.budget = tpos_atomic_read(&stage.mgr.page_budget);
	stage.choose = choose;
	stage.choose_arg = arg;
	if (!coop_play(&run))
		return "all wait for each other";
	if (!stage.wrong)
		check_stage();
	if (!stage.wrong)
		close_stage();
	return stage.wrong;
}
