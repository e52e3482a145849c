// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the swapper costs (S7): which buffers it examines, strips and unmaps, and for what
 * gain; what an error leaves; and that the work depends only on how much moves. The
 * linker puts our functions in front of the port's: one counts how often chunks are
 * examined, as a measure of work; another does something while a page is being stored.
 */

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define SEED 0x42
#define WC   TTMPOOL_WRITE_COMBINED
#define MOST 64

static unsigned long looks;
static void (*while_storing)(void);

struct ttmpool_chunk *__wrap_tpos_page_chunk(tpos_device_t *dev,
					     tpos_page_t *page);
struct ttmpool_chunk *__real_tpos_page_chunk(tpos_device_t *dev,
					     tpos_page_t *page);
int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);

struct ttmpool_chunk *__wrap_tpos_page_chunk(tpos_device_t *dev,
					     tpos_page_t *page)
{
	looks++;
	return __real_tpos_page_chunk(dev, page);
}

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	void (*fn)(void) = while_storing;

	while_storing = NULL;
	if (fn)
		fn();
	return __real_tpos_store_write(store, index, from);
}

/* If not NULL: this machine has only a few free pages after each drop of the store. */
static struct tpsim_machine *scarce;

static void leave_few_pages(void)
{
	tpsim_ram_release(scarce);
	tpsim_ram_hold(scarce, TTMPOOL_NODE_ANY, 72);
}

/* The further half of a buffer's array. It is hidden while pages come in that are not near
 * it, and whoever looks at it then is counted. */
static struct {
	void *at;
	size_t size, end;
	unsigned long looks;
} further;

static void show_further(int sig)
{
	further.looks += sig == SIGSEGV;
	if (mprotect(further.at, further.size, PROT_READ | PROT_WRITE))
		abort();
}

static void hide_further(size_t index)
{
	if (index > further.end)
		show_further(0);
	else if (mprotect(further.at, further.size, PROT_NONE))
		abort();
}

void __real_tpos_store_drop(tpos_store_t *store, size_t first, size_t pages);
void __wrap_tpos_store_drop(tpos_store_t *store, size_t first, size_t pages);

void __wrap_tpos_store_drop(tpos_store_t *store, size_t first, size_t pages)
{
	__real_tpos_store_drop(store, first, pages);
	if (scarce)
		leave_few_pages();
	if (further.at)
		hide_further(first + pages);
}

/* Idle buffers, the oldest first, and how often the lock of any of them was tried. */
static struct buffer *idle[MOST];
static unsigned long tries;

static bool counting_trylock(struct ttmpool_backend *be)
{
	tries++;
	return buffer_plain.trylock(be);
}

static const struct ttmpool_backend_funcs *counting(enum ttmpool_source source)
{
	static struct ttmpool_backend_funcs funcs[TTMPOOL_SOURCE_COUNT];

	funcs[source] = source ? buffer_coherent : buffer_plain;
	funcs[source].trylock = counting_trylock;
	return &funcs[source];
}

static struct buffer *add(struct check *t, struct rig *rig, int pool,
			  enum ttmpool_source source, size_t pages)
{
	struct buffer *buf =
		buffer_ready(t, rig,
			     &(struct buffer_config){ .pool = pool,
						      .num_pages = pages,
						      .funcs = counting(source),
						      .caching = WC },
			     SEED);

	return buf && !ttmpool_lru_add(&buf->be) ? buf : NULL;
}

/* A rig with @n buffers of @pages pages each, on the swapper's list. */
static struct rig *crowd(struct check *t, size_t n, size_t pages)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	for (size_t i = 0; rig && i < n; i++) {
		idle[i] = add(t, rig, 0, TTMPOOL_PLAIN, pages);
		if (!idle[i])
			return NULL;
	}
	tries = 0;
	return rig;
}

static bool end(struct check *t, struct rig *rig, size_t n)
{
	bool good = true;

	for (size_t i = 0; i < n; i++) {
		ttmpool_lru_remove(&idle[i]->be);
		good &= !ttmpool_drop(&idle[i]->be);
	}
	return good && rig_close(t, rig);
}

static void plan(struct check *t, enum tpsim_call call, unsigned long nth,
		 int error)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = call,
						.nth = nth,
						.times = UINT_MAX,
						.error = error });
}

