// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What other threads do while the library works and holds no lock. Here the functions of
 * the port do it, so that it always happens at the same moment.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define MANY 300 /* more chunks than are passed to put one in its place */

/* What is done, once, when the function of the port is called next. */
static struct meanwhile {
	void (*clear)(void *arg);
	void (*unmap)(void *arg);
	void (*write)(void *arg);
	void (*budget)(void *arg);
	void *arg;
} meanwhile;

static void do_once(void (**deed)(void *arg))
{
	void (*fn)(void *arg) = *deed;

	*deed = NULL;
	if (fn)
		fn(meanwhile.arg);
}

void __real_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);
size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);

bool __real_tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
					 unsigned long limit);
bool __wrap_tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
					 unsigned long limit);

bool __wrap_tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
					 unsigned long limit)
{
	do_once(&meanwhile.budget);
	return __real_tpos_atomic_add_unless_above(n, a, limit);
}

void __wrap_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	do_once(&meanwhile.clear);
	__real_tpos_pages_clear(dev, chunks);
}

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	do_once(&meanwhile.unmap);
	return __real_tpos_dma_unmap(dev, chunks, lazy);
}

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	do_once(&meanwhile.write);
	return __real_tpos_store_write(store, index, from);
}

/* The largest sum that any counter reached in steps of more than one. */
static atomic_long most_counted;

long __real_tpos_atomic_add_return(long n, tpos_atomic_t *a);
long __wrap_tpos_atomic_add_return(long n, tpos_atomic_t *a);

long __wrap_tpos_atomic_add_return(long n, tpos_atomic_t *a)
{
	long sum;

	if (n > 1)
		do_once(&meanwhile.budget);
	sum = __real_tpos_atomic_add_return(n, a);
	if (n > 1 && sum > most_counted)
		most_counted = sum;
	return sum;
}

static struct pages *single(struct check *t, struct rig *rig, int caching)
{
	return pages_open(t, rig,
			  &(struct pages_config){
				  .caching = (enum ttmpool_caching)caching });
}

/* Requests that need addresses, for which the pool ends kept mappings; and the oldest
 * page of the pool. */
struct others {
	tpos_page_t *oldest;
	struct pages *pages[MANY + 1];
	int first;
	int end;
	int err;
};

static void map_for_others(void *arg)
{
	struct others *others = arg;

	for (; others->first < others->end && !others->err; others->first++)
		others->err = pages_take(others->pages[others->first]);
}

/* A pool at its mapped limit, with mappings of one dirty page, the oldest, and of @n
 * clean ones; and with one clean page that is not mapped, the newest. */
static struct rig *open_full(struct check *t, size_t n, struct others *others)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .policy = &policy };
	struct ttmpool_request one = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 1 };
	struct pages *oldest;
	struct rig *rig;

	policy.keep_mapped = true;
	config.mapped_limit = (n + 1) * tpsim_page_size(check_machine(t));
	rig = rig_open(t, &config);
	oldest = rig ? single(t, rig, TTMPOOL_WRITE_COMBINED) : NULL;
	if (!oldest || pages_take(oldest))
		return NULL;
	others->oldest = oldest->pages[0];
	if (pages_give(oldest))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (ttmpool_pool_prime(&rig->pool[0], &one, true))
			return NULL;
	if (ttmpool_pool_prime(&rig->pool[0], &one, false))
		return NULL;
	for (size_t i = 0; i < n + 1; i++) {
		others->pages[i] = single(t, rig, TTMPOOL_UNCACHED);
		if (!others->pages[i])
			return NULL;
	}
	others->end = (int)n;
	return rig;
}

static bool close_full(struct check *t, struct rig *rig, struct others *others)
{
	while (others->first)
		if (pages_give(others->pages[--others->first]))
			return false;
	return rig_close(t, rig);
}

/* Clear the oldest page, and let all clean pages lose their mappings meanwhile; then it
 * loses its own, too. Returns 0 or an error. */
static int overtake(struct rig *rig, struct others *others)
{
	meanwhile =
		(struct meanwhile){ .clear = map_for_others, .arg = others };
	if (ttmpool_pool_scrub(&rig->pool[0], 1) != 1)
		return -EINVAL;
	others->end++;
	map_for_others(others);
	return others->err;
}

/* If a newer page was unmapped while a page was out for clearing, the older page is still
 * put in its place when it is unmapped: it leaves first. */
