// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Preparing for a time without memory (S7): prepared pages serve buffers of any sizes,
 * without asking the system for a page or a descriptor. A chunk that is too large is
 * divided; if the system has nothing, also where nothing was prepared.
 */

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <ttmpool/backup.h>
#include <ttmpool/magazine.h>

#include "check_cmocka.h"
#include "rig.h"

#define WC TTMPOOL_WRITE_COMBINED

/* The pool whose reserve ends while a mapping ends, as if by another thread. */
static struct ttmpool_pool *ended_within;

size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	if (ended_within)
		ttmpool_pool_reserve(ended_within, 0);
	ended_within = NULL;
	return __real_tpos_dma_unmap(dev, chunks, lazy);
}

/* The pool whose descriptors another thread frees before a chunk is divided with them. */
static struct ttmpool_pool *dropped_before;

void __real_tpsim_lock_acquire(struct tpsim_lock *lock);
void __wrap_tpsim_lock_acquire(struct tpsim_lock *lock);

void __wrap_tpsim_lock_acquire(struct tpsim_lock *lock)
{
	struct ttmpool_pool *pool = dropped_before;

	if (pool && lock == &pool->scrub) {
		dropped_before = NULL;
		ttmpool_pool_reserve(pool, 0);
	}
	__real_tpsim_lock_acquire(lock);
}

/* A thread that prepares a pool; held up at the first pages that it needs, of which it gets
 * none if it shall fail. */
struct preparer {
	struct rig *rig;
	struct ttmpool_request req;
	pthread_t thread;
	atomic_bool arrived, holds;
	bool fails;
	int err;
};

static _Thread_local struct preparer *myself;

int __real_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000L };

	nanosleep(&time, NULL);
}

int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk)
{
	if (myself) {
		myself->arrived = true;
		while (myself->holds)
			pause_ms(1);
		if (myself->fails)
			return -ENOMEM;
	}
	return __real_tpos_pages_alloc(dev, req, chunk);
}

static void *prepare(void *arg)
{
	myself = arg;
	myself->err = ttmpool_pool_prepare(&myself->rig->pool[0], &myself->req);
	return NULL;
}

/* Begin to prepare 64 pages. */
static bool begin(struct preparer *preparer, struct rig *rig,
		  enum ttmpool_caching caching, bool fails)
{
	*preparer = (struct preparer){
		.rig = rig,
		.req = { .caching = caching, .num_pages = 64 },
		.holds = true,
		.fails = fails,
	};
	if (pthread_create(&preparer->thread, NULL, prepare, preparer))
		return false;
	while (!preparer->arrived)
		pause_ms(1);
	return true;
}

static int finish(struct preparer *preparer)
{
	preparer->holds = false;
	return pthread_join(preparer->thread, NULL) ? -ESRCH : preparer->err;
}

/* From now on the system has nothing: no pages, and no other memory. */
static void system_is_out(struct check *t)
{
	static const enum tpsim_call calls[] = { TPSIM_CALL_PAGES_ALLOC,
						 TPSIM_CALL_COHERENT_ALLOC,
						 TPSIM_CALL_ZALLOC };

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		tpsim_fault_plan(check_machine(t),
				 &(struct tpsim_fault){ .call = calls[i],
							.nth = 1,
							.times = UINT_MAX });
}

static void pages_are_out(struct check *t)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1,
						.times = UINT_MAX });
}

/* Was the system asked for nothing since? */
static bool nothing_was_asked_for(struct check *t)
{
	return !tpsim_fault_clear(check_machine(t));
}

static struct pages *some(struct check *t, struct rig *rig, size_t n,
			  enum ttmpool_source source)
{
	return pages_open(t, rig,
			  &(struct pages_config){ .num_pages = n,
						  .source = source,
						  .caching = WC });
}

/* The number of descriptors, less the one that the pools of the device share. */
static size_t descriptors(struct check *t)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	return ledger.descriptors - 1;
}

static size_t count(struct rig *rig, unsigned int order)
{
	return ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN, WC, order);
}

/* A rig in which one chunk of 512 mapped pages is pooled. */
static struct rig *with_a_large_chunk(struct check *t,
				      const struct ttmpool_policy *policy)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .policy = policy });
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };

	return rig && !ttmpool_pool_prime(&rig->pool[0], &req, true) &&
			       count(rig, 9) == 1
		       ? rig
		       : NULL;
}