static enum ttmpool_tt_state state_of(size_t i)
{
	return idle[i]->be.tt.state;
}

/* Are its pages, mappings and bytes as if nothing had happened to it? */
static bool has_stayed(struct check *t, struct buffer *buf)
{
	return buf->be.tt.state == TTMPOOL_TT_POPULATED && !buf->be.store &&
	       ttmpool_backend_is_valid(&buf->be) && buffer_is_of(t, buf, WC) &&
	       buffer_is_stamped(t, buf, SEED);
}

static bool comes_back(struct check *t, struct buffer *buf)
{
	return !ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES) &&
	       has_stayed(t, buf);
}

/* If the store is full or returns an error, the swapper asks it once, for one page; and
 * no buffer loses a mapping or its caching mode. */
static void s07_a_full_store_costs_nobody_anything(struct check *t)
{
	static const int errors[] = { -ENOSPC, -EIO };

	for (size_t e = 0; e < 2; e++) {
		struct rig *rig = crowd(t, 5, 16);
		struct ttmpool_pool_stats before;
		struct tpsim_machine *m = check_machine(t);
		unsigned long writes =
			tpsim_fault_calls(m, TPSIM_CALL_STORE_WRITE);

		CHECK(t, rig);
		before = rig_stats(rig);
		plan(t, TPSIM_CALL_STORE_WRITE, 1, errors[e]);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 64, true),
			 0);
		CHECK_EQ(t, tpsim_fault_calls(m, TPSIM_CALL_STORE_WRITE),
			 writes + 1);
		CHECK_EQ(t, rig_stats(rig).caching_batches,
			 before.caching_batches);
		CHECK_EQ(t, rig_stats(rig).unmaps, before.unmaps);
		for (size_t i = 0; i < 5; i++)
			CHECK(t, has_stayed(t, idle[i]));
		tpsim_fault_clear(m);
		CHECK(t, end(t, rig, 5));
	}
}

/* If a request lacks more pages than could go, it is refused, and neither a pooled page
 * nor a buffer goes for it; with one page less, it is served. */
static void s11_nothing_goes_for_what_cannot_be_had(struct check *t)
{
	struct rig *rig = crowd(t, 2, 16);
	struct pages_config config = { .num_pages = 40,
				       .caching = TTMPOOL_UNCACHED };
	struct pages *used, *pooled, *some;

	CHECK(t, rig);
	used = pages_open(t, rig, &config);
	config.num_pages = 8;
	pooled = pages_open(t, rig, &config);
	config.num_pages = 16 + 16 + 8 + 1;
	config.caching = TTMPOOL_CACHED;
	some = pages_open(t, rig, &config);
	CHECK(t, used && pooled && some);
	CHECK_EQ(t, pages_take(used), 0);
	CHECK_EQ(t, pages_take(pooled), 0);
	CHECK_EQ(t, pages_give(pooled), 0);
	ttmpool_pool_reserve(&rig->pool[0], 4);
	ttmpool_manager_set_page_budget(&rig->mgr, 40 + 8 + 2 * 16);
	CHECK_EQ(t, pages_take(some), -ENOMEM);
	CHECK_EQ(t, tries, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
	CHECK(t, has_stayed(t, idle[0]));
	CHECK(t, has_stayed(t, idle[1]));
	some->req.num_pages--;
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, pages_give(some), 0);
	ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, end(t, rig, 2));
}

/* The system lets any thread swap pages out, so a signal does not end that, unless it
 * kills the thread; then no swap-out begins. */
static void s07_in_reclaim_only_a_kill_counts(struct check *t)
{
	struct rig *rig = crowd(t, 3, 16);
	struct tpsim_machine *m = check_machine(t);

	CHECK(t, rig);
	tpsim_kill_after(m, 1);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 16, true), 0);
	CHECK(t, has_stayed(t, idle[0]));
	tpsim_signal_after(m, 1);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 16), 0);
	CHECK(t, has_stayed(t, idle[0]));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 16, true), 16);
	tpsim_signal_clear(m);
	CHECK_EQ(t, state_of(0) + state_of(1) + state_of(2),
		 TTMPOOL_TT_SWAPPED + 2 * TTMPOOL_TT_POPULATED);
	CHECK(t, end(t, rig, 3));
}

/* If the store fails half way, it keeps the chunks that it has whole; buffers of which it
 * has no whole chunk are mapped again, with their caching mode. */
