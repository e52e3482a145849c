// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Signals (S6): which parts of a large request a pending signal ends, and which it does
 * not: allocating, clearing, copying and moving pages.
 */

#include <limits.h>
#include <string.h>
#include <ttmpool/magazine.h>

#include "check_cmocka.h"
#include "rig_buffer.h"
#include "space.h"

/* To which machine what signal comes when pages are copied next. */
static struct tpsim_machine *signalled;
static void (*signals)(struct tpsim_machine *machine, unsigned long n);

void __real_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from);
void __wrap_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from);

void __wrap_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from)
{
	if (signalled)
		signals(signalled, 1);
	signalled = NULL;
	__real_tpos_pages_copy(to, from);
}

static uint64_t pages_got(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.pages_allocated;
}

#define LARGE 4096 /* pages: eight times 2 MiB */

/* Ask for a large buffer, in one of several ways. */
static int ask_for(struct check *t, struct rig *rig, int way, bool killable)
{
	struct ttmpool_request req = { .source = way == 1 ? TTMPOOL_COHERENT
							  : TTMPOOL_PLAIN,
				       .caching = TTMPOOL_UNCACHED,
				       .num_pages = LARGE,
				       .killable = killable };
	tpos_page_t **pages = check_zalloc(t, LARGE * sizeof(*pages));
	struct buffer *buf = buffer_of(t, rig, LARGE, 0);
	struct ttmpool_runs runs;

	if (!pages || !buf)
		return -ENOENT;
	buf->be.killable = killable;
	switch (way) {
	case 0:
	case 1:
		return ttmpool_pool_take(&rig->pool[0], &req, pages, NULL);
	case 2:
		return ttmpool_runs_take(&rig->pool[0], &req, true, &runs);
	case 3:
		return ttmpool_pool_prime(&rig->pool[0], &req, true);
	default:
		return ttmpool_populate(&buf->be);
	}
}

/* A signal ends a large request; if the request is killable, only a kill does. The pages
 * that it had go back. */
static void s06_a_signal_ends_a_large_request(struct check *t)
{
	for (int i = 0; i < 10; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		bool killable = i % 2;
		uint64_t got;

		CHECK(t, rig);
		got = pages_got(t);
		if (killable)
			tpsim_kill_after(check_machine(t), 2);
		else
			tpsim_signal_after(check_machine(t), 2);
		CHECK_EQ(t, ask_for(t, rig, i / 2, killable), -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, pages_got(t) - got, 1024);
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A killable request goes on in spite of a signal that does not kill; and a small request
 * does not check for signals. */
static void s06_what_a_signal_does_not_end(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *large, *small;

	CHECK(t, rig);
	large = buffer_of(t, rig, LARGE, 0);
	small = buffer_of(t, rig, 512, 0);
	CHECK(t, large && small);
	large->be.killable = true;
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&large->be), 0);
	CHECK_EQ(t, ttmpool_populate(&small->be), 0);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_unpopulate(&large->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&small->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Nor does such a signal end the swap-out or swap-in of a killable buffer; a kill
 * does. */
static void s06_what_a_signal_does_not_end_of_a_move(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, 64, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	buf->be.killable = true;
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A signal ends the clearing of pooled pages after 16 MiB. The pages that are clear then
 * are pooled clear. */
static void s06_a_signal_ends_the_clearing_of_pages(struct check *t)
{
	for (int killable = 0; killable < 2; killable++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *large;

		CHECK(t, rig);
		large = buffer_of(t, rig, 3 * LARGE, 0);
		CHECK(t, large && !buffer_cycle(large));
		large->be.killable = killable;
		if (killable)
			tpsim_kill_after(check_machine(t), 1);
		else
			tpsim_signal_after(check_machine(t), 1);
		CHECK_EQ(t, ttmpool_populate(&large->be), -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, rig_stats(rig).bytes_cleared, 16 << 20);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 3 * LARGE);
		CHECK_EQ(t, buffer_cycle(large), 0);
		CHECK_EQ(t, rig_stats(rig).bytes_cleared, 48 << 20);
		CHECK(t, rig_close(t, rig));
	}
}

/* A coherent buffer that has left its device. */
static struct buffer *gone_coherent(struct check *t, struct rig *rig, size_t n,
				    bool unmapped)
{
	struct buffer *buf = buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = &buffer_coherent,
					 .unmapped = unmapped,
					 .caching = TTMPOOL_UNCACHED },
		7);

	return buf && !ttmpool_to_anonymous(&buf->be) ? buf : NULL;
}