#define PREPARED 1100

/* The sizes of the buffers, in the order in which they are populated; the last size is
 * repeated until no prepared pages are left. */
static const size_t mixes[][8] = {
	{ 1 },
	{ 64 },
	{ 100 },
	{ PREPARED },
	{ 512, 512, 75, 1 },
	{ 1, 2, 3, 5, 8, 13, 21, 34 },
	{ 300, 1, 300, 7, 300, 64 },
	{ 255, 257, 511, 1 },
};

/* Buffers that have their pages. */
struct mix {
	struct pages *all[PREPARED];
	size_t n;
};

static bool mix_take(struct check *t, struct mix *mix, struct pages *p)
{
	if (!p || pages_take(p))
		return false;
	mix->all[mix->n++] = p;
	return pages_hold(t, p, 0) && pages_are_of(t, p, WC);
}

/* Populate buffers of these sizes; each page must be zero. */
static bool mix_is_served(struct check *t, struct rig *rig, struct mix *mix,
			  const size_t *sizes, enum ttmpool_source source)
{
	size_t left = PREPARED, n = 1;

	for (size_t i = 0; left; left -= n) {
		if (i < 8 && sizes[i])
			n = sizes[i++];
		if (n > left)
			n = left;
		if (!mix_take(t, mix, some(t, rig, n, source)))
			return false;
	}
	return true;
}

static bool mix_give(struct mix *mix)
{
	for (; mix->n; mix->n--)
		if (pages_give(mix->all[mix->n - 1]))
			return false;
	return true;
}

static bool each_mix_is_served(struct check *t, enum ttmpool_source source,
			       const struct ttmpool_policy *policy)
{
	struct ttmpool_request req = { .source = source,
				       .caching = WC,
				       .num_pages = PREPARED };
	struct mix *mix = check_zalloc(t, sizeof(*mix));

	for (size_t i = 0; mix && i < sizeof(mixes) / sizeof(*mixes); i++) {
		struct rig *rig =
			rig_open(t, &(struct rig_config){ .policy = policy });

		if (!rig || ttmpool_pool_prepare(&rig->pool[0], &req))
			return false;
		system_is_out(t);
		if (!mix_is_served(t, rig, mix, mixes[i], source) ||
		    !nothing_was_asked_for(t) || !rig_is_quiet(t, rig) ||
		    !mix_give(mix))
			return false;
		ttmpool_pool_reserve(&rig->pool[0], 0);
		if (!rig_close(t, rig))
			return false;
	}
	return mix;
}

/* Prepared pages are enough for buffers of any sizes in any order, and the system is
 * asked for no page and no descriptor. */
static void s07_what_is_prepared_serves_any_sizes(struct check *t)
{
	CHECK(t, each_mix_is_served(t, TTMPOOL_PLAIN, NULL));
}

/* The same holds if pooled chunks are not mapped, ... */
static void s07_what_is_prepared_without_mappings_does(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.keep_mapped = false;
	CHECK(t, each_mix_is_served(t, TTMPOOL_PLAIN, &policy));
}

/* ... if each page is verified before it is handed out, ... */
static void s07_what_is_prepared_and_verified_does(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.verify = true;
	CHECK(t, each_mix_is_served(t, TTMPOOL_PLAIN, &policy));
}

/* ... and for coherent pages, whose chunks cannot be divided. */
static void s07_coherent_pages_are_prepared_for_any_sizes(struct check *t)
{
	CHECK(t, each_mix_is_served(t, TTMPOOL_COHERENT, NULL));
}

/* Pages of two kinds can be prepared at the same time. */
static void s07_two_kinds_are_prepared(struct check *t)
{
	struct ttmpool_request wc = { .caching = WC, .num_pages = 512 };
	struct ttmpool_request uc = { .caching = TTMPOOL_UNCACHED,
				      .num_pages = 512 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_page_t *page[2][512];

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &wc), 0);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &uc), 0);
	wc.num_pages = uc.num_pages = 1;
	system_is_out(t);
	for (size_t i = 0; i < 512; i++) {
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &wc, &page[0][i],
					   NULL),
			 0);
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &uc, &page[1][i],
					   NULL),
			 0);
	}
	CHECK(t, nothing_was_asked_for(t));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page[0], 512, WC), 0);
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], page[1], 512,
				   TTMPOOL_UNCACHED),
		 0);
	CHECK(t, rig_close(t, rig));
}

