// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address space that runs out (S6): which requests wait, for how long, and what wakes
 * them. On a machine whose IOVA space is 4 MiB.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"
#include "space.h"

/* A request that does not wait returns -ENOSPC at once. */
static void s06_who_does_not_wait_is_told_at_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, 0));
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ENOSPC);
	CHECK_EQ(t, rig_stats(rig).waits, 0);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[1]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that waits in vain returns -ETIMEDOUT when its time is over. */
static void s06_a_wait_ends_with_its_time(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, 50));
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
	CHECK_EQ(t, rig_stats(rig).waits, 1);
	CHECK_EQ(t, pair[1]->be.tt.state, TTMPOOL_TT_EMPTY);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

static void give_back(void *buf)
{
	struct buffer *other = buf;

	if (other->be.tt.state == TTMPOOL_TT_POPULATED)
		check_any(ttmpool_unpopulate(&other->be));
}

static void nothing(void *arg)
{
	(void)arg;
}

/* A long wait consists of naps: the request looks again after each. */
static void s06_a_long_wait_looks_again(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, 250));
	tpsim_while_waiting(check_machine(t), nothing, NULL);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	/* and once more after it has asked the machine */
	CHECK_EQ(t, rig_stats(rig).waits, 4);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Addresses that come back during a wait serve the request. */
static void s06_a_wait_ends_when_space_comes_back(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, TTMPOOL_WAIT_FOREVER));
	tpsim_while_waiting(check_machine(t), give_back, pair[0]);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), 0);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK_EQ(t, rig_stats(rig).waits, 1);
	CHECK_EQ(t, rig_stats(rig).takes_failed, 0);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[1]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The largest number as the limit of a pool or of its device acts like no limit: a
 * request gets the addresses that others have given back. */
static void s06_the_largest_limit_is_like_none(struct check *t)
{
	for (int i = 0; i < 2; i++) {
		struct rig_config config = { 0 };
		struct ttmpool_iova iova;
		struct buffer *pair[2];
		struct rig *rig;

		CHECK_EQ(t, ttmpool_iova_init(&iova, UINT64_MAX, 0), 0);
		if (i)
			config.iova = &iova;
		else
			config.mapped_limit = UINT64_MAX;
		rig = rig_open(t, &config);
		CHECK(t, rig && open_pair(t, rig, pair, 1000));
		pair[1]->be.tt.caching = TTMPOOL_UNCACHED;
		tpsim_while_waiting(check_machine(t), give_back, pair[0]);
		CHECK_EQ(t, ttmpool_populate(&pair[1]->be), 0);
		tpsim_while_waiting(check_machine(t), NULL, NULL);
		CHECK_EQ(t, ttmpool_unpopulate(&pair[1]->be), 0);
		CHECK(t, rig_close(t, rig));
		ttmpool_iova_fini(&iova);
	}
}

/* A signal ends the wait, and nothing has changed. */
static void s06_a_wait_ends_with_a_signal(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, TTMPOOL_WAIT_FOREVER));
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, pair[1]->be.tt.state, TTMPOOL_TT_EMPTY);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A move back to the device waits in the same way; if it waits in vain, the buffer stays
 * where it was. */
static void s06_the_way_back_to_the_device_waits_too(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, 50));
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), 0);
	CHECK(t, buffer_stamp(t, pair[1], 7));
	CHECK_EQ(t, ttmpool_to_anonymous(&pair[1]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&pair[0]->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&pair[1]->be), -ETIMEDOUT);
	CHECK_EQ(t, pair[1]->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	tpsim_while_waiting(check_machine(t), give_back, pair[0]);
	CHECK_EQ(t, ttmpool_to_device(&pair[1]->be), 0);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK(t, buffer_is_stamped(t, pair[1], 7));
	CHECK_EQ(t, ttmpool_unpopulate(&pair[1]->be), 0);
	CHECK(t, rig_close(t, rig));
}

#define NR_BUFFERS 64
#define LIVE       12

/* 16 MiB of buffers come and go, 3 MiB at a time, three times over: all are served,
 * because mappings that are only kept make room. */
