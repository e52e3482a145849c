// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Promises of the headers that no other suite tests (docs/promises.md): what allocates
 * nothing, what takes no mutex, what is unchanged when a call fails.
 */

#include <limits.h>

#include <ttmpool/magazine.h>
#include <ttmpool/runs.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

static void plan(struct check *t, enum tpsim_call call, unsigned long nth)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){
				 .call = call, .nth = nth, .times = UINT_MAX });
}

/* How often memory of any kind was asked for so far. */
static unsigned long allocations(struct check *t)
{
	static const enum tpsim_call calls[] = { TPSIM_CALL_PAGES_ALLOC,
						 TPSIM_CALL_COHERENT_ALLOC,
						 TPSIM_CALL_ZALLOC,
						 TPSIM_CALL_STORE_CREATE };
	unsigned long sum = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		sum += tpsim_fault_calls(check_machine(t), calls[i]);
	return sum;
}

/* Take pages, one page, and runs. */
static bool take_all(struct rig *rig, struct buffer *buf[2],
		     struct ttmpool_runs *runs)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N };

	return !ttmpool_populate(&buf[0]->be) &&
	       !ttmpool_populate(&buf[1]->be) &&
	       !ttmpool_runs_take(&rig->pool[0], &req, true, runs);
}

static bool give_all(struct buffer *buf[2], struct ttmpool_runs *runs)
{
	return !ttmpool_unpopulate(&buf[0]->be) &&
	       !ttmpool_unpopulate(&buf[1]->be) && !ttmpool_runs_give(runs);
}

/* Giving pages back, in arrays or as runs, to the bins or to the system, clearing,
 * counting, scanning, lowering limits, and tearing down allocate nothing. */
static void s09_what_gives_pages_back_allocates_nothing(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_manager *mgr;
	struct ttmpool_runs runs;
	struct buffer *buf[2];
	unsigned long before;

	CHECK(t, rig);
	mgr = &rig->mgr;
	for (size_t i = 0; i < 2; i++) {
		buf[i] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = i ? 1 : N,
				.funcs = &buffer_plain,
				.caching = TTMPOOL_WRITE_COMBINED });
		CHECK(t, buf[i]);
	}
	for (int round = 0; round < 4; round++) {
		CHECK(t, take_all(rig, buf, &runs));
		if (round == 2)
			ttmpool_manager_set_pool_limit(mgr, 0);
		before = allocations(t);
		CHECK(t, give_all(buf, &runs));
		ttmpool_pool_scrub(&rig->pool[0], ULONG_MAX);
		ttmpool_manager_shrink_count(mgr, true);
		if (round == 0)
			CHECK(t, ttmpool_manager_shrink_scan(mgr, 1000, false));
		if (round == 1)
			ttmpool_manager_set_page_budget(mgr, N);
		CHECK_EQ(t, allocations(t), before);
		ttmpool_manager_set_page_budget(mgr, TTMPOOL_NO_LIMIT);
		ttmpool_manager_set_pool_limit(mgr, TTMPOOL_NO_LIMIT);
	}
	before = allocations(t);
	CHECK(t, ttmpool_pool_drain(&rig->pool[0]));
	ttmpool_manager_purge_quarantine(mgr);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 0);
	rig->nr_pools = 0;
	CHECK_EQ(t, allocations(t), before);
	CHECK(t, rig_close(t, rig));
}

/* A thread that holds a mutex of the library may allocate, and the system may then ask it
 * how much could be given up. The machine ends the program if a lock is taken out of
 * order, or waits for itself. */
static void s11_counting_takes_no_mutex(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf[2];

	CHECK(t, rig);
	for (size_t i = 0; i < 2; i++) {
		buf[i] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = N,
				.funcs = &buffer_plain,
				.caching = TTMPOOL_WRITE_COMBINED });
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	}
	ttmpool_lru_remove(&buf[0]->be);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	tpos_mutex_lock(&rig->mgr.lru.mutex);
	tpos_mutex_lock(&rig->mgr.reclaim);
	tpos_mutex_lock(&rig->pool[0].scrub);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), N);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 2 * N);
	tpos_mutex_unlock(&rig->pool[0].scrub);
	tpos_mutex_unlock(&rig->mgr.reclaim);
	tpos_mutex_unlock(&rig->mgr.lru.mutex);
	ttmpool_lru_remove(&buf[1]->be);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[1]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Take pages into arrays that hold something: are the arrays unchanged after the
 * error? */