/* Parts of other buffers may be given up meanwhile: they do not use the descriptors of
 * the prepared pages. */
static void s07_parts_of_others_use_nothing_of_what_is_prepared(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	tpos_page_t *page[512];
	struct pages *old[2];

	CHECK(t, rig);
	for (size_t i = 0; i < 2; i++) {
		old[i] = some(t, rig, 512, TTMPOOL_PLAIN);
		CHECK(t, old[i]);
		CHECK_EQ(t, pages_take(old[i]), 0);
		CHECK_EQ(t,
			 ttmpool_pool_strip(&rig->pool[0], old[i]->pages, 512,
					    0),
			 0);
	}
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	req.num_pages = 1;
	system_is_out(t);
	for (size_t i = 0; i < 2; i++)
		CHECK_EQ(t,
			 ttmpool_pool_give_up_part(&rig->pool[0], old[i]->pages,
						   512, 7, 0),
			 -ENOMEM);
	for (size_t i = 0; i < 512; i++)
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &req, &page[i], NULL),
			 0);
	tpsim_fault_clear(check_machine(t));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page, 512, WC), 0);
	for (size_t i = 0; i < 2; i++)
		CHECK_EQ(t,
			 ttmpool_pool_give_up(&rig->pool[0], old[i]->pages, 512,
					      0),
			 0);
	CHECK(t, rig_close(t, rig));
}

/* Prepared chunks are divided with the descriptors that are left, down to the last one,
 * even if large chunks of other buffers have used some. */
static void s07_the_last_descriptors_are_used(struct check *t)
{
	struct rig *rig = with_a_large_chunk(t, NULL);
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	tpos_page_t *page[512], *other[512];
	size_t n;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, other, NULL), 0);
	req.num_pages = 1;
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], other, 512, WC), 0);
	system_is_out(t);
	for (n = 0; n < 512; n++)
		if (ttmpool_pool_take(&rig->pool[0], &req, &page[n], NULL))
			break;
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, rig_stats(rig).splits, 1 + TTMPOOL_NR_ORDERS);
	CHECK(t, rig_is_quiet(t, rig));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page, n, WC), 0);
	CHECK(t, rig_close(t, rig));
}

/* If nothing was prepared, fresh pages are used before a large chunk is divided. If there
 * are none, a part of the chunk is handed out, and the rest stays pooled, as old as it
 * was. */
static void s07_a_large_chunk_is_divided_last(struct check *t)
{
	struct rig *rig = with_a_large_chunk(t, NULL);
	struct pages *first, *second;

	CHECK(t, rig);
	first = some(t, rig, 100, TTMPOOL_PLAIN);
	second = some(t, rig, 100, TTMPOOL_PLAIN);
	CHECK(t, first && second);
	CHECK_EQ(t, pages_take(first), 0);
	CHECK_EQ(t, rig_stats(rig).splits, 0);
	pages_are_out(t);
	CHECK_EQ(t, pages_take(second), 0);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, pages_hold(t, second, 0));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 412);
	CHECK_EQ(t, rig_stats(rig).splits, 7);
	CHECK_EQ(t, count(rig, 8) + count(rig, 7) + count(rig, 4), 3);
	CHECK_EQ(t, count(rig, 3) + count(rig, 2), 2);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 200 * 4096);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, pages_give(first), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 412, false), 412);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 100);
	CHECK_EQ(t, pages_give(second), 0);
	CHECK(t, rig_close(t, rig));
}

/* Without memory for the descriptors of its parts, a chunk stays whole, and the populate
 * fails. */
static void s07_without_descriptors_nothing_is_divided(struct check *t)
{
	for (unsigned long nth = 1; nth <= 8; nth += 7) {
		struct rig *rig = with_a_large_chunk(t, NULL);
		struct pages *p;

		CHECK(t, rig);
		p = some(t, rig, 100, TTMPOOL_PLAIN);
		CHECK(t, p);
		pages_are_out(t);
		/* The first seven are for fresh chunks of seven orders. */
		tpsim_fault_plan(
			check_machine(t),
			&(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC,
					       .nth = nth,
					       .times = UINT_MAX });
		CHECK_EQ(t, pages_take(p), -ENOMEM);
		tpsim_fault_clear(check_machine(t));
		CHECK_EQ(t, count(rig, 9), 1);
		CHECK_EQ(t, rig_stats(rig).splits, 0);
		CHECK_EQ(t, rig_stats(rig).bytes_mapped, 512 * 4096);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK(t, rig_close(t, rig));
	}
}