static void s11_what_comes_late_is_put_in_its_place(struct check *t)
{
	struct others others = { .first = 0 };
	struct rig *rig = open_full(t, 1, &others);

	CHECK(t, rig);
	CHECK_EQ(t, overtake(rig, &others), 0);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 3);
	CHECK(t, tpos_page_chunk(rig->dev[0], others.oldest));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false), 1);
	CHECK(t, !tpos_page_chunk(rig->dev[0], others.oldest));
	CHECK(t, close_full(t, rig, &others));
}

/* If very many newer pages were unmapped meanwhile, the page is not put in its place, and
 * no lock is held for long to do so. */
static void s11_nobody_looks_for_its_place_for_long(struct check *t)
{
	struct others others = { .first = 0 };
	struct rig *rig = open_full(t, MANY, &others);

	CHECK(t, rig);
	CHECK_EQ(t, overtake(rig, &others), 0);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, MANY + 2);
	CHECK(t, close_full(t, rig, &others));
}

/* What was seen of a rig while pages of its first pool were leaving. */
struct sight {
	struct rig *rig;
	bool seen;
	bool valid;
};

static void look(void *arg)
{
	struct sight *sight = arg;

	sight->seen = true;
	sight->valid = ttmpool_pool_is_valid(&sight->rig->pool[0]) &&
		       ttmpool_pool_is_valid(&sight->rig->pool[1]);
}

/* A pool is valid while pages of it leave, though they are on no list and still mapped,
 * and so is another pool. */
static void s06_a_pool_is_valid_while_its_pages_leave(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct sight sight = { .seen = false };
	struct pages *some;

	policy.keep_mapped = true;
	sight.rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .policy = &policy });
	CHECK(t, sight.rig);
	some = single(t, sight.rig, TTMPOOL_WRITE_COMBINED);
	CHECK(t, some && !pages_cycle(some));
	meanwhile = (struct meanwhile){ .unmap = look, .arg = &sight };
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&sight.rig->mgr, 1, false), 1);
	CHECK(t, sight.seen && sight.valid);
	CHECK(t, rig_close(t, sight.rig));
}

/* Another thread takes a buffer off the list. */
struct removal {
	struct buffer *buf;
	pthread_t thread;
	bool started;
};

static void *remove_buffer(void *arg)
{
	struct removal *removal = arg;

	ttmpool_lru_remove(&removal->buf->be);
	return NULL;
}

/* Start that thread, and return when the buffer is off the list; from then on the thread
 * waits until the buffer is no longer being swapped out. */
static void start_removal(void *arg)
{
	struct timespec time = { 0, 1000000 };
	struct removal *removal = arg;
	struct ttmpool_backend *be = &removal->buf->be;
	bool on_list = true;

	removal->started =
		!pthread_create(&removal->thread, NULL, remove_buffer, removal);
	while (removal->started && on_list) {
		tpos_spin_lock(&be->pool->mgr->lock);
		on_list = !ttmpool_list_empty(&be->lru);
		tpos_spin_unlock(&be->pool->mgr->lock);
		nanosleep(&time, NULL);
	}
}

/* A buffer that was taken off the list while its swap-out failed is not put on it
 * again. */
static void s07_a_removed_buffer_stays_removed(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct removal removal = { .started = false };
	struct buffer_config config = { .funcs = &buffer_plain };

	CHECK(t, rig);
	removal.buf = buffer_ready(t, rig, &config, 1);
	CHECK(t, removal.buf && !ttmpool_lru_add(&removal.buf->be));
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_WRITE,
						.nth = 1,
						.times = 100 });
	meanwhile =
		(struct meanwhile){ .write = start_removal, .arg = &removal };
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 1), 0);
	CHECK(t, removal.started);
	pthread_join(removal.thread, NULL);
	CHECK(t, ttmpool_list_empty(&rig->mgr.lru.buffers));
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	CHECK_EQ(t, removal.buf->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, ttmpool_unpopulate(&removal.buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A swap-out is held up until another thread has its pages, or for ten seconds. */
struct slow {
	struct pages *pages;
	pthread_t thread;
	size_t written;
	bool started;
	atomic_bool over;
	bool in_time;
	int err;
};

static void *take_beside(void *arg)
{
	struct slow *slow = arg;

	slow->err = pages_take(slow->pages);
	slow->over = true;
	return NULL;
}

static void hold_up(void *arg)
{
	struct timespec time = { 0, 1000000 };
	struct slow *slow = arg;

	slow->written++;
	if (slow->written == 2)
		slow->started =
			!pthread_create(&slow->thread, NULL, take_beside, slow);
	for (int i = 0; slow->written == 1100 && !slow->over && i < 10000; i++)
		nanosleep(&time, NULL);
	if (slow->written == 1100)
		slow->in_time = slow->over;
	meanwhile.write = hold_up;
}

/* A request for a few pages that comes while another thread swaps out many is not
 * refused, and does not wait until all are out: it gets the first pages that come
 * back. */
static void s06_nobody_waits_for_the_end_of_a_swap_out(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 1200 });
	struct buffer_config config = { .funcs = &buffer_plain,
					.caching = TTMPOOL_UNCACHED,
					.num_pages = 1200 };
	struct slow slow = { .err = -1 };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 1);
	slow.pages =
		pages_open(t, rig, &(struct pages_config){ .num_pages = 20 });
	CHECK(t, buf && slow.pages);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
	meanwhile = (struct meanwhile){ .write = hold_up, .arg = &slow };
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 1200), 1200);
	meanwhile.write = NULL;
	CHECK(t, slow.started && !pthread_join(slow.thread, NULL));
	CHECK_EQ(t, slow.err, 0);
	CHECK(t, slow.in_time);
	CHECK_EQ(t, pages_give(slow.pages), 0);
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A small request that another thread makes meanwhile. */
struct small {
	struct pages *pages;
	int err;
};

