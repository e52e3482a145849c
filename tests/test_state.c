// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * States: which state of a buffer may follow which, every operation in every reachable
 * state, and what teardown does with buffers that were not ended.
 */

#include "rig_buffer.h"

/* One row for each state: the states that may follow it, in the order of the enum. */
static const char *const may_become[TTMPOOL_TT_STATE_COUNT] = {
	/* E P B A S p */
	"010100", /* empty */
	"101111", /* populated */
	"010000", /* bound */
	"110011", /* anonymous */
	"110001", /* swapped */
	"110010", /* partial */
};

/* The library's table of buffer states equals this one, cell by cell. */
static void the_state_table_is_the_documented_one(struct check *t)
{
	for (int i = 0; i < TTMPOOL_TT_STATE_COUNT; i++)
		for (int j = 0; j < TTMPOOL_TT_STATE_COUNT; j++)
			CHECK_EQ(
				t,
				ttmpool_tt_may_become((enum ttmpool_tt_state)i,
						      (enum ttmpool_tt_state)j),
				may_become[i][j] == '1');
}

/* The same for chunks. */
static const char *const chunk_may_become[TTMPOOL_CHUNK_STATE_COUNT] = {
	/* F P U L Q */
	"01101", /* fresh */
	"01111", /* pooled */
	"00010", /* in use */
	"01101", /* leaving */
	"00000", /* quarantined */
};

/* The library's table of chunk states equals this one, cell by cell, and allows nothing
 * outside it. */
static void the_chunk_table_is_the_documented_one(struct check *t)
{
	for (int i = 0; i <= TTMPOOL_CHUNK_STATE_COUNT; i++)
		for (int j = 0; j <= TTMPOOL_CHUNK_STATE_COUNT; j++) {
			bool inside = i < TTMPOOL_CHUNK_STATE_COUNT &&
				      j < TTMPOOL_CHUNK_STATE_COUNT;

			CHECK_EQ(t,
				 ttmpool_chunk_may_become(
					 (enum ttmpool_chunk_state)i,
					 (enum ttmpool_chunk_state)j),
				 inside && chunk_may_become[i][j] == '1');
		}
}

/* No state may become an unknown one, and an unknown state may become nothing. */
static void what_is_no_state_is_not_legal(struct check *t)
{
	CHECK(t,
	      !ttmpool_tt_may_become(TTMPOOL_TT_STATE_COUNT, TTMPOOL_TT_EMPTY));
	CHECK(t,
	      !ttmpool_tt_may_become(TTMPOOL_TT_EMPTY, TTMPOOL_TT_STATE_COUNT));
}

/* Every state has a name of its own. */
static void every_state_has_a_name(struct check *t)
{
	const char *unknown = ttmpool_tt_state_name(TTMPOOL_TT_STATE_COUNT);

	for (int i = 0; i < TTMPOOL_TT_STATE_COUNT; i++) {
		const char *name =
			ttmpool_tt_state_name((enum ttmpool_tt_state)i);

		CHECK(t, name && name != unknown);
		for (int j = 0; j < i; j++)
			CHECK(t, name != ttmpool_tt_state_name(
						 (enum ttmpool_tt_state)j));
	}
}

typedef int (*verb)(struct ttmpool_backend *be);

static int swapout_all(struct ttmpool_backend *be)
{
	return ttmpool_swapout(be, TTMPOOL_ALL_PAGES);
}

/* A second call swaps out the rest, even if that is a single page. */
static int swapout_some(struct ttmpool_backend *be)
{
	return ttmpool_swapout(be, 3);
}

static int swapin_all(struct ttmpool_backend *be)
{
	return ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
}

static const verb verbs[] = { ttmpool_populate,     ttmpool_unpopulate,
			      ttmpool_bind,         ttmpool_unbind,
			      ttmpool_to_anonymous, ttmpool_to_device,
			      swapout_all,          swapout_some,
			      swapin_all,           ttmpool_drop };

#define NR_VERBS ((int)(sizeof(verbs) / sizeof(*verbs)))

/* The state that each verb leads to, by its letter; '-': the verb is refused. */
static const char *const leads_to[TTMPOOL_TT_STATE_COUNT] = {
	/* populate, unpopulate, bind, unbind, to_anonymous, to_device,
	 * swap out all, some, swap in, drop */
	[TTMPOOL_TT_EMPTY] = "P---------",
	[TTMPOOL_TT_POPULATED] = "-EB-A-Sp-E",
	[TTMPOOL_TT_BOUND] = "---P------",
	[TTMPOOL_TT_ANONYMOUS] = "-----PSp-E",
	[TTMPOOL_TT_SWAPPED] = "--------PE",
	[TTMPOOL_TT_PARTIAL] = "------SSPE",
};