/* If another thread ends the reserve, and with it the descriptors that a request needs,
 * the request allocates new ones. */
static void s07_a_prepared_time_may_end_meanwhile(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	struct pages *p;

	CHECK(t, rig);
	p = some(t, rig, 100, TTMPOOL_PLAIN);
	CHECK(t, p);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	pages_are_out(t);
	ended_within = &rig->pool[0];
	CHECK_EQ(t, pages_take(p), 0);
	CHECK(t, !ended_within);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, pages_give(p), 0);
	CHECK(t, rig_close(t, rig));
}

/* The check of the pool notices if its count of descriptors is wrong. */
static void s07_descriptors_are_counted(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig && ttmpool_pool_is_valid(&rig->pool[0]));
	rig->pool[0].nr_spares++;
	CHECK(t, !ttmpool_pool_is_valid(&rig->pool[0]));
	rig->pool[0].nr_spares--;
	CHECK(t, rig_close(t, rig));
}

/* A coherent chunk cannot be divided into smaller ones. */
static void s07_a_coherent_chunk_stays_whole(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .caching = WC,
				       .num_pages = 512 };
	struct pages *p;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	p = some(t, rig, 100, TTMPOOL_COHERENT);
	CHECK(t, p);
	system_is_out(t);
	CHECK_EQ(t, pages_take(p), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 512);
	CHECK_EQ(t, rig_stats(rig).splits, 0);
	CHECK(t, rig_close(t, rig));
}

/* If there are no addresses for a chunk in one piece, the chunk is divided into halves,
 * even if the system has no smaller chunks. */
static void s06_a_chunk_without_an_address_is_divided(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;
	struct pages *p;

	policy.keep_mapped = false;
	rig = with_a_large_chunk(t, &policy);
	CHECK(t, rig);
	p = some(t, rig, 512, TTMPOOL_PLAIN);
	CHECK(t, p);
	pages_are_out(t);
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP, .nth = 1 });
	CHECK_EQ(t, pages_take(p), 0);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, ttmpool_pool_owns(&rig->pool[0], p->pages[256]));
	CHECK_EQ(t, rig_stats(rig).splits, 1);
	CHECK_EQ(t, pages_give(p), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pooled chunks that are used in its place, dirty from their last owner, are cleared. */
static void s06_what_stands_in_for_a_chunk_is_clear(struct check *t)
{
	static const size_t sizes[] = { 512, 256, 256 };
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *p[3];
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (size_t i = 0; i < 3; i++) {
		p[i] = some(t, rig, sizes[i], TTMPOOL_PLAIN);
		CHECK(t, p[i] && !pages_take(p[i]));
		CHECK(t, pages_fill(t, p[i], 0xee));
	}
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(t, pages_give(p[i]), 0);
	CHECK(t, count(rig, 9) == 1 && count(rig, 8) == 2);
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP, .nth = 1 });
	CHECK_EQ(t, pages_take(p[0]), 0);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
	CHECK(t, count(rig, 9) == 1 && count(rig, 8) == 0);
	CHECK(t, pages_hold(t, p[0], 0));
	CHECK_EQ(t, pages_give(p[0]), 0);
	CHECK(t, rig_close(t, rig));
}