static void s07_what_gained_nothing_is_undone(struct check *t)
{
	struct rig *rig = crowd(t, 4, 16);
	struct ttmpool_pool_stats before;

	CHECK(t, rig);
	before = rig_stats(rig);
	plan(t, TPSIM_CALL_STORE_WRITE, 1 + 16 + 8, -EIO);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 64), 16);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, state_of(0), TTMPOOL_TT_SWAPPED);
	for (size_t i = 1; i < 4; i++)
		CHECK(t, has_stayed(t, idle[i]));
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, before.bytes_mapped * 3 / 4);
	CHECK(t, rig_is_quiet(t, rig) && comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 4));
}

/* This works even if the page budget was lowered meanwhile, because it needs no page. */
static void s07_undoing_needs_no_page(struct check *t)
{
	struct rig *rig = crowd(t, 1, 16);

	CHECK(t, rig);
	ttmpool_manager_set_page_budget(&rig->mgr, 8);
	plan(t, TPSIM_CALL_STORE_WRITE, 5, -EIO);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), -EIO);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, has_stayed(t, idle[0]));
	CHECK(t, end(t, rig, 1));
}

/* If the store has room for a part of a chunk, that part is stored. Then the store is
 * full for the next request, so no buffer is stripped in vain each time that the system
 * asks. */
static void s07_a_store_is_filled_to_the_last_page(struct check *t)
{
	struct rig *rig = crowd(t, 4, 512);
	struct tpsim_counters before, after;

	CHECK(t, rig);
	plan(t, TPSIM_CALL_STORE_WRITE, 1 + 100 + 1, -ENOSPC);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 128, true), 100);
	CHECK_EQ(t, state_of(0), TTMPOOL_TT_PARTIAL);
	tpsim_counters(check_machine(t), &before);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 128, true),
			 0);
	tpsim_counters(check_machine(t), &after);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, after.tlb_flushes, before.tlb_flushes);
	for (size_t i = 1; i < 4; i++)
		CHECK(t, has_stayed(t, idle[i]));
	CHECK(t, rig_is_quiet(t, rig) && comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 4));
}

/* If a chunk could not leave, no part of it stays in the store. */
static void s07_what_cannot_leave_takes_no_room(struct check *t)
{
	struct rig *rig = crowd(t, 1, 24); /* 16 and 8 */
	struct tpsim_ledger ledger;

	CHECK(t, rig);
	plan(t, TPSIM_CALL_STORE_WRITE, 1 + 16 + 5, -EIO);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), -EIO);
	tpsim_fault_clear(check_machine(t));
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.store_pages, 16);
	CHECK_EQ(t, state_of(0), TTMPOOL_TT_PARTIAL);
	CHECK(t, comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 1));
}

/* If a signal ends a swap-out of the rest of a buffer, the page that was written to ask the
 * store for room does not stay in the store. */
static void s07_what_only_asked_for_room_takes_none(struct check *t)
{
	for (unsigned long n = 1; n <= 8; n++) {
		struct rig *rig = crowd(t, 1, 64);
		struct ttmpool_backend *be;
		struct tpsim_ledger ledger;

		CHECK(t, rig);
		be = &idle[0]->be;
		CHECK_EQ(t, ttmpool_swapout(be, TTMPOOL_ALL_PAGES), 0);
		CHECK_EQ(t, ttmpool_swapin(be, 32), 0);
		tpsim_signal_after(check_machine(t), n);
		CHECK_EQ(t, ttmpool_swapout(be, 32), -EINTR);
		tpsim_signal_clear(check_machine(t));
		tpsim_ledger(check_machine(t), &ledger);
		CHECK_EQ(t, ledger.store_pages, be->pages_stored);
		CHECK(t, comes_back(t, idle[0]));
		CHECK(t, end(t, rig, 1));
	}
}

/* If pages cannot be mapped or converted again, the buffer is PARTIAL: all its contents
 * are in pages, and a swap-in makes it the device's again. */