static bool is_left_alone(struct rig *rig, size_t n, enum ttmpool_source source)
{
	static tpos_page_t *pages[N];
	static tpos_dma_addr_t dma_addr[N];
	struct ttmpool_request req = { .source = source,
				       .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = n };
	int err;

	for (size_t i = 0; i < n; i++) {
		pages[i] = (tpos_page_t *)8;
		dma_addr[i] = 8;
	}
	err = ttmpool_pool_take(&rig->pool[0], &req, pages, dma_addr);
	for (size_t i = 0; i < n; i++)
		if (pages[i] != (tpos_page_t *)8 || dma_addr[i] != 8)
			return false;
	return err < 0;
}

/* Whatever fails, a take of one page or of many leaves the arrays unchanged, and a
 * request that could not be served is counted. */
static void a_failed_take_leaves_the_arrays_alone(struct check *t)
{
	static const enum tpsim_call calls[] = {
		TPSIM_CALL_PAGES_ALLOC, TPSIM_CALL_ZALLOC, TPSIM_CALL_DMA_MAP,
		TPSIM_CALL_CACHING_SET, TPSIM_CALL_COHERENT_ALLOC
	};
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	size_t failed = 0;

	CHECK(t, rig);
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		enum ttmpool_source source =
			calls[i] == TPSIM_CALL_COHERENT_ALLOC ? TTMPOOL_COHERENT
							      : TTMPOOL_PLAIN;

		for (size_t n = 1; n <= N; n += N - 1) {
			plan(t, calls[i], 1);
			CHECK(t, is_left_alone(rig, n, source));
			CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
			CHECK_EQ(t, rig_stats(rig).takes_failed, ++failed);
			CHECK(t, rig_is_quiet(t, rig));
		}
	}
	CHECK(t, is_left_alone(rig, 0, TTMPOOL_PLAIN));
	CHECK_EQ(t, rig_stats(rig).takes_failed, failed);
	CHECK(t, rig_close(t, rig));
}

/* A prepare that fails leaves the reserve as it was. */
static void a_failed_prepare_leaves_the_reserve_alone(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED };

	CHECK(t, rig);
	for (size_t reserved = 0; reserved <= 16; reserved += 16) {
		req.num_pages = 16;
		CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
		ttmpool_pool_reserve(&rig->pool[0], reserved);
		req.num_pages = 64;
		plan(t, TPSIM_CALL_PAGES_ALLOC, 1);
		CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -ENOMEM);
		CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
		CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false),
			 16 - reserved);
	}
	CHECK(t, rig_close(t, rig));
}

/* A manager without a system is refused, and one for which the system cannot register a
 * shrinker is not started; neither leaves anything behind. */
static void a_manager_that_cannot_start_is_told_why(struct check *t)
{
	struct ttmpool_manager_config config = { 0 };
	struct tpsim_ledger before, after;
	struct ttmpool_manager mgr;

	CHECK_EQ(t, ttmpool_manager_init(&mgr, &config), -EINVAL);
	config.system = t->system;
	tpsim_ledger(check_machine(t), &before);
	plan(t, TPSIM_CALL_SHRINKER_REGISTER, 1);
	CHECK_EQ(t, ttmpool_manager_init(&mgr, &config), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
	tpsim_ledger(check_machine(t), &after);
	CHECK_EQ(t, after.shrinkers, before.shrinkers);
	CHECK_EQ(t, after.descriptors, before.descriptors);
	CHECK_EQ(t, ttmpool_manager_init(&mgr, &config), 0);
	CHECK_EQ(t, ttmpool_manager_fini(&mgr), 0);
}

/* If a buffer cannot become ordinary pages, the move returns the port's error, and the
 * buffer is still populated, with all its contents. */
static void s12_what_kept_a_buffer_from_moving_is_told(struct check *t)
{
	static const struct {
		enum tpsim_call call;
		int err;
		bool coherent;
	} cases[] = { { TPSIM_CALL_PAGES_ALLOC, -ENOMEM, true },
		      { TPSIM_CALL_ZALLOC, -ENOMEM, true },
		      { TPSIM_CALL_CACHING_RESET, -EFAULT, false } };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct tpsim_fault fault = { .call = cases[i].call,
					     .nth = 1,
					     .error = cases[i].err };
		struct buffer_config config = {
			.num_pages = N,
			.caching = TTMPOOL_WRITE_COMBINED,
			.funcs = cases[i].coherent ? &buffer_coherent
						   : &buffer_plain
		};
		struct buffer *buf = buffer_ready(t, rig, &config, 0x35);

		CHECK(t, buf);
		fault.times = cases[i].coherent ? UINT_MAX : 1;
		tpsim_fault_plan(check_machine(t), &fault);
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), cases[i].err);
		CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, buffer_is_stamped(t, buf, 0x35));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A page that was mapped once, and is no longer, has no address, neither in a run nor in
 * a report, though the port's record may still have the old one. */