/* Chunks of a magazine are parts of exactly its order. */
static void s07_a_magazine_is_filled_with_parts(struct check *t)
{
	struct rig *rig = with_a_large_chunk(t, NULL);
	struct ttmpool_chunk *room[8], *got[4];
	struct ttmpool_magazine_config config = { .caching = WC,
						  .order = 2,
						  .mapped = true,
						  .chunks = room,
						  .room = 8 };
	struct ttmpool_magazine mag;
	struct ttmpool_owner owner;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "magazine");
	config.owner = &owner;
	config.pool = &rig->pool[0];
	CHECK_EQ(t, ttmpool_magazine_init(&mag, &config), 0);
	pages_are_out(t);
	CHECK_EQ(t, ttmpool_magazine_get(&mag, got, 4), 0);
	tpsim_fault_clear(check_machine(t));
	for (size_t i = 0; i < 4; i++)
		CHECK_EQ(t, got[i]->order, 2);
	CHECK_EQ(t, ttmpool_magazine_put(&mag, got, 4), 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* With policy.verify, each part of a divided chunk keeps the owner of the whole, so a
 * late write is reported with that owner. */
static void f30_a_late_write_to_a_part_names_its_owner(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *whole, *part[4];
	struct ttmpool_owner owner;
	unsigned char byte = 1;
	struct rig *rig;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	ttmpool_owner_init(&owner, "late");
	whole = pages_open(t, rig,
			   &(struct pages_config){ .num_pages = 4,
						   .caching = WC,
						   .owner = &owner });
	CHECK(t, whole && !pages_cycle(whole));
	CHECK_EQ(t,
		 tpsim_device_write(rig->dev[0], whole->dma_addr[3], &byte, 1),
		 0);
	pages_are_out(t);
	for (int i = 0; i < 4; i++) {
		part[i] = some(t, rig, 1, TTMPOOL_PLAIN);
		CHECK(t, part[i] && !pages_take(part[i]));
		CHECK(t, pages_hold(t, part[i], 0));
	}
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK(t, strstr(tpsim_report_last(check_machine(t)), "owner late, "));
	for (int i = 0; i < 4; i++)
		CHECK_EQ(t, pages_give(part[i]), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* A prepare that fails, without memory for the descriptors of parts or for pages, leaves
 * the reserve and the pooled pages as they were. */
static void s07_a_prepare_in_vain_changes_nothing(struct check *t)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 64 };

	for (unsigned long nth = 1; nth <= 85; nth += 6) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct pages *p;

		CHECK(t, rig);
		p = some(t, rig, 8, TTMPOOL_PLAIN);
		CHECK(t, p && !pages_cycle(p));
		ttmpool_pool_reserve(&rig->pool[0], 5);
		/* The last three allocations are for 32, 16 and 8 pages. */
		tpsim_fault_plan(
			check_machine(t),
			&(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC,
					       .nth = nth,
					       .times = UINT_MAX });
		CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -ENOMEM);
		CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
		CHECK_EQ(t, descriptors(t), 1);
		CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 3);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK(t, rig_close(t, rig));
	}
}

/* When the reserve ends, only the descriptors of the chunks are left. */
static void s07_descriptors_go_with_the_reserve(struct check *t)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK(t, descriptors(t) > 512);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, descriptors(t), 1);
	CHECK(t, rig_close(t, rig));
}

/* If the pages are already pooled, a prepare without memory for their descriptors still
 * fails. */
static void s07_pages_without_descriptors_are_not_prepared(struct check *t)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	struct rig *rig = with_a_large_chunk(t, NULL);

	CHECK(t, rig);
	system_is_out(t);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, descriptors(t), 1);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 512);
	CHECK(t, rig_close(t, rig));
}

/* Coherent pages that are pooled in pairs do not count as prepared, because they can
 * serve no buffer of one page. */
static void s07_coherent_pairs_are_not_prepared(struct check *t)
{
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .caching = WC,
				       .num_pages = 2 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_page_t *page[2];

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	req.num_pages = 1;
	system_is_out(t);
	for (size_t i = 0; i < 2; i++)
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &req, &page[i], NULL),
			 0);
	CHECK(t, nothing_was_asked_for(t));
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page, 2, WC), 0);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK(t, rig_close(t, rig));
}

/* A prepare fails if the page budget has no room for it beside the pages in use; it does
 * not count pages that it has prepared before twice. */
static void s07_a_prepare_beyond_the_budget_fails(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct ttmpool_request req = { .caching = WC, .num_pages = 32 };
	struct pages *p;

	CHECK(t, rig);
	p = some(t, rig, 32, TTMPOOL_PLAIN);
	CHECK(t, p);
	CHECK_EQ(t, pages_take(p), 0);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	req.num_pages = 64;
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -ENOMEM);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 32);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 0);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, pages_give(p), 0);
	CHECK(t, rig_close(t, rig));
}

/* A signal or a kill ends a prepare, which then allocates no descriptors for the pages
 * that it will not get. */
