// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting (S6): a request that waits holds nothing meanwhile. Pages or addresses that it
 * can use wake it, and the wait lasts as long as the caller said, in any call.
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"
#include "space.h"

static void give_back(void *buf)
{
	struct buffer *other = buf;

	if (other->be.tt.state == TTMPOOL_TT_POPULATED)
		check_any(ttmpool_unpopulate(&other->be));
}

static uint64_t now_ms(struct check *t)
{
	return tpos_now_ms(check_machine(t));
}

static uint64_t pages_got(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.pages_allocated;
}

/* A request that waits in vain gets no page meanwhile where a limit is reached. Where the
 * machine has too few addresses, which only the machine knows, the request gets its pages at
 * the beginning and ever less often; coherent ones up to three times, in ever smaller chunks. */
static void s06_who_waits_gets_no_pages_in_vain(struct check *t)
{
	struct rig_config configs[] = { { .mapped_limit = 3 << 20 }, { 0 } };

	for (int i = 0; i < 4; i++) {
		const struct ttmpool_backend_funcs *funcs =
			i / 2 ? &buffer_coherent : &buffer_plain;
		struct rig *rig = rig_open(t, &configs[i % 2]);
		struct buffer *pair[2];
		uint64_t got;

		CHECK(t, rig && open_pair(t, rig, pair, 10000));
		pair[1]->be.funcs = funcs;
		got = pages_got(t);
		CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
		got = pages_got(t) - got;
		CHECK_EQ(t, i % 2 ? 0 : got, 0);
		CHECK(t, got <= 5 * 3 * pair[1]->be.tt.num_pages);
		CHECK(t, rig_stats(rig).waits >= 100);
		CHECK(t, rig_stats(rig).waits <= (i % 2 ? 111 : 100));
		CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A pool on the first device that shares nothing with the rig's pool: it has its own
 * manager, and keeps no pages pooled. */
static struct rig *stranger_on(struct check *t, struct rig *rig)
{
	struct rig *other = check_zalloc(t, sizeof(*other));
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_manager_config mgr_config = {
		.system = check_machine(t),
		.page_budget = TTMPOOL_NO_LIMIT,
	};
	struct ttmpool_pool_config config = { .dev = rig->dev[0],
					      .node = TTMPOOL_NODE_OF_DEVICE,
					      .policy = &policy };

	if (!other || ttmpool_manager_init(&other->mgr, &mgr_config))
		return NULL;
	if (ttmpool_pool_init(&other->pool[0], &other->mgr, &config))
		return NULL;
	other->dev[0] = rig->dev[0];
	other->nr_pools = 1;
	return other;
}

static bool stranger_goes(struct rig *other)
{
	ttmpool_pool_fini(&other->pool[0]);
	return !ttmpool_manager_fini(&other->mgr);
}

/* How long a request waits, and after how many naps another manager's addresses come free. */
static const struct {
	unsigned int wait_ms;
	int naps;
} waits[] = { { TTMPOOL_WAIT_FOREVER, 15 }, { 10000, 3 }, { 250, 1 } };

/* A buffer of the other manager, whose pages and mappings go after some naps. */
struct leaver {
	struct buffer *buf;
	struct buffer *filler; /* or NULL: has all pages until then */
	int naps;
};

static void leave_in_time(void *arg)
{
	struct leaver *leaver = arg;

	if (leaver->filler && leaver->filler->be.tt.state == TTMPOOL_TT_EMPTY)
		check_any(ttmpool_populate(&leaver->filler->be));
	if (--leaver->naps)
		return;
	if (leaver->filler)
		check_any(ttmpool_unpopulate(&leaver->filler->be));
	check_any(ttmpool_unpopulate(&leaver->buf->be));
}

/* Addresses that come free in the machine, but not in the account of the device's pools,
 * serve a request that waits. */
static void s06_who_waits_asks_the_machine_again(struct check *t)
{
	for (int i = 0; i < 6; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct rig *other = rig ? stranger_on(t, rig) : NULL;
		struct leaver leaver = { .naps = waits[i / 2].naps };
		struct buffer *buf;

		CHECK(t, other);
		leaver.buf = buffer_of(t, other, SPACE_PAGES / 4 * 3, 0);
		buf = buffer_of(t, rig, SPACE_PAGES / 2, waits[i / 2].wait_ms);
		CHECK(t, leaver.buf && buf);
		if (i % 2)
			buf->be.funcs = &buffer_coherent;
		CHECK_EQ(t, ttmpool_populate(&leaver.buf->be), 0);
		tpsim_while_waiting(check_machine(t), leave_in_time, &leaver);
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK(t, rig_stats(rig).waits <= 25);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, stranger_goes(other));
		CHECK(t, rig_close(t, rig));
	}
}

/* While a request waits for addresses, the machine cannot be asked with a page if there is
 * none, or if the page budget has no room for one. Then the request is tried as a whole, and
 * is served when there are addresses. */
static void s06_a_wait_without_a_page_to_ask_is_served(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.keep_mapped = false;
	for (int i = 0; i < 2; i++) {
		struct rig_config config = { .page_budget = i ? SPACE_PAGES / 2
							      : 0,
					     .policy = &policy };
		struct rig *rig = rig_open(t, &config);
		struct rig *other = rig ? stranger_on(t, rig) : NULL;
		struct leaver leaver = { .naps = 5 };
		struct buffer *buf, *filler;

		CHECK(t, other);
		leaver.buf = buffer_of(t, other, SPACE_PAGES / 4 * 3, 0);
		buf = buffer_of(t, rig, SPACE_PAGES / 2, 100000);
		filler = buffer_open(
			t, rig,
			&(struct buffer_config){ .num_pages = SPACE_PAGES / 2,
						 .funcs = &buffer_plain,
						 .unmapped = true });
		CHECK(t, leaver.buf && buf && filler);
		leaver.filler = i ? filler : NULL;
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK_EQ(t, ttmpool_populate(&leaver.buf->be), 0);
		tpsim_while_waiting(check_machine(t), leave_in_time, &leaver);
		if (!i)
			tpsim_fault_plan(check_machine(t),
					 &(struct tpsim_fault){
						 .call = TPSIM_CALL_PAGES_ALLOC,
						 .nth = 1,
						 .times = UINT_MAX });
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		tpsim_fault_clear(check_machine(t));
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, stranger_goes(other));
		CHECK(t, rig_close(t, rig));
	}
}