static void s07_what_cannot_be_undone_is_partial(struct check *t)
{
	static const enum tpsim_call calls[] = { TPSIM_CALL_DMA_MAP,
						 TPSIM_CALL_CACHING_SET };

	for (size_t c = 0; c < 2; c++) {
		struct rig *rig = crowd(t, 1, 24);

		CHECK(t, rig);
		plan(t, TPSIM_CALL_STORE_WRITE, 5, -EIO);
		plan(t, calls[c], 1, 0);
		CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES),
			 -EIO);
		tpsim_fault_clear(check_machine(t));
		CHECK_EQ(t, state_of(0), TTMPOOL_TT_PARTIAL);
		CHECK_EQ(t, buffer_pages(idle[0]), 24);
		CHECK(t, rig_is_quiet(t, rig) && comes_back(t, idle[0]));
		CHECK(t, end(t, rig, 1));
	}
}

/* To undo a swap-out, no kept mapping of another buffer ends, because the thread may hold
 * a lock that this needs. */
static void s07_undoing_takes_nothing_from_others(struct check *t)
{
	struct rig *rig = crowd(t, 2, 16);
	struct ttmpool_pool_stats before;

	CHECK(t, rig);
	ttmpool_lru_remove(&idle[1]->be);
	CHECK_EQ(t, ttmpool_unpopulate(&idle[1]->be), 0);
	before = rig_stats(rig);
	plan(t, TPSIM_CALL_STORE_WRITE, 5, -EIO);
	plan(t, TPSIM_CALL_DMA_MAP, 1, -ENOSPC);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), -EIO);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 2);
	CHECK_EQ(t, state_of(0), TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, before.bytes_mapped / 2);
	CHECK(t, comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 1));
}

static struct rig *thief_rig;
static tpos_page_t *stolen[16];
static tpos_dma_addr_t stolen_at[16];

static void steal(void)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 16 };

	if (ttmpool_pool_take(&thief_rig->pool[0], &req, stolen, stolen_at))
		stolen[0] = NULL;
}

static void steal_at_the_next(void)
{
	while_storing = steal;
}

/* Nor is a limit exceeded: addresses that others have mapped meanwhile stay theirs. */
static void s07_undoing_keeps_within_the_limit(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){
			   .mapped_limit =
				   16 * tpsim_page_size(check_machine(t)) });

	CHECK(t, rig);
	idle[0] = add(t, rig, 0, TTMPOOL_PLAIN, 16);
	CHECK(t, idle[0]);
	thief_rig = rig;
	while_storing =
		steal_at_the_next; /* the first is before it is stripped */
	plan(t, TPSIM_CALL_STORE_WRITE, 5, -ENOSPC);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), -ENOSPC);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, stolen[0]);
	CHECK_EQ(t, state_of(0), TTMPOOL_TT_PARTIAL);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], stolen, 16, WC), 0);
	CHECK(t, comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 1));
}

/* A coherent chunk cannot be split when the store has no memory for all of it. The
 * swapper tries it once in vain; the next round begins with another buffer. */
static void s07_who_was_tried_in_vain_is_tried_last(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	idle[0] = add(t, rig, 0, TTMPOOL_COHERENT, 16);
	idle[1] = add(t, rig, 0, TTMPOOL_PLAIN, 16);
	CHECK(t, idle[0] && idle[1]);
	plan(t, TPSIM_CALL_STORE_WRITE, 10, -ENOMEM);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 16), 0);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, has_stayed(t, idle[0]) && has_stayed(t, idle[1]));
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 16), 16);
	CHECK(t, has_stayed(t, idle[0]));
	CHECK_EQ(t, state_of(1), TTMPOOL_TT_SWAPPED);
	CHECK(t, end(t, rig, 2));
}

/* A buffer whose array was overwritten stays; the other buffers of its party leave in the
 * same round. */
static void s07_a_changed_array_stops_nobody_else(struct check *t)
{
	for (size_t bad = 0; bad < 3; bad++) {
		struct rig *rig = crowd(t, 4, 8);
		tpos_page_t *was;

		CHECK(t, rig);
		was = idle[bad]->pages[7];
		idle[bad]->pages[7] = check_page_of_system(t);
		CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 32), 24);
		CHECK_EQ(t, state_of(bad), TTMPOOL_TT_POPULATED);
		idle[bad]->pages[7] = was;
		CHECK(t, has_stayed(t, idle[bad]));
		CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 32), 8);
		CHECK(t, end(t, rig, 4));
	}
}

static void stick(struct check *t)
{
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = UINT_MAX });
}