static void what_lost_its_mapping_has_no_address(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 1 };
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_runs runs;
	struct ttmpool_run run;
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, ttmpool_runs_take(&rig->pool[0], &req, !i, &runs),
			 0);
		CHECK_EQ(t, ttmpool_runs_fill(&runs, &run, 1), 1);
		CHECK_EQ(t, run.dma_addr == 0, i);
		if (!i)
			CHECK_EQ(t, ttmpool_runs_give(&runs), 0);
	}
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 1);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 1);
	rig->nr_pools = 0;
	CHECK(t, strstr(tpsim_report_last(check_machine(t)),
			"device address 0, "));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* An account that does not exist has no pages, whatever lies behind the last one. */
static void s06_no_account_is_its_neighbour(struct check *t)
{
	struct {
		struct ttmpool_owner owner;
		tpos_atomic_t behind;
	} two;

	ttmpool_owner_init(&two.owner, "neighbour");
	tpos_atomic_set(&two.behind, 7);
	CHECK_EQ(t, ttmpool_owner_pages(&two.owner, TTMPOOL_ACCOUNT_COUNT), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&two.owner, (enum ttmpool_account) - 1),
		 0);
	CHECK_EQ(t, ttmpool_owner_fini(&two.owner), 0);
}

/* A page of runs is not insertable, because no array says which buffer it belongs to. */
static void s08_a_held_page_is_not_insertable(struct check *t)
{
	struct ttmpool_request req = { .num_pages = 1 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_runs runs;
	struct ttmpool_run run;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_runs_take(&rig->pool[0], &req, false, &runs), 0);
	CHECK_EQ(t, ttmpool_runs_fill(&runs, &run, 1), 1);
	CHECK(t, ttmpool_pool_owns(&rig->pool[0], run.page));
	CHECK(t, !ttmpool_page_insertable(&rig->pool[0], run.page));
	CHECK_EQ(t, ttmpool_runs_give(&runs), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer whose pages the library may not move cannot be put on the swapper's list, even
 * if it can be locked. */
static void s07_only_what_can_be_moved_is_listed(struct check *t)
{
	struct ttmpool_backend_funcs funcs = buffer_plain;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	funcs.movable = false;
	buf = buffer_open(t, rig, &(struct buffer_config){ .funcs = &funcs });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), -EOPNOTSUPP);
	CHECK(t, !buf->be.swappable);
	CHECK(t, rig_close(t, rig));
}

/* Failed requests of magazines and primes are counted like those of buffers; and a prime
 * waits for addresses as long as its wait_ms says. */