static void take_small(void *arg)
{
	struct small *small = arg;

	small->err = pages_take(small->pages);
}

/* A request that is refused was at no moment counted in the budget; otherwise other
 * requests would have been refused because of it. */
static void s06_no_count_is_over_the_budget_for_a_moment(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .page_budget = 10 });
	struct pages_config config = { .num_pages = 8,
				       .caching = TTMPOOL_WRITE_COMBINED };
	struct pages *some, *more;
	struct small small;

	CHECK(t, rig);
	some = pages_open(t, rig, &config);
	config.num_pages = 5;
	more = pages_open(t, rig, &config);
	CHECK(t, some && more);
	small = (struct small){ .pages = more, .err = -1 };
	meanwhile.arg = &small;
	meanwhile.budget = take_small;
	most_counted = 0;
	CHECK_EQ(t, pages_take(some), -ENOMEM);
	CHECK_EQ(t, small.err, 0);
	CHECK_EQ(t, pages_give(more), 0);
	CHECK(t, most_counted <= 10);
	CHECK(t, rig_close(t, rig));
}

/* A request that cannot have all it lacks takes no part of it: that part stays available
 * to another request at any moment. */
static void s06_who_asks_in_vain_holds_nothing(struct check *t)
{
	static const enum ttmpool_effort efforts[] = { TTMPOOL_RETRY_MAYFAIL,
						       TTMPOOL_NO_WAIT };

	for (size_t i = 0; i < sizeof(efforts) / sizeof(*efforts); i++) {
		struct rig *rig =
			rig_open(t, &(struct rig_config){ .page_budget = 20 });
		struct pages_config config = { .num_pages = 5,
					       .caching = TTMPOOL_CACHED };
		struct small small = { .err = 0 };
		struct pages *used, *pooled, *large;

		CHECK(t, rig);
		used = pages_open(t, rig, &config);
		config.caching = TTMPOOL_UNCACHED;
		config.num_pages = 10;
		pooled = pages_open(t, rig, &config);
		config.num_pages = 16;
		large = pages_open(t, rig, &config);
		config.num_pages = 6;
		small.pages = pages_open(t, rig, &config);
		CHECK(t, used && pooled && large && small.pages);
		CHECK_EQ(t, pages_take(used), 0);
		CHECK_EQ(t, pages_cycle(pooled), 0);
		large->req.effort = efforts[i];
		meanwhile = (struct meanwhile){ .budget = take_small,
						.arg = &small };
		CHECK_EQ(t, pages_take(large), -ENOMEM);
		do_once(&meanwhile.budget);
		CHECK_EQ(t, small.err, 0);
		CHECK_EQ(t, pages_give(small.pages), 0);
		CHECK_EQ(t, pages_give(used), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Pages that come back after a request has found nothing anywhere. */
struct late {
	struct pages *pages;
	int err;
};

static void give_late(void *arg)
{
	struct late *late = arg;

	late->err = pages_give(late->pages);
}

static void give_at_next(void *arg)
{
	(void)arg;
	meanwhile.budget = give_late;
}

/* A request that has found nothing looks once more before it is refused, because pages
 * that other threads had may have come back. */
static void s06_what_comes_back_late_is_had(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .page_budget = 8 });
	struct pages_config config = { .num_pages = 4,
				       .caching = TTMPOOL_CACHED };
	struct buffer_config idle = { .funcs = &buffer_plain, .num_pages = 4 };
	struct late late = { .err = -1 };
	struct pages *more;
	struct buffer *buf;

	CHECK(t, rig);
	late.pages = pages_open(t, rig, &config);
	more = pages_open(t, rig, &config);
	buf = buffer_ready(t, rig, &idle, 1);
	CHECK(t, late.pages && more && buf);
	more->dma_addr = NULL; /* so that it only needs room for pages */
	CHECK_EQ(t, pages_take(late.pages), 0);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
	buf->locked = true;
	meanwhile = (struct meanwhile){ .budget = give_at_next, .arg = &late };
	CHECK_EQ(t, pages_take(more), 0);
	CHECK_EQ(t, late.err, 0);
	CHECK_EQ(t, pages_give(more), 0);
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that exceeds the limit of addresses together with what is in use takes no pooled
 * page out of its bin: the mappings of these pages can end for others at any moment. */
static void s06_who_lacks_addresses_holds_nothing(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .policy = &policy,
				     .mapped_limit = 100 << 12 };
	struct ttmpool_request kept = { .caching = TTMPOOL_WRITE_COMBINED,
					.num_pages = 30 };
	struct pages_config uncached = { .num_pages = 50,
					 .caching = TTMPOOL_UNCACHED };
	struct pages *used, *vain, *more;
	struct small small;
	struct rig *rig;

	policy.max_order = 0;
	policy.keep_mapped = true;
	rig = rig_open(t, &config);
	CHECK(t, rig && !ttmpool_pool_prime(&rig->pool[0], &kept, true));
	used = pages_open(t, rig, &uncached);
	uncached.num_pages = 40;
	more = pages_open(t, rig, &uncached);
	vain = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 70,
					.caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, used && more && vain && !pages_take(used));
	small = (struct small){ .pages = more };
	meanwhile.arg = &small;
	meanwhile.budget = take_small;
	CHECK_EQ(t, pages_take(vain), -ENOSPC);
	do_once(&meanwhile.budget);
	CHECK_EQ(t, small.err, 0);
	CHECK(t, !pages_give(more) && !pages_give(used));
	CHECK(t, rig_close(t, rig));
}