/* Move it to its device, and send a signal as soon as the copying has begun. */
static int return_with_a_signal(struct check *t, struct buffer *buf)
{
	int err;

	signals = buf->be.killable ? tpsim_kill_after : tpsim_signal_after;
	signalled = check_machine(t);
	err = ttmpool_to_device(&buf->be);
	signalled = NULL;
	tpsim_signal_clear(check_machine(t));
	return err;
}

/* Is it the anonymous buffer that it was, in the same pages, and is nothing mapped? */
static bool is_still_gone(struct check *t, struct rig *rig, struct buffer *buf,
			  tpos_page_t *const *pages)
{
	size_t n = buf->be.tt.num_pages;

	ttmpool_pool_drain(&rig->pool[0]); /* what is pooled may be mapped */
	for (size_t i = 0; i < n; i++)
		if (buf->pages[i] != pages[i] ||
		    (buf->dma_addr && buf->dma_addr[i]))
			return false;
	return buf->be.tt.state == TTMPOOL_TT_ANONYMOUS &&
	       ttmpool_backend_is_valid(&buf->be) &&
	       !rig_stats(rig).bytes_mapped &&
	       rig_stats(rig).pages_in_use == n && rig_is_quiet(t, rig) &&
	       buffer_is_of(t, buf, TTMPOOL_CACHED) &&
	       buffer_is_stamped(t, buf, 7);
}

static tpos_page_t **pages_now(struct check *t, const struct buffer *buf)
{
	size_t size = buf->be.tt.num_pages * sizeof(*buf->pages);
	tpos_page_t **pages = check_zalloc(t, size);

	return pages ? memcpy(pages, buf->pages, size) : NULL;
}

static uint64_t bytes_copied(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.bytes_copied;
}

/* A signal ends the copying of a large coherent buffer on its way back to the device
 * after 16 MiB, but not that of a small one. Both stay whole, and come back. */
static void s06_a_signal_ends_the_copying_of_pages(struct check *t)
{
	for (int killable = 0; killable < 2; killable++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		uint64_t copied, counted;
		tpos_page_t **pages;
		struct buffer *buf;

		CHECK(t, rig);
		buf = gone_coherent(t, rig, LARGE + 512, false);
		CHECK(t, buf);
		pages = pages_now(t, buf);
		CHECK(t, pages);
		buf->be.killable = killable;
		copied = bytes_copied(t);
		counted = rig_stats(rig).bytes_copied;
		CHECK_EQ(t, return_with_a_signal(t, buf), -EINTR);
		copied = bytes_copied(t) - copied;
		CHECK(t, copied >= 16 << 20 && copied < 18 << 20);
		CHECK_EQ(t, rig_stats(rig).bytes_copied - counted, copied);
		CHECK(t, is_still_gone(t, rig, buf, pages));
		CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
		CHECK(t, buffer_is_stamped(t, buf, 7));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* New pages that were pooled before an interrupted copy are pooled again after it, and are
 * clear when another buffer gets them. */
static void s06_pages_of_an_interrupted_copy_are_cleared(struct check *t)
{
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .caching = TTMPOOL_UNCACHED,
				       .num_pages = LARGE + 512 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf, *next;
	uint64_t fresh;

	CHECK(t, rig);
	buf = gone_coherent(t, rig, LARGE + 512, false);
	CHECK(t, buf && !ttmpool_pool_prime(&rig->pool[0], &req, true));
	fresh = rig_stats(rig).pages_fresh;
	CHECK_EQ(t, return_with_a_signal(t, buf), -EINTR);
	next = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = LARGE + 512,
					 .funcs = &buffer_coherent,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, next && !ttmpool_populate(&next->be));
	CHECK_EQ(t, rig_stats(rig).pages_fresh, fresh);
	CHECK(t, buffer_holds(t, next, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&next->be), 0);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A signal that comes while a small coherent buffer is copied does not keep it from its
 * device. */
static void s06_no_signal_ends_the_copying_of_a_few_pages(struct check *t)
{
	for (int killable = 0; killable < 2; killable++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *buf;

		CHECK(t, rig);
		buf = gone_coherent(t, rig, 64, false);
		CHECK(t, buf);
		buf->be.killable = killable;
		CHECK_EQ(t, return_with_a_signal(t, buf), 0);
		CHECK(t, buffer_is_stamped(t, buf, 7));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Hand it over to another device's pool, and let that device have it. */
static bool serves_another(struct check *t, struct rig *rig, struct buffer *buf)
{
	struct buffer *to = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = buf->be.tt.num_pages,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_UNCACHED });

	return to && !ttmpool_handover(&buf->be, &to->be) &&
	       !rig_stats(rig).pages_in_use && !ttmpool_to_device(&to->be) &&
	       buffer_is_stamped(t, to, 7) && !ttmpool_unpopulate(&to->be);
}

/* A large coherent buffer that a signal has kept from its device is handed over to another
 * device, which has the contents then; also a buffer without addresses. */
static void s12_what_a_signal_has_stopped_is_handed_over(struct check *t)
{
	for (int unmapped = 0; unmapped < 2; unmapped++) {
		struct rig *rig =
			rig_open(t, &(struct rig_config){ .nr_pools = 2 });
		struct buffer *buf;

		CHECK(t, rig);
		buf = gone_coherent(t, rig, LARGE + 512, unmapped);
		CHECK(t, buf);
		CHECK_EQ(t, return_with_a_signal(t, buf), -EINTR);
		CHECK(t, serves_another(t, rig, buf));
		CHECK(t, rig_close(t, rig));
	}
}

/* A large coherent buffer for which the system has not enough pages to copy it is what it
 * was, and is handed over to another device. */
static void s12_what_lacks_pages_for_a_copy_is_handed_over(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	tpos_page_t **pages;
	struct buffer *buf;

	CHECK(t, rig);
	buf = gone_coherent(t, rig, LARGE + 512, false);
	CHECK(t, buf);
	pages = pages_now(t, buf);
	CHECK(t, pages);
	ttmpool_pool_drain(&rig->pool[0]);
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_COHERENT_ALLOC,
				       .nth = LARGE / 512 + 1,
				       .times = UINT_MAX });
	CHECK_EQ(t, ttmpool_to_device(&buf->be), -ENOMEM);
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	CHECK(t, is_still_gone(t, rig, buf, pages));
	CHECK(t, serves_another(t, rig, buf));
	CHECK(t, rig_close(t, rig));
}