/* While a request waits for addresses of which the machine has too few, it asks ever less
 * often. */
static void s06_a_wait_asks_ever_less_often(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];
	uint64_t got;

	CHECK(t, rig && open_pair(t, rig, pair, 100000));
	got = pages_got(t);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
	CHECK(t, pages_got(t) - got <= 11 * (SPACE_PAGES / 2 + 1));
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A plain buffer that lacks only addresses, on its way back to its device or from the store,
 * gets them when they come free in the machine. */
static void s06_a_move_asks_the_machine_again(struct check *t)
{
	for (int i = 0; i < 6; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct rig *other = rig ? stranger_on(t, rig) : NULL;
		struct leaver leaver = { .naps = waits[i / 2].naps };
		struct buffer *buf;

		CHECK(t, other);
		leaver.buf = buffer_of(t, other, SPACE_PAGES / 4 * 3, 0);
		buf = buffer_of(t, rig, SPACE_PAGES / 2, waits[i / 2].wait_ms);
		CHECK(t, leaver.buf && buf && !ttmpool_populate(&buf->be));
		CHECK(t, buffer_stamp(t, buf, 7));
		CHECK_EQ(t,
			 i % 2 ? ttmpool_swapout(&buf->be, 8)
			       : ttmpool_to_anonymous(&buf->be),
			 0);
		ttmpool_pool_drain(&rig->pool[0]);
		CHECK_EQ(t, ttmpool_populate(&leaver.buf->be), 0);
		tpsim_while_waiting(check_machine(t), leave_in_time, &leaver);
		CHECK_EQ(t,
			 i % 2 ? ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES)
			       : ttmpool_to_device(&buf->be),
			 0);
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK(t, rig_stats(rig).waits <= 25);
		CHECK(t, buffer_is_stamped(t, buf, 7));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, stranger_goes(other));
		CHECK(t, rig_close(t, rig));
	}
}