static void s10_who_fails_is_counted_and_waits_alike(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = 4 << 12 });
	struct ttmpool_owner *owner = check_zalloc(t, sizeof(*owner));
	struct ttmpool_chunk *chunks[4], *got[2];
	struct ttmpool_magazine_config config = {
		.mapped = true, .owner = owner, .chunks = chunks, .room = 4
	};
	struct ttmpool_request req = { .num_pages = 1,
				       .caching = TTMPOOL_UNCACHED };
	struct ttmpool_magazine mag;
	struct buffer *buf;

	CHECK(t, rig && owner);
	ttmpool_owner_init(owner, "a ring");
	config.pool = &rig->pool[0];
	CHECK_EQ(t, ttmpool_magazine_init(&mag, &config), 0);
	buf = buffer_open(t, rig, &(struct buffer_config){ .num_pages = 4 });
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, ttmpool_magazine_get(&mag, got, 2), -ENOSPC);
	CHECK_EQ(t, rig_stats(rig).takes_failed, 1);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), -ENOSPC);
	CHECK_EQ(t, rig_stats(rig).takes_failed, 2);
	CHECK_EQ(t, rig_stats(rig).waits, 0);
	req.wait_ms = 10;
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), -ETIMEDOUT);
	CHECK_EQ(t, rig_stats(rig).takes_failed, 3);
	CHECK(t, rig_stats(rig).waits > 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

#define LINKS 8

/* Is the list whole in both directions, and does it have these links? */
static bool is_list(const struct ttmpool_list *head,
		    const struct ttmpool_list *links, const char *numbers)
{
	const struct ttmpool_list *link = head;

	for (; *numbers; numbers++) {
		if (link->next != &links[*numbers - '0'] ||
		    link->next->prev != link)
			return false;
		link = link->next;
	}
	return link->next == head && head->prev == link;
}

/* A list is circular, in both directions, after each change. */
static void lists_are_whole_both_ways(struct check *t)
{
	struct ttmpool_list head, links[LINKS];

	ttmpool_list_init(&head);
	CHECK(t, ttmpool_list_empty(&head) && is_list(&head, NULL, ""));
	ttmpool_list_add(&links[1], &head);
	ttmpool_list_add(&links[0], &head);
	ttmpool_list_add_tail(&links[2], &head);
	CHECK(t, is_list(&head, links, "012"));
	ttmpool_list_link_between(&links[3], &links[1], &links[2]);
	CHECK(t, is_list(&head, links, "0132"));
	ttmpool_list_move_tail(&links[0], &head);
	CHECK(t, is_list(&head, links, "1320"));
	ttmpool_list_del(&links[3]);
	CHECK(t, is_list(&head, links, "120"));
	CHECK(t, ttmpool_list_empty(&links[3]) && links[3].prev == &links[3]);
	CHECK(t, !ttmpool_list_empty(&head));
}

static void make_lists(struct ttmpool_list *a, struct ttmpool_list *b,
		       struct ttmpool_list *links)
{
	ttmpool_list_init(a);
	ttmpool_list_init(b);
	for (int i = 0; i < LINKS; i++)
		ttmpool_list_add_tail(&links[i], i < LINKS / 2 ? a : b);
}

/* Many links that move at once keep their order, and none is lost. */
static void lists_are_moved_in_order(struct check *t)
{
	struct ttmpool_list a, b, none, links[LINKS];

	ttmpool_list_init(&none);
	make_lists(&a, &b, links);
	ttmpool_list_splice(&a, &b);
	CHECK(t, is_list(&a, links, "") && is_list(&b, links, "01234567"));
	make_lists(&a, &b, links);
	ttmpool_list_splice_tail(&a, &b);
	ttmpool_list_splice_tail(&none, &b);
	CHECK(t, is_list(&a, links, "") && is_list(&b, links, "45670123"));
	make_lists(&a, &b, links);
	ttmpool_list_splice_after(&a, &links[5]);
	CHECK(t, is_list(&a, links, "") && is_list(&b, links, "45012367"));
	make_lists(&a, &b, links);
	ttmpool_list_cut_through(&a, &links[1], &b);
	CHECK(t, is_list(&a, links, "23") && is_list(&b, links, "456701"));
	make_lists(&a, &b, links);
	ttmpool_list_move_range(&links[1], &links[2], &b);
	CHECK(t, is_list(&a, links, "03") && is_list(&b, links, "456712"));
	ttmpool_list_move_range(&links[5], &links[6], &links[0]);
	CHECK(t, is_list(&a, links, "5603") && is_list(&b, links, "4712"));
}

CHECK_SUITE(promises, CHECK_CASE(s09_what_gives_pages_back_allocates_nothing),
	    CHECK_CASE(s11_counting_takes_no_mutex),
	    CHECK_CASE(a_failed_take_leaves_the_arrays_alone),
	    CHECK_CASE(a_failed_prepare_leaves_the_reserve_alone),
	    CHECK_CASE(a_manager_that_cannot_start_is_told_why),
	    CHECK_CASE(s12_what_kept_a_buffer_from_moving_is_told),
	    CHECK_CASE(what_lost_its_mapping_has_no_address),
	    CHECK_CASE(s06_no_account_is_its_neighbour),
	    CHECK_CASE(s08_a_held_page_is_not_insertable),
	    CHECK_CASE(s07_only_what_can_be_moved_is_listed),
	    CHECK_CASE(s10_who_fails_is_counted_and_waits_alike),
	    CHECK_CASE(lists_are_whole_both_ways),
	    CHECK_CASE(lists_are_moved_in_order));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_promises, &config);
}