static const char letters[] = "EPBASp";

/* Bring a buffer from any state to another. */
static bool bring_to(struct buffer *buf, int state)
{
	struct ttmpool_backend *be = &buf->be;

	if (be->tt.state == TTMPOOL_TT_BOUND)
		ttmpool_unbind(be);
	if (be->tt.state != TTMPOOL_TT_EMPTY)
		check_any(ttmpool_drop(be));
	if (state != TTMPOOL_TT_EMPTY)
		check_any(ttmpool_populate(be));
	if (state == TTMPOOL_TT_BOUND)
		check_any(ttmpool_bind(be));
	if (state == TTMPOOL_TT_ANONYMOUS)
		check_any(ttmpool_to_anonymous(be));
	if (state == TTMPOOL_TT_SWAPPED)
		swapout_all(be);
	if (state == TTMPOOL_TT_PARTIAL)
		swapout_some(be);
	return (int)be->tt.state == state;
}

/* Does a verb do what the table says, or return -EINVAL and change nothing? And does the
 * table of states allow the change? */
static bool is_as_the_table_says(struct buffer *buf, int state, int v)
{
	const char *to;
	int err;

	if (!bring_to(buf, state))
		return false;
	err = verbs[v](&buf->be);
	if (!ttmpool_backend_is_valid(&buf->be))
		return false;
	if (leads_to[state][v] == '-')
		return err == -EINVAL && (int)buf->be.tt.state == state;
	for (to = letters; *to != leads_to[state][v]; to++)
		;
	return !err && (int)buf->be.tt.state == (int)(to - letters) &&
	       ((int)buf->be.tt.state == state ||
		ttmpool_tt_may_become((enum ttmpool_tt_state)state,
				      buf->be.tt.state));
}

/* Every verb behaves as the table says in every state, for plain and for coherent
 * buffers. */
static void f33_every_verb_in_every_state(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		buf = buffer_open(t, rig,
				  &(struct buffer_config){
					  .num_pages = 5,
					  .caching = TTMPOOL_WRITE_COMBINED,
					  .funcs = source ? &buffer_coherent
							  : &buffer_plain });
		CHECK(t, buf);
		for (int i = 0; i < TTMPOOL_TT_STATE_COUNT * NR_VERBS; i++)
			CHECK(t, is_as_the_table_says(buf, i / NR_VERBS,
						      i % NR_VERBS));
		CHECK(t, bring_to(buf, TTMPOOL_TT_EMPTY));
	}
	CHECK(t, rig_close(t, rig));
}

/* A swapout or swapin of no page is refused. */
static void moving_no_page_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig, &(struct buffer_config){ .num_pages = 5 });
	CHECK(t, buf);
	CHECK(t, bring_to(buf, TTMPOOL_TT_PARTIAL));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 0), -EINVAL);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, 0), -EINVAL);
	CHECK(t, bring_to(buf, TTMPOOL_TT_EMPTY));
	CHECK(t, rig_close(t, rig));
}

/* A buffer whose state and pages disagree is not valid. */
static void a_buffer_that_disagrees_with_itself_is_not_valid(struct check *t)
{
	tpos_page_t *page = check_page_of_system(t);
	tpos_page_t *pages[2] = { NULL, NULL };
	struct ttmpool_tt tt = { .pages = pages, .num_pages = 2 };

	CHECK(t, ttmpool_tt_is_valid(&tt));
	pages[1] = page;
	CHECK(t, !ttmpool_tt_is_valid(&tt));
	tt.state = TTMPOOL_TT_PARTIAL;
	CHECK(t, ttmpool_tt_is_valid(&tt));
	tt.state = TTMPOOL_TT_ANONYMOUS;
	CHECK(t, !ttmpool_tt_is_valid(&tt));
	pages[0] = page;
	CHECK(t, ttmpool_tt_is_valid(&tt));
	tt.state = TTMPOOL_TT_SWAPPED;
	CHECK(t, !ttmpool_tt_is_valid(&tt));
	tt.state = TTMPOOL_TT_STATE_COUNT;
	CHECK(t, !ttmpool_tt_is_valid(&tt));
}

/* A manager with a pool cannot end. */
static void a_manager_with_pools_cannot_end(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	CHECK(t, rig_close(t, rig));
}

/* Teardown reports the chunks that are still in use, ends their charge, and keeps the
 * pages in quarantine until the caller purges it. */