#define IDLE 4 /* buffers of an eighth of the space */

/* Buffers that their owner brings back each time the waiting request looks again. */
struct idle {
	struct buffer *bufs[IDLE];
	int err;
};

static void use_again(void *arg)
{
	struct idle *idle = arg;

	for (int i = 0; i < IDLE; i++)
		if (idle->bufs[i]->be.tt.state != TTMPOOL_TT_POPULATED)
			idle->err |= ttmpool_swapin(&idle->bufs[i]->be,
						    TTMPOOL_ALL_PAGES);
}

/* While a request waits for addresses of which the machine has none, buffers of others are
 * swapped out for its pages once, and not each time that it asks. */
static void s06_a_wait_for_addresses_swaps_out_nothing_twice(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .page_budget = SPACE_PAGES / 2 + 64 });
	struct rig *other = rig ? stranger_on(t, rig) : NULL;
	struct idle idle = { .err = 0 };
	struct buffer *all, *buf;

	CHECK(t, other);
	all = buffer_of(t, other, SPACE_PAGES - 1, 0); /* 0 is none */
	buf = buffer_of(t, rig, SPACE_PAGES / 2, 10000);
	CHECK(t, all && buf && !ttmpool_populate(&all->be));
	for (int i = 0; i < IDLE; i++) {
		idle.bufs[i] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = SPACE_PAGES / 2 / IDLE,
				.funcs = &buffer_plain,
				.unmapped = true,
				.caching = TTMPOOL_WRITE_COMBINED });
		CHECK(t, idle.bufs[i]);
		CHECK_EQ(t, ttmpool_populate(&idle.bufs[i]->be), 0);
		CHECK_EQ(t, ttmpool_lru_add(&idle.bufs[i]->be), 0);
	}
	tpsim_while_waiting(check_machine(t), use_again, &idle);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ETIMEDOUT);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK_EQ(t, idle.err, 0);
	CHECK(t, rig_stats(rig).bytes_stored <= SPACE_BYTES / 2);
	for (int i = 0; i < IDLE; i++) {
		ttmpool_lru_remove(&idle.bufs[i]->be);
		CHECK_EQ(t, ttmpool_drop(&idle.bufs[i]->be), 0);
	}
	CHECK_EQ(t, ttmpool_unpopulate(&all->be), 0);
	CHECK(t, stranger_goes(other));
	CHECK(t, rig_close(t, rig));
}

/* Other requests that take time, and wake; in the end a signal comes. */
struct traffic {
	struct check *t;
	struct rig *rig;
	struct buffer *buf; /* populated and given back at each turn */
	unsigned int ms;
	int turns;
	int signal_at;
};

static void traffic_turn(void *arg)
{
	struct traffic *traffic = arg;

	tpsim_pass_time(check_machine(traffic->t), traffic->ms);
	if (traffic->buf)
		buffer_cycle(traffic->buf);
	if (++traffic->turns == traffic->signal_at)
		tpsim_signal_after(check_machine(traffic->t), 1);
}

/* A wait is one span of time that begins with the call, however often the request is
 * woken in it, and whatever others do. */
static void s06_a_wait_is_one_span_of_time(struct check *t)
{
	for (unsigned int ms = 1; ms <= 64; ms *= 4) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct traffic traffic = { .t = t, .ms = ms };
		struct buffer *pair[2];
		uint64_t start;

		CHECK(t, rig && open_pair(t, rig, pair, 250));
		traffic.buf = buffer_of(t, rig, 1, 0);
		CHECK(t, traffic.buf);
		tpsim_while_waiting(check_machine(t), traffic_turn, &traffic);
		start = now_ms(t);
		CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK(t, now_ms(t) - start >= 250);
		CHECK(t, now_ms(t) - start <= 260 + ms);
		CHECK(t, traffic.turns >= 3);
		CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A signal also ends the wait of a request that is woken each time before it sleeps. */
static void s06_a_signal_ends_a_wait_without_sleep(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct traffic traffic = { .t = t, .signal_at = 20 };
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, TTMPOOL_WAIT_FOREVER));
	traffic.buf = buffer_of(t, rig, 1, 0);
	CHECK(t, traffic.buf);
	tpsim_while_waiting(check_machine(t), traffic_turn, &traffic);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -EINTR);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	tpsim_signal_clear(check_machine(t));
	CHECK(t, traffic.turns <= 21);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages without addresses do not wake a request that waits for addresses. */