static void s06_a_signal_ends_a_prepare(struct check *t)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 8192 };

	for (int killable = 0; killable < 2; killable++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		unsigned long asked;

		CHECK(t, rig);
		asked = tpsim_fault_calls(check_machine(t), TPSIM_CALL_ZALLOC);
		req.killable = killable;
		if (killable)
			tpsim_kill_after(check_machine(t), 2);
		else
			tpsim_signal_after(check_machine(t), 2);
		CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(
			t,
			tpsim_fault_calls(check_machine(t), TPSIM_CALL_ZALLOC) -
				asked,
			2 * 512);
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK(t, rig_close(t, rig));
	}
}

#define TAKERS 4

struct taker {
	struct rig *rig;
	atomic_int *left;
	tpos_page_t *pages[512];
	size_t n;
	int err;
};

/* Take one page after another until all that was prepared has been taken. */
static void *take_parts(void *arg)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 1 };
	struct taker *taker = arg;

	while (!taker->err && atomic_fetch_sub(taker->left, 1) > 0)
		taker->err = ttmpool_pool_take(&taker->rig->pool[0], &req,
					       &taker->pages[taker->n++], NULL);
	return NULL;
}

/* While one thread divides the last chunk, other threads that find none wait for its
 * parts. */
static void s07_many_take_parts_of_one_chunk(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = WC, .num_pages = 512 };
	struct taker *takers = check_zalloc(t, TAKERS * sizeof(*takers));
	pthread_t threads[TAKERS];
	atomic_int left = 512;

	CHECK(t, rig && takers);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	system_is_out(t);
	for (int i = 0; i < TAKERS; i++) {
		takers[i].rig = rig;
		takers[i].left = &left;
		CHECK_EQ(t,
			 pthread_create(&threads[i], NULL, take_parts,
					&takers[i]),
			 0);
	}
	for (int i = 0; i < TAKERS; i++)
		pthread_join(threads[i], NULL);
	CHECK(t, nothing_was_asked_for(t));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	for (int i = 0; i < TAKERS; i++) {
		CHECK_EQ(t, takers[i].err, 0);
		if (takers[i].n)
			CHECK_EQ(t,
				 ttmpool_pool_give(&rig->pool[0],
						   takers[i].pages, takers[i].n,
						   WC),
				 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A thread that has divided a chunk frees the descriptors that are left. Another thread
 * that was about to divide a chunk with them allocates new ones. */
static void s07_descriptors_that_others_drop_are_had_again(struct check *t)
{
	struct rig *rig = with_a_large_chunk(t, NULL);
	struct pages *part;

	CHECK(t, rig);
	part = some(t, rig, 100, TTMPOOL_PLAIN);
	CHECK(t, part);
	pages_are_out(t);
	dropped_before = &rig->pool[0];
	CHECK_EQ(t, pages_take(part), 0);
	CHECK(t, !dropped_before);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 412);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, pages_give(part), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pooled pages that can serve no request do not count as prepared: they go, and fresh
 * ones replace them while the system has any. */
static void s07_what_cannot_be_used_is_not_prepared(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 64 };

	for (int poisoned = 0; poisoned < 2; poisoned++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct pages *some;

		CHECK(t, rig);
		some = pages_open(t, rig,
				  &(struct pages_config){
					  .num_pages = 64,
					  .caching = TTMPOOL_WRITE_COMBINED });
		CHECK(t, some && !pages_cycle(some));
		if (poisoned)
			tpsim_page_poison(check_machine(t), some->pages[63]);
		else
			tpsim_device_set_mask(rig->dev[0], 0xffffffff);
		CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 64);
		system_is_out(t);
		CHECK_EQ(t, pages_cycle(some), 0);
		tpsim_fault_clear(check_machine(t));
		ttmpool_pool_reserve(&rig->pool[0], 0);
		ttmpool_manager_purge_quarantine(&rig->mgr);
		CHECK(t, rig_close(t, rig));
	}
}

/* Pages that can be used stay pooled, as old as they were. */
static void s07_what_can_be_used_stays_in_its_order(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 3 };
	struct pages *some[4];

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		some[i] =
			pages_open(t, rig,
				   &(struct pages_config){
					   .caching = TTMPOOL_WRITE_COMBINED });
		CHECK(t, some[i] && !pages_take(some[i]));
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(t, pages_give(some[i]), 0);
	tpsim_page_poison(check_machine(t), some[1]->pages[0]);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 3);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		CHECK(t, tpos_page_chunk(rig->dev[0], some[i]->pages[0]));
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false),
			 1);
		CHECK(t, !tpos_page_chunk(rig->dev[0], some[i]->pages[0]));
	}
	ttmpool_manager_purge_quarantine(&rig->mgr);
	CHECK(t, rig_close(t, rig));
}