static unsigned long quarantined(struct rig *rig)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&rig->mgr, &stats);
	return stats.pages_quarantined;
}

/* Pages that have left a buffer, but could not be made write-back, have not gone to the
 * system, and the shrinker does not report them. */
static void f24_what_is_quarantined_was_not_shrunk(struct check *t)
{
	struct rig *rig = crowd(t, 4, 8);

	CHECK(t, rig);
	stick(t);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 16, true), 0);
	CHECK_EQ(t, quarantined(rig), 16);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 32, true), 32);
	CHECK_EQ(t, quarantined(rig), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, end(t, rig, 4));
}

/* They make no room in the page budget either: the request swaps out one buffer in vain,
 * and not one after the other. */
static void f24_who_gains_no_page_swaps_out_no_more(struct check *t)
{
	struct rig *rig = crowd(t, 4, 8);
	struct buffer *more;

	CHECK(t, rig);
	more = buffer_open(t, rig, &(struct buffer_config){ .num_pages = 8 });
	CHECK(t, more);
	ttmpool_manager_set_page_budget(&rig->mgr, 32);
	stick(t);
	CHECK_EQ(t, ttmpool_populate(&more->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, quarantined(rig), 8);
	CHECK_EQ(t, state_of(0), TTMPOOL_TT_SWAPPED);
	for (int i = 1; i < 4; i++)
		CHECK(t, has_stayed(t, idle[i]));
	CHECK_EQ(t, ttmpool_populate(&more->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&more->be), 0);
	CHECK(t, end(t, rig, 4));
}

/* Of a buffer with more than 4096 pages, at most 16 MiB are stripped at a time, so an
 * error leaves the rest as it was. */
static void s07_a_large_buffer_leaves_in_windows(struct check *t)
{
	struct rig *rig = crowd(t, 1, 5120);
	size_t size = tpsim_page_size(check_machine(t));
	struct ttmpool_pool_stats before, after;

	CHECK(t, rig);
	before = rig_stats(rig);
	plan(t, TPSIM_CALL_STORE_WRITE, 1000, -EIO);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), -EIO);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, buffer_pages(idle[0]), 5120 - 512);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 1024 * size);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.unmaps - before.unmaps, 2);
	CHECK_EQ(t, after.caching_pages - before.caching_pages, 1024);
	CHECK(t, comes_back(t, idle[0]));
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.caching_batches - before.caching_batches, 2);
	CHECK_EQ(t, after.unmap_batches - before.unmap_batches, 2);
	CHECK(t, comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 1));
}

/* How often chunks are examined while a buffer of single pages is swapped out and in, 64
 * pages at a time. */
static unsigned long looks_for(struct check *t, size_t pages)
{
	struct ttmpool_policy policy = rig_policy(t);
	unsigned long before;
	struct rig *rig;

	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	if (!rig)
		return 0;
	idle[0] = add(t, rig, 0, TTMPOOL_PLAIN, pages);
	if (!idle[0])
		return 0;
	before = looks;
	while (idle[0]->be.pages_stored < pages)
		if (ttmpool_manager_shrink_scan(&rig->mgr, 64, true) != 64)
			return 0;
	while (idle[0]->be.pages_stored)
		if (ttmpool_swapin(&idle[0]->be, 64))
			return 0;
	before = looks - before;
	return end(t, rig, 1) ? before : 0;
}

/* A buffer with sixteen times the pages costs about sixteen times the work, out and
 * in. */
static void s07_a_piece_costs_the_same_of_any_buffer(struct check *t)
{
	unsigned long small = looks_for(t, 256);
	unsigned long large = looks_for(t, 4096);

	CHECK(t, small && large);
	CHECK(t, large <= 17 * small);
}

/* Buffers of two pools do not share a batch; still all leave, the oldest first. */
static void s07_a_party_is_of_one_pool(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		idle[i] = add(t, rig, i % 2, TTMPOOL_PLAIN, 8);
		CHECK(t, idle[i]);
	}
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 24), 24);
	CHECK(t, has_stayed(t, idle[3]));
	for (int i = 0; i < 3; i++)
		CHECK(t, comes_back(t, idle[i]));
	CHECK(t, end(t, rig, 4));
}