/* Nor does a signal end a get of one large chunk, although it would end a request for all
 * the chunks that the magazine could hold. */
static void s06_no_signal_ends_a_get_of_one_chunk(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunks[8], *one;
	struct ttmpool_magazine mag;
	struct ttmpool_owner owner;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "ring");
	CHECK_EQ(t,
		 ttmpool_magazine_init(
			 &mag,
			 &(struct ttmpool_magazine_config){
				 .pool = &rig->pool[0],
				 .caching = TTMPOOL_UNCACHED,
				 .order = rig->pool[0].policy.max_order,
				 .owner = &owner,
				 .chunks = chunks,
				 .room = 8 }),
		 0);
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_magazine_get(&mag, &one, 1), 0);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_magazine_put(&mag, &one, 1), 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that is being killed makes no more room for its pages. */
static void s06_a_killed_task_makes_no_more_room(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct buffer *buf, *other;

	CHECK(t, rig);
	other = buffer_of(t, rig, 64, 0);
	buf = buffer_of(t, rig, 64, 0);
	CHECK(t, other && buf && !buffer_cycle(other));
	buf->be.tt.caching = TTMPOOL_UNCACHED;
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(signals, CHECK_CASE(s06_a_signal_ends_a_large_request),
	    CHECK_CASE(s06_what_a_signal_does_not_end),
	    CHECK_CASE(s06_what_a_signal_does_not_end_of_a_move),
	    CHECK_CASE(s06_a_signal_ends_the_clearing_of_pages),
	    CHECK_CASE(s06_a_signal_ends_the_copying_of_pages),
	    CHECK_CASE(s06_pages_of_an_interrupted_copy_are_cleared),
	    CHECK_CASE(s06_no_signal_ends_the_copying_of_a_few_pages),
	    CHECK_CASE(s06_no_signal_ends_a_get_of_one_chunk),
	    CHECK_CASE(s12_what_a_signal_has_stopped_is_handed_over),
	    CHECK_CASE(s12_what_lacks_pages_for_a_copy_is_handed_over),
	    CHECK_CASE(s06_a_killed_task_makes_no_more_room));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 98304 };

	return check_main(argc, argv, &check_suite_signals, &config);
}