/* Are 64 pages of a kind reserved, and no others, and are they had one by one without the
 * system? */
static bool is_prepared(struct check *t, struct rig *rig,
			enum ttmpool_caching caching)
{
	struct ttmpool_request req = { .caching = caching, .num_pages = 1 };
	struct ttmpool_pool *pool = &rig->pool[0];
	tpos_page_t *page[64];
	size_t n = 0;

	if (rig_stats(rig).pages_pooled != 64 ||
	    ttmpool_manager_shrink_count(&rig->mgr, false))
		return false;
	system_is_out(t);
	while (n < 64 && !ttmpool_pool_take(pool, &req, &page[n], NULL))
		n++;
	if (!nothing_was_asked_for(t) || n < 64 ||
	    ttmpool_pool_give(pool, page, 64, caching))
		return false;
	req.num_pages = 7;
	return !ttmpool_pool_prime(pool, &req, false) &&
	       ttmpool_manager_shrink_count(&rig->mgr, false) == 7;
}

/* Where two prepare a pool at once and one of them fails, what the other one prepares is
 * prepared, and no more is reserved: whoever begins first, and whoever ends first. */
static void s07_a_prepare_that_fails_leaves_others_prepared(struct check *t)
{
	for (int i = 0; i < 4; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		int fails = i / 2, first = i % 2;
		struct preparer two[2];

		CHECK(t, rig);
		CHECK(t, begin(&two[0], rig, WC, !fails));
		CHECK(t, begin(&two[1], rig, TTMPOOL_UNCACHED, fails));
		check_any(finish(&two[first]));
		check_any(finish(&two[1 - first]));
		CHECK_EQ(t, two[fails].err, -ENOMEM);
		CHECK_EQ(t, two[1 - fails].err, 0);
		CHECK(t, is_prepared(t, rig, fails ? WC : TTMPOOL_UNCACHED));
		ttmpool_pool_reserve(&rig->pool[0], 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* What two prepare in a pool at once is there for both, one by one, and the system is not
 * asked. */
static void s07_two_prepares_beside_each_other_serve_both(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .num_pages = 1 };
	tpos_page_t *page[2][64];
	struct preparer two[2];

	CHECK(t, rig);
	CHECK(t, begin(&two[0], rig, WC, false));
	CHECK(t, begin(&two[1], rig, TTMPOOL_UNCACHED, false));
	for (int i = 0; i < 2; i++)
		CHECK_EQ(t, finish(&two[i]), 0);
	system_is_out(t);
	for (int i = 0; i < 2; i++) {
		req.caching = two[i].req.caching;
		for (int j = 0; j < 64; j++)
			CHECK_EQ(t,
				 ttmpool_pool_take(&rig->pool[0], &req,
						   &page[i][j], NULL),
				 0);
	}
	CHECK(t, nothing_was_asked_for(t));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(t,
			 ttmpool_pool_give(&rig->pool[0], page[i], 64,
					   two[i].req.caching),
			 0);
	CHECK(t, rig_close(t, rig));
}

/* A pool that has pooled a chunk of eight pages. */
static struct rig *with_a_small_chunk(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = WC, .num_pages = 8 };

	return rig && !ttmpool_pool_prime(&rig->pool[0], &req, false) ? rig
								      : NULL;
}

/* Two that prepare a pool at once in vain leave the reserve that there was, and no
 * descriptors: whoever ends first. */
static void
s07_prepares_in_vain_beside_each_other_change_nothing(struct check *t)
{
	for (int first = 0; first < 2; first++) {
		struct rig *rig = with_a_small_chunk(t);
		struct preparer two[2];

		CHECK(t, rig);
		ttmpool_pool_reserve(&rig->pool[0], 5);
		CHECK(t, begin(&two[0], rig, WC, true));
		CHECK(t, begin(&two[1], rig, TTMPOOL_UNCACHED, true));
		CHECK_EQ(t, finish(&two[first]), -ENOMEM);
		CHECK_EQ(t, finish(&two[1 - first]), -ENOMEM);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
		CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 3);
		CHECK_EQ(t, descriptors(t), 1);
		CHECK(t, rig_close(t, rig));
	}
}