/* A party has at most sixteen buffers, whose locks are held together. */
static void s07_a_party_is_of_sixteen(struct check *t)
{
	struct rig *rig = crowd(t, 20, 1);
	struct ttmpool_pool_stats before;

	CHECK(t, rig);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 20), 20);
	CHECK_EQ(t, rig_stats(rig).caching_batches - before.caching_batches, 2);
	CHECK_EQ(t, rig_stats(rig).unmap_batches - before.unmap_batches, 2);
	for (size_t i = 0; i < 20; i++)
		CHECK(t, !idle[i]->locked && comes_back(t, idle[i]));
	CHECK(t, end(t, rig, 20));
}

/* Nor has a party more pages than a window, however many are wanted. */
static void s07_a_party_has_no_more_than_a_window(struct check *t)
{
	struct rig *rig = crowd(t, 6, 1536);
	struct ttmpool_pool_stats before;

	CHECK(t, rig);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 6 * 1536), 6 * 1536);
	/* 1536 + 1536 + 1024, then 512, and both again */
	CHECK_EQ(t, rig_stats(rig).caching_batches - before.caching_batches, 4);
	CHECK(t, rig_is_quiet(t, rig) && end(t, rig, 6));
}

/* A buffer that is swapped out, bound or empty has no pages to give: the swapper does not
 * even try its lock, and without other buffers there is no round. */
static void s07_who_has_no_pages_is_not_looked_at(struct check *t)
{
	struct rig *rig = crowd(t, 4, 8);

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_bind(&idle[1]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&idle[2]->be), 0);
	CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), 8);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 100), 8);
	CHECK_EQ(t, tries, 1);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 100), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 100, true), 0);
	CHECK_EQ(t, tries, 1);
	CHECK_EQ(t, ttmpool_unbind(&idle[1]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&idle[2]->be), 0);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 100), 16);
	CHECK_EQ(t, tries, 3);
	CHECK(t, end(t, rig, 4));
}

#define CROWD 16400

/* A scan of the system examines at most 16384 busy buffers; the next one goes on with the
 * others. A caller that can wait examines all. */
static void s07_a_scan_looks_at_so_many(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer **bufs = check_zalloc(t, CROWD * sizeof(*bufs));

	CHECK(t, rig && bufs);
	for (int i = 0; i < CROWD; i++) {
		bufs[i] = buffer_open(t, rig,
				      &(struct buffer_config){
					      .funcs = counting(TTMPOOL_PLAIN),
					      .caching = TTMPOOL_CACHED,
					      .unmapped = true });
		CHECK(t, bufs[i]);
		CHECK_EQ(t, ttmpool_populate(&bufs[i]->be), 0);
		CHECK_EQ(t, ttmpool_lru_add(&bufs[i]->be), 0);
		bufs[i]->locked = i < CROWD - 1;
	}
	tries = 0;
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 0);
	CHECK_EQ(t, tries, 16384);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 1);
	CHECK_EQ(t, bufs[CROWD - 1]->be.tt.state, TTMPOOL_TT_SWAPPED);
	tries = 0;
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 1), 0);
	CHECK_EQ(t, tries, CROWD - 1);
	for (int i = 0; i < CROWD; i++) {
		ttmpool_lru_remove(&bufs[i]->be);
		CHECK_EQ(t, ttmpool_drop(&bufs[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* If the system has only a few pages free each time that the store frees some, a swap-in
 * asks for as many as it got the last time, so it allocates few pages that it has to give
 * back. */
static void s07_a_swapin_begins_with_what_was_had(struct check *t)
{
	struct rig *rig = crowd(t, 1, 1024);
	struct ttmpool_pool_stats before, after;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), 0);
	ttmpool_lru_remove(&idle[0]->be);
	ttmpool_pool_drain(&rig->pool[0]);
	scarce = check_machine(t);
	leave_few_pages();
	before = rig_stats(rig);
	CHECK(t, comes_back(t, idle[0]));
	scarce = NULL;
	after = rig_stats(rig);
	tpsim_ram_release(check_machine(t));
	CHECK(t, after.pages_fresh - before.pages_fresh <= 2 * 1024);
	CHECK(t, end(t, rig, 1));
}

/* An unmapped buffer with that array, whose contents are in the store. */
static struct buffer *stored_in(struct check *t, struct rig *rig,
				tpos_page_t **pages, size_t n)
{
	struct ttmpool_backend_config config = { .pool = &rig->pool[0],
						 .funcs = &buffer_plain,
						 .num_pages = n,
						 .caching = WC,
						 .pages = pages };
	struct buffer *buf = check_zalloc(t, sizeof(*buf));

	if (!buf || ttmpool_backend_init(&buf->be, &config) ||
	    ttmpool_populate(&buf->be) ||
	    ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES))
		return NULL;
	ttmpool_pool_drain(&rig->pool[0]);
	return buf;
}

/* If a swap-in gets its pages in small parts, each part looks at no more of the array than
 * it may fill, so that a page costs the same in a buffer of any size. */
static void s07_a_part_of_a_swapin_looks_no_further(struct check *t)
{
	struct rig *rig = crowd(t, 0, 0);
	const struct sigaction show = { .sa_handler = show_further };
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	size_t n = size / sizeof(tpos_page_t *);
	tpos_page_t **pages = aligned_alloc(size, 2 * size);
	struct sigaction was;
	struct buffer *buf;

	CHECK(t, rig && pages);
	memset(pages, 0, 2 * size);
	buf = stored_in(t, rig, pages, 2 * n);
	CHECK(t, buf);
	scarce = check_machine(t);
	leave_few_pages();
	CHECK_EQ(t, sigaction(SIGSEGV, &show, &was), 0);
	further.at = pages + n;
	further.size = size;
	further.end = n - 3 * 72;
	further.looks = 0;
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	further.at = NULL;
	CHECK_EQ(t, sigaction(SIGSEGV, &was, NULL), 0);
	scarce = NULL;
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, further.looks, 0);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	free(pages);
	CHECK(t, rig_close(t, rig));
}