static void s06_pages_without_addresses_wake_nobody(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct traffic traffic = { .t = t };
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, 250));
	traffic.buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .unmapped = true });
	CHECK(t, traffic.buf);
	tpsim_while_waiting(check_machine(t), traffic_turn, &traffic);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	/* one more after it has asked the machine, and tried all again */
	CHECK_EQ(t, rig_stats(rig).waits, 4);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* What happens while a request waits. */
struct scene {
	void (*wakes)(struct scene *scene);
	struct buffer *holder;
	int naps;
};

/* These make room in a page budget of 64, which a buffer in use occupies. */
static void gives_to_the_system(struct scene *scene)
{
	check_any(ttmpool_unpopulate(&scene->holder->be));
}

static void swaps_out(struct scene *scene)
{
	check_any(ttmpool_swapout(&scene->holder->be, TTMPOOL_ALL_PAGES));
}

static void drops(struct scene *scene)
{
	check_any(ttmpool_drop(&scene->holder->be));
}

static void raises_the_budget(struct scene *scene)
{
	ttmpool_manager_set_page_budget(scene->holder->be.pool->mgr, 65);
}

static void act_once(void *arg)
{
	struct scene *scene = arg;

	if (!scene->naps++)
		scene->wakes(scene);
}

static bool is_served(struct check *t, void (*wakes)(struct scene *scene),
		      enum ttmpool_caching caching)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct scene scene = { .wakes = wakes };
	struct buffer *buf;
	bool good;

	if (!rig)
		return false;
	scene.holder = buffer_of(t, rig, 64, 0);
	buf = buffer_of(t, rig, 1, 50);
	if (!scene.holder || !buf)
		return false;
	scene.holder->be.tt.caching = caching;
	buf->be.tt.caching = TTMPOOL_UNCACHED;
	good = !ttmpool_populate(&scene.holder->be);
	tpsim_while_waiting(check_machine(t), act_once, &scene);
	good &= !ttmpool_populate(&buf->be);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	good &= rig_stats(rig).waits == 1;
	good &= !ttmpool_unpopulate(&buf->be);
	if (scene.holder->be.tt.state != TTMPOOL_TT_EMPTY)
		good &= !ttmpool_drop(&scene.holder->be);
	return rig_close(t, rig) && good;
}

/* Whatever makes room in the page budget wakes a request that waits for it, and the
 * request is served. */
static void s06_whatever_makes_room_for_pages_wakes(struct check *t)
{
	CHECK(t, is_served(t, gives_to_the_system, TTMPOOL_CACHED));
	CHECK(t, is_served(t, gives_to_the_system, TTMPOOL_WRITE_COMBINED));
	CHECK(t, is_served(t, swaps_out, TTMPOOL_WRITE_COMBINED));
	CHECK(t, is_served(t, drops, TTMPOOL_CACHED));
	CHECK(t, is_served(t, raises_the_budget, TTMPOOL_CACHED));
}

/* A request that waits for pages in vain returns -ETIMEDOUT when its time is over; one
 * that does not wait returns -ENOMEM at once. Its own attempts do not wake it. */
static void s06_a_wait_for_pages_ends_with_its_time(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct buffer *holder, *buf;

	CHECK(t, rig);
	holder = buffer_of(t, rig, 64, 0);
	buf = buffer_of(t, rig, 2, 250);
	CHECK(t, holder && buf && !ttmpool_populate(&holder->be));
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ETIMEDOUT);
	CHECK_EQ(t, rig_stats(rig).waits, 3);
	buf->be.wait_ms = 0;
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
	buf->be.wait_ms = TTMPOOL_WAIT_FOREVER;
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, rig_stats(rig).takes_failed, 3);
	CHECK_EQ(t, ttmpool_unpopulate(&holder->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request does not wait for memory of the machine: it returns -ENOMEM. */
static void s06_who_waits_is_told_that_memory_is_gone(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, 4, 10000);
	CHECK(t, buf);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1,
						.times = UINT_MAX });
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, rig_stats(rig).waits, 0);
	CHECK(t, rig_close(t, rig));
}