/* A reserve that is set while somebody prepares in vain is the pool's afterwards; if it is
 * nothing, an earlier prepared time ends with it. */
static void s07_a_reserve_beside_a_prepare_in_vain_holds(struct check *t)
{
	struct ttmpool_request eight = { .caching = WC, .num_pages = 8 };

	for (int i = 0; i < 4; i++) {
		struct rig *rig = with_a_small_chunk(t);
		size_t reserve = i % 2 ? 2 : 0;
		struct preparer preparer;

		CHECK(t, rig);
		ttmpool_pool_reserve(&rig->pool[0], 5);
		if (i / 2)
			CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &eight),
				 0);
		CHECK(t, begin(&preparer, rig, TTMPOOL_UNCACHED, true));
		ttmpool_pool_reserve(&rig->pool[0], reserve);
		CHECK_EQ(t, finish(&preparer), -ENOMEM);
		CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false),
			 8 - reserve);
		CHECK(t, reserve || descriptors(t) == 1);
		ttmpool_pool_reserve(&rig->pool[0], 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A reserve that ends while somebody prepares leaves the pool prepared with all that it
 * needs, or not at all. */
static void s07_a_reserve_that_ends_beside_a_prepare(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct preparer preparer;

	CHECK(t, rig);
	CHECK(t, begin(&preparer, rig, WC, false));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, finish(&preparer), 0);
	if (ttmpool_manager_shrink_count(&rig->mgr, false))
		CHECK_EQ(t, descriptors(t), 1);
	else
		CHECK(t, is_prepared(t, rig, WC));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(prepare, CHECK_CASE(s07_what_cannot_be_used_is_not_prepared),
	    CHECK_CASE(s07_what_can_be_used_stays_in_its_order),
	    CHECK_CASE(s07_what_is_prepared_serves_any_sizes),
	    CHECK_CASE(s07_what_is_prepared_without_mappings_does),
	    CHECK_CASE(s07_what_is_prepared_and_verified_does),
	    CHECK_CASE(s07_coherent_pages_are_prepared_for_any_sizes),
	    CHECK_CASE(s07_two_kinds_are_prepared),
	    CHECK_CASE(s07_parts_of_others_use_nothing_of_what_is_prepared),
	    CHECK_CASE(s07_the_last_descriptors_are_used),
	    CHECK_CASE(s07_a_large_chunk_is_divided_last),
	    CHECK_CASE(s07_without_descriptors_nothing_is_divided),
	    CHECK_CASE(s07_a_prepared_time_may_end_meanwhile),
	    CHECK_CASE(s07_descriptors_that_others_drop_are_had_again),
	    CHECK_CASE(s07_descriptors_are_counted),
	    CHECK_CASE(s07_a_coherent_chunk_stays_whole),
	    CHECK_CASE(s06_a_chunk_without_an_address_is_divided),
	    CHECK_CASE(s06_what_stands_in_for_a_chunk_is_clear),
	    CHECK_CASE(s07_a_magazine_is_filled_with_parts),
	    CHECK_CASE(f30_a_late_write_to_a_part_names_its_owner),
	    CHECK_CASE(s07_a_prepare_in_vain_changes_nothing),
	    CHECK_CASE(s07_descriptors_go_with_the_reserve),
	    CHECK_CASE(s07_pages_without_descriptors_are_not_prepared),
	    CHECK_CASE(s07_coherent_pairs_are_not_prepared),
	    CHECK_CASE(s07_a_prepare_beyond_the_budget_fails),
	    CHECK_CASE(s06_a_signal_ends_a_prepare),
	    CHECK_CASE(s07_a_prepare_that_fails_leaves_others_prepared),
	    CHECK_CASE(s07_two_prepares_beside_each_other_serve_both),
	    CHECK_CASE(s07_prepares_in_vain_beside_each_other_change_nothing),
	    CHECK_CASE(s07_a_reserve_beside_a_prepare_in_vain_holds),
	    CHECK_CASE(s07_a_reserve_that_ends_beside_a_prepare),
	    CHECK_CASE(s07_many_take_parts_of_one_chunk));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_prepare, &config);
}