/* If a buffer is larger than the page budget, the part that fits is swapped in. */
static void s07_what_fits_the_budget_comes_in(struct check *t)
{
	struct rig *rig = crowd(t, 1, 1024);

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_swapout(&idle[0]->be, TTMPOOL_ALL_PAGES), 0);
	ttmpool_lru_remove(&idle[0]->be);
	ttmpool_manager_set_page_budget(&rig->mgr, 72);
	CHECK_EQ(t, ttmpool_swapin(&idle[0]->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK(t, buffer_pages(idle[0]) > 64);
	ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
	CHECK(t, comes_back(t, idle[0]));
	CHECK(t, end(t, rig, 1));
}

CHECK_SUITE(swapper, CHECK_CASE(s07_a_full_store_costs_nobody_anything),
	    CHECK_CASE(s11_nothing_goes_for_what_cannot_be_had),
	    CHECK_CASE(s07_in_reclaim_only_a_kill_counts),
	    CHECK_CASE(s07_a_store_is_filled_to_the_last_page),
	    CHECK_CASE(s07_what_gained_nothing_is_undone),
	    CHECK_CASE(s07_undoing_needs_no_page),
	    CHECK_CASE(s07_what_cannot_leave_takes_no_room),
	    CHECK_CASE(s07_what_only_asked_for_room_takes_none),
	    CHECK_CASE(s07_what_cannot_be_undone_is_partial),
	    CHECK_CASE(s07_undoing_takes_nothing_from_others),
	    CHECK_CASE(s07_undoing_keeps_within_the_limit),
	    CHECK_CASE(s07_who_was_tried_in_vain_is_tried_last),
	    CHECK_CASE(s07_a_changed_array_stops_nobody_else),
	    CHECK_CASE(f24_what_is_quarantined_was_not_shrunk),
	    CHECK_CASE(f24_who_gains_no_page_swaps_out_no_more),
	    CHECK_CASE(s07_a_large_buffer_leaves_in_windows),
	    CHECK_CASE(s07_a_piece_costs_the_same_of_any_buffer),
	    CHECK_CASE(s07_a_party_is_of_one_pool),
	    CHECK_CASE(s07_a_party_is_of_sixteen),
	    CHECK_CASE(s07_a_party_has_no_more_than_a_window),
	    CHECK_CASE(s07_who_has_no_pages_is_not_looked_at),
	    CHECK_CASE(s07_a_scan_looks_at_so_many),
	    CHECK_CASE(s07_a_swapin_begins_with_what_was_had),
	    CHECK_CASE(s07_a_part_of_a_swapin_looks_no_further),
	    CHECK_CASE(s07_what_fits_the_budget_comes_in));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.ram_pages = 32768, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_swapper, &config);
}