/* A coherent buffer waits like a plain one: for its first pages, and on its way back to
 * the device. */
static void s06_coherent_buffers_wait_too(struct check *t)
{
	struct rig_config config = { .mapped_limit = 64 * 4096 };

	for (int i = 0; i < 2; i++) {
		struct rig *rig = rig_open(t, &config);
		struct buffer *holder, *buf;

		CHECK(t, rig);
		holder = buffer_of(t, rig, 64, 0);
		buf = buffer_of(t, rig, 16, 50);
		CHECK(t, holder && buf);
		buf->be.funcs = &buffer_coherent;
		if (i) {
			CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
			CHECK(t, buffer_stamp(t, buf, 7));
			CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		}
		CHECK_EQ(t, ttmpool_populate(&holder->be), 0);
		CHECK_EQ(t,
			 i ? ttmpool_to_device(&buf->be)
			   : ttmpool_populate(&buf->be),
			 -ETIMEDOUT);
		tpsim_while_waiting(check_machine(t), give_back, holder);
		CHECK_EQ(t,
			 i ? ttmpool_to_device(&buf->be)
			   : ttmpool_populate(&buf->be),
			 0);
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK(t, !i || buffer_is_stamped(t, buf, 7));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* If contents have to be copied to leave the device, the move waits for pages. */
static void s12_leaving_the_device_waits_for_pages(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct buffer *holder, *buf;

	CHECK(t, rig);
	holder = buffer_of(t, rig, 40, 0);
	buf = buffer_of(t, rig, 16, 50);
	CHECK(t, holder && buf);
	buf->be.funcs = &buffer_coherent;
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_populate(&holder->be), 0);
	CHECK(t, buffer_stamp(t, buf, 7));
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -ETIMEDOUT);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	tpsim_while_waiting(check_machine(t), give_back, holder);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK(t, buffer_is_stamped(t, buf, 7));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer of 64 pages, half of them in the store; the pages and addresses that these
 * need are occupied by @holder. */
static struct buffer *open_holes(struct check *t, struct rig *rig,
				 struct buffer *holder)
{
	struct buffer *buf = buffer_of(t, rig, 64, 0);

	if (!buf || ttmpool_populate(&buf->be) ||
	    ttmpool_swapout(&buf->be, 32) || ttmpool_populate(&holder->be))
		return NULL;
	buf->be.wait_ms = 250;
	return buf;
}

/* A swap-in waits for addresses, and for the page budget. All its waits together last no
 * longer than wait_ms, though it asks for pages many times. */
static void s06_a_swap_in_waits_once(struct check *t)
{
	struct rig_config configs[] = { { .mapped_limit = 64 * 4096 },
					{ .page_budget = 64 } };

	for (int i = 0; i < 2; i++) {
		struct ttmpool_policy policy = rig_policy(t);
		struct rig_config config = configs[i];
		struct buffer *buf, *holder;
		struct rig *rig;
		uint64_t start;

		policy.max_order = 0;
		config.policy = &policy;
		rig = rig_open(t, &config);
		CHECK(t, rig);
		holder = buffer_of(t, rig, 30, 0);
		CHECK(t, holder);
		buf = open_holes(t, rig, holder);
		CHECK(t, buf);
		start = now_ms(t);
		CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES),
			 -ETIMEDOUT);
		CHECK(t, now_ms(t) - start >= 250);
		CHECK(t, now_ms(t) - start <= 270);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
		tpsim_while_waiting(check_machine(t), give_back, holder);
		CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A move to a device that can never hold the buffer does not wait, and loses nothing. */
static void s06_a_move_that_never_fits_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct ttmpool_pool *small = check_zalloc(t, sizeof(*small));
	struct ttmpool_pool_config config = { .node = TTMPOOL_NODE_ANY,
					      .mapped_limit = 64 * 4096 };
	struct buffer *from, *to;

	CHECK(t, rig && small);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(small, &rig->mgr, &config), 0);
	from = buffer_of(t, rig, 65, 0);
	to = buffer_of(t, rig, 65, TTMPOOL_WAIT_FOREVER);
	CHECK(t, from && to && !ttmpool_populate(&from->be));
	to->be.pool = small;
	CHECK(t, buffer_stamp(t, from, 3));
	CHECK_EQ(t, ttmpool_to_anonymous(&from->be), 0);
	CHECK_EQ(t, ttmpool_handover(&from->be, &to->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&to->be), -ENOSPC);
	CHECK_EQ(t, to->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK_EQ(t, ttmpool_swapout(&to->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapin(&to->be, TTMPOOL_ALL_PAGES), -ENOSPC);
	CHECK_EQ(t, to->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, ttmpool_swapin(&to->be, 32), 0);
	CHECK_EQ(t, to->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, ttmpool_drop(&to->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(small), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request for more than the device can address at all is refused at once, and no
 * mapping ends for it. */
static void s06_more_than_a_mask_admits_is_refused(struct check *t)
{
	enum {
		MOST = 256 /* pages of 4 KiB below 20 bits */
	};

	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct rig *rig =
			rig_open(t, &(struct rig_config){ .mask_bits = 20 });
		struct pages_config config = {
			.num_pages = MOST + 1,
			.source = (enum ttmpool_source)source,
			.caching = TTMPOOL_WRITE_COMBINED
		};
		struct pages *kept, *some;

		CHECK(t, rig);
		kept = pages_open(t, rig,
				  &(struct pages_config){
					  .num_pages = 64,
					  .caching = TTMPOOL_WRITE_COMBINED });
		some = pages_open(t, rig, &config);
		CHECK(t, kept && some && !pages_cycle(kept));
		some->req.wait_ms = TTMPOOL_WAIT_FOREVER;
		CHECK_EQ(t, pages_take(some), -ENOSPC);
		CHECK_EQ(t, rig_stats(rig).unmaps, 0);
		CHECK_EQ(t, check_pages_out(t), 64);
		some->req.num_pages = MOST / 2;
		CHECK_EQ(t, pages_take(some), 0);
		CHECK_EQ(t, pages_give(some), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* If the page budget is too small for a swap-in, it brings in what fits, and does not
 * wait for the rest. */
static void s06_a_swap_in_over_the_budget_does_not_wait(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, 77, 10000);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	ttmpool_manager_set_page_budget(&rig->mgr, 40);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, rig_stats(rig).waits, 0);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(patience, CHECK_CASE(s06_who_waits_gets_no_pages_in_vain),
	    CHECK_CASE(s06_who_waits_asks_the_machine_again),
	    CHECK_CASE(s06_a_wait_without_a_page_to_ask_is_served),
	    CHECK_CASE(s06_a_wait_asks_ever_less_often),
	    CHECK_CASE(s06_a_move_asks_the_machine_again),
	    CHECK_CASE(s06_a_wait_for_addresses_swaps_out_nothing_twice),
	    CHECK_CASE(s06_a_wait_is_one_span_of_time),
	    CHECK_CASE(s06_a_signal_ends_a_wait_without_sleep),
	    CHECK_CASE(s06_pages_without_addresses_wake_nobody),
	    CHECK_CASE(s06_whatever_makes_room_for_pages_wakes),
	    CHECK_CASE(s06_a_wait_for_pages_ends_with_its_time),
	    CHECK_CASE(s06_who_waits_is_told_that_memory_is_gone),
	    CHECK_CASE(s06_coherent_buffers_wait_too),
	    CHECK_CASE(s12_leaving_the_device_waits_for_pages),
	    CHECK_CASE(s06_a_swap_in_waits_once),
	    CHECK_CASE(s06_a_move_that_never_fits_is_refused),
	    CHECK_CASE(s06_more_than_a_mask_admits_is_refused),
	    CHECK_CASE(s06_a_swap_in_over_the_budget_does_not_wait));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages =
							    2 * SPACE_PAGES,
						    .iova_bytes = SPACE_BYTES };

	return check_main(argc, argv, &check_suite_patience, &config);
}