/* The shrinker, which asks while pages of another kind are being cleared. */
static void shrink_one(void *arg)
{
	struct rig *rig = arg;

	ttmpool_manager_shrink_scan(&rig->mgr, 1, false);
}

/* What is prepared stays while pages of other kinds are out of their bins to be cleared. */
static void s07_what_is_prepared_stays_beside_a_scrub(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request prepared = { .caching = TTMPOOL_WRITE_COMBINED,
					    .num_pages = 8 };
	struct pages *dirty, *used;

	CHECK(t, rig);
	used = single(t, rig, TTMPOOL_UNCACHED);
	dirty = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 16,
					.caching = TTMPOOL_UNCACHED });
	CHECK(t, used && dirty && !pages_take(dirty) && !pages_take(used));
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &prepared), 0);
	CHECK(t, pages_fill(t, dirty, 1));
	CHECK_EQ(t, pages_give(dirty), 0);
	CHECK_EQ(t, pages_give(used), 0);
	meanwhile = (struct meanwhile){ .clear = shrink_one, .arg = rig };
	CHECK(t, ttmpool_pool_scrub(&rig->pool[0], 16) >= 16);
	CHECK_EQ(t,
		 ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 3),
		 1);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(meanwhile, CHECK_CASE(s06_who_asks_in_vain_holds_nothing),
	    CHECK_CASE(s07_what_is_prepared_stays_beside_a_scrub),
	    CHECK_CASE(s06_who_lacks_addresses_holds_nothing),
	    CHECK_CASE(s06_what_comes_back_late_is_had),
	    CHECK_CASE(s06_no_count_is_over_the_budget_for_a_moment),
	    CHECK_CASE(s11_what_comes_late_is_put_in_its_place),
	    CHECK_CASE(s11_nobody_looks_for_its_place_for_long),
	    CHECK_CASE(s06_a_pool_is_valid_while_its_pages_leave),
	    CHECK_CASE(s07_a_removed_buffer_stays_removed),
	    CHECK_CASE(s06_nobody_waits_for_the_end_of_a_swap_out));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096,
						    .threads = true };

	return check_main(argc, argv, &check_suite_meanwhile, &config);
}