static void s06_4_mib_of_space_serve_16_mib_of_buffers(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *bufs[NR_BUFFERS];
	struct tpsim_ledger ledger;

	CHECK(t, rig);
	for (int i = 0; i < NR_BUFFERS; i++) {
		bufs[i] = buffer_of(t, rig, 64, 0);
		CHECK(t, bufs[i]);
		bufs[i]->be.tt.caching = i % 2 ? TTMPOOL_UNCACHED
					       : TTMPOOL_WRITE_COMBINED;
	}
	for (int i = 0; i < 3 * NR_BUFFERS; i++) {
		CHECK_EQ(t, ttmpool_populate(&bufs[i % NR_BUFFERS]->be), 0);
		if (i >= LIVE)
			CHECK_EQ(t,
				 ttmpool_unpopulate(
					 &bufs[(i - LIVE) % NR_BUFFERS]->be),
				 0);
		tpsim_ledger(check_machine(t), &ledger);
		CHECK(t, ledger.mapped_bytes <= SPACE_BYTES);
	}
	for (int i = 0; i < NR_BUFFERS; i++)
		if (bufs[i]->be.tt.state == TTMPOOL_TT_POPULATED)
			CHECK_EQ(t, ttmpool_unpopulate(&bufs[i]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* What happens while a request waits, and then, in its next nap, what serves it. */
struct scene {
	void (*wakes)(struct scene *scene);
	struct buffer *other; /* the buffer that this is about */
	struct buffer *holder;
	struct check *t;
	int naps;
};

static void act(void *arg)
{
	struct scene *scene = arg;

	if (!scene->naps++)
		scene->wakes(scene);
	else
		give_back(scene->holder);
}

/* The mappings of the buffer end, and it keeps its pages. */
static void becomes_anonymous(struct scene *scene)
{
	check_any(ttmpool_to_anonymous(&scene->other->be));
}

static void plan_caching(struct scene *scene)
{
	tpsim_fault_plan(check_machine(scene->t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1 });
}

/* The buffer takes addresses, but cannot use them. */
static void fails_to_return(struct scene *scene)
{
	plan_caching(scene);
	check_any(ttmpool_to_device(&scene->other->be));
	tpsim_fault_clear(check_machine(scene->t));
}

static void fails_to_populate(struct scene *scene)
{
	plan_caching(scene);
	check_any(ttmpool_populate(&scene->other->be));
	tpsim_fault_clear(check_machine(scene->t));
}

/* Coherent pages are mapped as long as they exist. */
static void is_swapped_out(struct scene *scene)
{
	check_any(ttmpool_swapout(&scene->other->be, TTMPOOL_ALL_PAGES));
}

enum start {
	EMPTY,
	POPULATED,
	ANONYMOUS
};

static bool is_woken(struct check *t, void (*wakes)(struct scene *scene),
		     const struct ttmpool_backend_funcs *funcs,
		     enum start start)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct scene scene = { .wakes = wakes, .t = t };
	struct buffer *pair[2];
	int err;

	if (!rig || !open_pair(t, rig, pair, 50))
		return false;
	scene.holder = pair[0];
	scene.other = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
	if (!scene.other ||
	    (start != EMPTY && ttmpool_populate(&scene.other->be)) ||
	    (start == ANONYMOUS && ttmpool_to_anonymous(&scene.other->be)))
		return false;
	tpsim_while_waiting(check_machine(t), act, &scene);
	err = ttmpool_populate(&pair[1]->be);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	if (!err)
		check_any(ttmpool_unpopulate(&pair[1]->be));
	give_back(pair[0]);
	if (scene.other->be.tt.state != TTMPOOL_TT_EMPTY)
		check_any(ttmpool_drop(&scene.other->be));
	return rig_close(t, rig) && !err;
}

/* Whatever frees addresses, a request that waits looks again at once: its time is too
 * short to sleep until the end of the nap. */
static void s06_whatever_frees_space_wakes(struct check *t)
{
	CHECK(t, is_woken(t, becomes_anonymous, &buffer_plain, POPULATED));
	CHECK(t, is_woken(t, is_swapped_out, &buffer_coherent, POPULATED));
	CHECK(t, is_woken(t, fails_to_return, &buffer_plain, ANONYMOUS));
	CHECK(t, is_woken(t, fails_to_populate, &buffer_plain, EMPTY));
}

/* Raise the page budget, but not by as much as is wanted. */
static void raises_budget(struct scene *scene)
{
	ttmpool_manager_set_page_budget(scene->holder->be.pool->mgr, 110);
}

/* A request that waits for pages looks again as soon as the page budget is raised: its
 * time is too short to sleep until the end of the nap. */
static void s06_a_raised_budget_wakes(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 100 });
	struct scene scene = { .wakes = raises_budget, .t = t };
	struct buffer *waiter;

	CHECK(t, rig);
	scene.holder = buffer_of(t, rig, 60, 0);
	waiter = buffer_of(t, rig, 60, 50);
	CHECK(t, scene.holder && waiter);
	CHECK_EQ(t, ttmpool_populate(&scene.holder->be), 0);
	tpsim_while_waiting(check_machine(t), act, &scene);
	CHECK_EQ(t, ttmpool_populate(&waiter->be), 0);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK_EQ(t, ttmpool_unpopulate(&waiter->be), 0);
	CHECK(t, rig_close(t, rig));
}

static void wake_once(void *arg)
{
	struct scene *scene = arg;

	if (!scene->naps++)
		tpos_wake(&scene->holder->be.pool->iova->queue.wait);
}

/* A request that is woken in vain loses no time: it has one nap that did not take place,
 * and two and a half more. */
static void s06_a_wake_in_vain_costs_no_time(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct scene scene = { 0 };
	struct buffer *pair[2];

	CHECK(t, rig && open_pair(t, rig, pair, 250));
	scene.holder = pair[0];
	tpsim_while_waiting(check_machine(t), wake_once, &scene);
	CHECK_EQ(t, ttmpool_populate(&pair[1]->be), -ETIMEDOUT);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	/* and one wait more, after it has asked the machine */
	CHECK_EQ(t, rig_stats(rig).waits, 5);
	CHECK_EQ(t, ttmpool_unpopulate(&pair[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(wait, CHECK_CASE(s06_who_does_not_wait_is_told_at_once),
	    CHECK_CASE(s06_a_wait_ends_with_its_time),
	    CHECK_CASE(s06_a_long_wait_looks_again),
	    CHECK_CASE(s06_a_wait_ends_when_space_comes_back),
	    CHECK_CASE(s06_the_largest_limit_is_like_none),
	    CHECK_CASE(s06_a_wait_ends_with_a_signal),
	    CHECK_CASE(s06_the_way_back_to_the_device_waits_too),
	    CHECK_CASE(s06_4_mib_of_space_serve_16_mib_of_buffers),
	    CHECK_CASE(s06_whatever_frees_space_wakes),
	    CHECK_CASE(s06_a_raised_budget_wakes),
	    CHECK_CASE(s06_a_wake_in_vain_costs_no_time));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages =
							    2 * SPACE_PAGES,
						    .iova_bytes = SPACE_BYTES };

	return check_main(argc, argv, &check_suite_wait, &config);
}