static void teardown_quarantines_what_is_in_use(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner *owner = check_zalloc(t, sizeof(*owner));
	struct ttmpool_manager_stats stats;
	struct buffer *stray, *good;

	CHECK(t, rig && owner);
	ttmpool_owner_init(owner, "forgetful");
	stray = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 5,
					 .owner = owner,
					 .caching = TTMPOOL_WRITE_COMBINED });
	good = buffer_open(t, rig, &(struct buffer_config){ .num_pages = 3 });
	CHECK(t, stray && good);
	CHECK_EQ(t, ttmpool_populate(&stray->be), 0);
	CHECK_EQ(t, buffer_cycle(good), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 5);
	rig->nr_pools = 0;
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_IN_USE), 2);
	CHECK_EQ(t, ttmpool_owner_pages(owner, TTMPOOL_IN_USE), 0);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_quarantined, 5);
	CHECK_EQ(t, stats.pages, 5);
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	/* A lower budget does not release quarantined pages. */
	ttmpool_manager_set_page_budget(&rig->mgr, 0);
	CHECK_EQ(t, check_pages_out(t), 5);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* Teardown quarantines coherent pages that are in use, unmapped, too. */
static void teardown_quarantines_coherent_pages_too(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *stray;

	CHECK(t, rig);
	stray = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 2,
					 .caching = TTMPOOL_CACHED,
					 .funcs = &ttmpool_backend_coherent });
	CHECK(t, stray);
	CHECK_EQ(t, ttmpool_populate(&stray->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 2);
	rig->nr_pools = 0;
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* Ways to corrupt a chunk; each is undone by doing it again. */
static void swap_state(struct ttmpool_chunk *chunk)
{
	chunk->state ^= TTMPOOL_CHUNK_POOLED ^ TTMPOOL_CHUNK_LEAVING;
}

static void swap_pool(struct ttmpool_chunk *chunk)
{
	static struct ttmpool_pool *kept;
	struct ttmpool_pool *was = chunk->pool;

	chunk->pool = kept;
	kept = was;
}

static void swap_order(struct ttmpool_chunk *chunk)
{
	chunk->order ^= 0xc;
}

static void swap_small_order(struct ttmpool_chunk *chunk)
{
	chunk->order ^= 1;
}

static void swap_page(struct ttmpool_chunk *chunk)
{
	chunk->page = chunk->order ? tpos_page_nth(chunk->page, 1)
				   : tpos_page_nth(chunk->page, (size_t)-1);
	chunk->order ^= 1;
}

static void swap_caching(struct ttmpool_chunk *chunk)
{
	chunk->caching ^= TTMPOOL_UNCACHED ^ TTMPOOL_WRITE_COMBINED;
}

static void swap_clean(struct ttmpool_chunk *chunk)
{
	chunk->flags ^= TTMPOOL_CHUNK_CLEAN;
}

static void swap_source(struct ttmpool_chunk *chunk)
{
	chunk->flags ^= TTMPOOL_CHUNK_FROM_COHERENT;
}

static void swap_remembers(struct ttmpool_chunk *chunk)
{
	chunk->flags ^= TTMPOOL_CHUNK_REMEMBERS;
}

static void swap_age(struct ttmpool_chunk *chunk)
{
	static uint64_t kept = (uint64_t)-1;
	uint64_t was = chunk->age;

	chunk->age = kept;
	kept = was;
}

typedef void (*corruption)(struct ttmpool_chunk *chunk);

static const corruption of_any[] = { swap_state, swap_pool, swap_order,
				     swap_page };
static const corruption of_pooled[] = { swap_small_order, swap_caching,
					swap_clean,       swap_source,
					swap_remembers,   swap_age };

/* Is the pool valid, invalid while the chunk is corrupted, and valid again? */
static bool is_noticed(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk,
		       corruption corrupt)
{
	bool noticed = ttmpool_pool_is_valid(pool);

	corrupt(chunk);
	noticed &= !ttmpool_pool_is_valid(pool);
	corrupt(chunk);
	return noticed && ttmpool_pool_is_valid(pool);
}

/* The check of invariants finds every such corruption of a chunk. */
static void no_wrong_chunk_passes_for_valid(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunk;
	struct ttmpool_pool *pool;
	struct buffer *buf;

	CHECK(t, rig);
	pool = &rig->pool[0];
	buf = buffer_open(
		t, rig, &(struct buffer_config){ .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	chunk = ttmpool_chunk_of(pool->in_use.next);
	for (size_t i = 0; i < sizeof(of_any) / sizeof(*of_any); i++)
		CHECK(t, is_noticed(pool, chunk, of_any[i]));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	for (size_t i = 0; i < sizeof(of_any) / sizeof(*of_any); i++)
		CHECK(t, is_noticed(pool, chunk, of_any[i]));
	for (size_t i = 0; i < sizeof(of_pooled) / sizeof(*of_pooled); i++)
		CHECK(t, is_noticed(pool, chunk, of_pooled[i]));
	CHECK(t, rig_close(t, rig));
}

/* It also finds a chunk that wrongly claims to remember its last owner, or not to. */
static void no_lost_memory_passes_for_valid(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_chunk *chunk;
	struct buffer *buf;
	struct rig *rig;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	chunk = ttmpool_chunk_of(rig->pool[0].in_use.next);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, is_noticed(&rig->pool[0], chunk, swap_remembers));
	CHECK(t, rig_close(t, rig));
}

/* Do the checks of the pool and of the manager both find the wrong counter? */
static bool both_notice(struct rig *rig)
{
	return !ttmpool_pool_is_valid(&rig->pool[0]) &&
	       !ttmpool_manager_is_valid(&rig->mgr);
}

/* Is it noticed when one is added to the counter? */
static bool is_counted(struct rig *rig, uint64_t *counter)
{
	bool noticed;

	(*counter)++;
	noticed = both_notice(rig);
	(*counter)--;
	return noticed && ttmpool_manager_is_valid(&rig->mgr);
}

static bool is_summed(struct rig *rig, tpos_atomic_t *sum)
{
	bool noticed;

	tpos_atomic_add_return(1, sum);
	noticed = !ttmpool_manager_is_valid(&rig->mgr);
	tpos_atomic_add_return(-1, sum);
	return noticed && ttmpool_manager_is_valid(&rig->mgr);
}

/* The check finds every counter that is not the sum of what it counts. */
static void no_wrong_counter_passes_for_valid(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct ttmpool_pool_stats *stats;
	struct ttmpool_bin *bin;
	struct buffer *buf;

	CHECK(t, rig);
	stats = &rig->pool[0].stats;
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, is_counted(rig, &stats->pages_pooled));
	CHECK(t, is_counted(rig, &stats->pages_in_use));
	CHECK(t, is_counted(rig, &stats->bytes_mapped));
	rig->pool[0].pooled_mapped++;
	CHECK(t, both_notice(rig));
	rig->pool[0].pooled_mapped--;
	CHECK(t, is_summed(rig, &rig->mgr.pages));
	CHECK(t, is_summed(rig, &rig->mgr.pages_pooled));
	CHECK(t, is_summed(rig, &rig->mgr.pages_kept));
	CHECK(t, is_summed(rig, &rig->mgr.pages_quarantined));
	bin = &rig->pool[0].bins[TTMPOOL_PLAIN][TTMPOOL_UNCACHED][0];
	bin->nr_chunks++;
	CHECK(t, !ttmpool_pool_is_valid(&rig->pool[0]));
	bin->nr_chunks--;
	CHECK(t, rig_close(t, rig));
}

/* The check finds a quarantined chunk that is in another state, or is mapped. */
static void no_wrong_quarantine_passes_for_valid(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunk;
	struct buffer *stray;

	CHECK(t, rig);
	stray = buffer_open(t, rig, &(struct buffer_config){ 0 });
	CHECK(t, stray);
	CHECK_EQ(t, ttmpool_populate(&stray->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 1);
	rig->nr_pools = 0;
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	chunk = ttmpool_chunk_of(rig->mgr.quarantine.next);
	chunk->state = TTMPOOL_CHUNK_IN_USE;
	CHECK(t, !ttmpool_manager_is_valid(&rig->mgr));
	chunk->state = TTMPOOL_CHUNK_QUARANTINED;
	chunk->flags ^= TTMPOOL_CHUNK_MAPPED;
	CHECK(t, !ttmpool_manager_is_valid(&rig->mgr));
	chunk->flags ^= TTMPOOL_CHUNK_MAPPED;
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(state, CHECK_CASE(the_state_table_is_the_documented_one),
	    CHECK_CASE(the_chunk_table_is_the_documented_one),
	    CHECK_CASE(what_is_no_state_is_not_legal),
	    CHECK_CASE(every_state_has_a_name),
	    CHECK_CASE(f33_every_verb_in_every_state),
	    CHECK_CASE(moving_no_page_is_refused),
	    CHECK_CASE(a_buffer_that_disagrees_with_itself_is_not_valid),
	    CHECK_CASE(a_manager_with_pools_cannot_end),
	    CHECK_CASE(teardown_quarantines_what_is_in_use),
	    CHECK_CASE(teardown_quarantines_coherent_pages_too),
	    CHECK_CASE(no_wrong_chunk_passes_for_valid),
	    CHECK_CASE(no_lost_memory_passes_for_valid),
	    CHECK_CASE(no_wrong_counter_passes_for_valid),
	    CHECK_CASE(no_wrong_quarantine_passes_for_valid));
