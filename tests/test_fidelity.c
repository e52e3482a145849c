// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Fidelity: the same script of operations in both worlds. Each step logs what it
 * returned, the state of its buffer, and its cost: chunks by order, caching batches,
 * maps, unmaps, cleared pages. The log of the simulated machine and that of a kernel
 * behind the same kind of IOMMU must be the same, line by line; a difference counts as a
 * bug of the machine until proven otherwise.
 *
 * The worlds may differ only by these rules, without exceptions:
 *
 * - No chunk is larger than 16 pages, so that a freshly booted kernel has such chunks as
 * surely as the machine. A step that had to fall back to smaller ones would log that, and
 * be a difference.
 * - Addresses are not in the log: each world has its own.
 */

#include "rig_buffer.h"

#define NR_BUFFERS   4
#define SCRIPT_ORDER 4

enum verb {
	POPULATE,
	UNPOPULATE,
	BIND,
	UNBIND,
	FILL,
	HOLDS,
	SWAPOUT,
	SWAPIN,
	ANONYMOUS,
	DEVICE,
	DROP,
	GIVE_TWICE,
	SHRINK,
	LIMIT,
	RESERVE,
	SCRUB,
	PRIME,
	DRAIN,
};

static const char *const verbs[] = {
	[POPULATE] = "populate",
	[UNPOPULATE] = "unpopulate",
	[BIND] = "bind",
	[UNBIND] = "unbind",
	[FILL] = "fill",
	[HOLDS] = "holds",
	[SWAPOUT] = "swapout",
	[SWAPIN] = "swapin",
	[ANONYMOUS] = "to_anonymous",
	[DEVICE] = "to_device",
	[DROP] = "drop",
	[GIVE_TWICE] = "give",
	[SHRINK] = "shrink",
	[LIMIT] = "limit",
	[RESERVE] = "reserve",
	[SCRUB] = "scrub",
	[PRIME] = "prime",
	[DRAIN] = "drain",
};

/* @buf: which buffer; @n: a number of pages, or a byte */
struct step {
	enum verb verb;
	int buf;
	size_t n;
};

/* The size and kind of each buffer. */
static const struct {
	size_t num_pages;
	enum ttmpool_caching caching;
	bool coherent;
} kinds[NR_BUFFERS] = {
	{ 77, TTMPOOL_WRITE_COMBINED, false },
	{ 21, TTMPOOL_UNCACHED, false },
	{ 40, TTMPOOL_CACHED, false },
	{ 33, TTMPOOL_WRITE_COMBINED, true },
};

static const struct step script[] = {
	{ POPULATE, 0, 0 },   { HOLDS, 0, 0 },      { FILL, 0, 0x5a },
	{ HOLDS, 0, 0x5a },   { BIND, 0, 0 },       { UNPOPULATE, 0, 0 },
	{ UNBIND, 0, 0 },     { UNPOPULATE, 0, 0 }, { UNPOPULATE, 0, 0 },
	{ POPULATE, 0, 0 },   { HOLDS, 0, 0 },      { GIVE_TWICE, 0, 0 },
	{ POPULATE, 1, 0 },   { POPULATE, 2, 0 },   { POPULATE, 3, 0 },
	{ FILL, 3, 0x33 },    { HOLDS, 3, 0x33 },   { HOLDS, 2, 0 },
	{ UNPOPULATE, 2, 0 }, { UNPOPULATE, 1, 0 }, { UNPOPULATE, 3, 0 },
	{ POPULATE, 3, 0 },   { HOLDS, 3, 0 },      { UNPOPULATE, 3, 0 },
	{ SCRUB, 0, 16 },     { POPULATE, 0, 0 },   { UNPOPULATE, 0, 0 },
	{ RESERVE, 0, 20 },   { SHRINK, 0, 1 },     { SHRINK, 0, 30 },
	{ SHRINK, 0, 1000 },  { LIMIT, 0, 10 },     { RESERVE, 0, 0 },
	{ LIMIT, 0, 10 },     { POPULATE, 0, 0 },   { UNPOPULATE, 0, 0 },
	{ LIMIT, 0, 1000 },   { PRIME, 1, 42 },     { POPULATE, 1, 0 },
	{ HOLDS, 1, 0 },      { UNPOPULATE, 1, 0 }, { DRAIN, 0, 0 },
	{ POPULATE, 0, 0 },   { FILL, 0, 0x17 },    { SWAPOUT, 0, 30 },
	{ SWAPOUT, 0, 77 },   { SWAPIN, 0, 12 },    { SWAPOUT, 0, 77 },
	{ SWAPIN, 0, 77 },    { HOLDS, 0, 0x17 },   { ANONYMOUS, 0, 0 },
	{ HOLDS, 0, 0x17 },   { DEVICE, 0, 0 },     { HOLDS, 0, 0x17 },
	{ SWAPOUT, 0, 1 },    { SWAPIN, 0, 77 },    { HOLDS, 0, 0x17 },
	{ UNPOPULATE, 0, 0 }, { POPULATE, 3, 0 },   { FILL, 3, 0x29 },
	{ ANONYMOUS, 3, 0 },  { HOLDS, 3, 0x29 },   { SWAPOUT, 3, 10 },
	{ SWAPIN, 3, 33 },    { HOLDS, 3, 0x29 },   { ANONYMOUS, 3, 0 },
	{ DEVICE, 3, 0 },     { HOLDS, 3, 0x29 },   { SWAPOUT, 3, 33 },
	{ DROP, 3, 0 },       { DRAIN, 0, 0 },
};

struct world {
	struct rig *rig;
	struct buffer *bufs[NR_BUFFERS];
	struct ttmpool_pool_stats before;
};

static long long give_twice(struct world *w, struct buffer *buf)
{
	size_t n = buf->be.tt.num_pages;
	int first = ttmpool_unpopulate(&buf->be);

	if (first)
		return first;
	return ttmpool_pool_give(&w->rig->pool[0], buf->pages, n,
				 buf->be.tt.caching);
}

static long long prime(struct world *w, int kind, size_t n)
{
	struct ttmpool_request req = {
		.source = kinds[kind].coherent ? TTMPOOL_COHERENT
					       : TTMPOOL_PLAIN,
		.caching = kinds[kind].caching,
		.num_pages = n,
	};

	return ttmpool_pool_prime(&w->rig->pool[0], &req, true);
}

/* The verbs that work on one buffer. */
static long long play_buffer(struct check *t, struct world *w,
			     const struct step *step)
{
	struct buffer *buf = w->bufs[step->buf];

	switch (step->verb) {
	case POPULATE:
		return ttmpool_populate(&buf->be);
	case UNPOPULATE:
		return ttmpool_unpopulate(&buf->be);
	case BIND:
		return ttmpool_bind(&buf->be);
	case UNBIND:
		return ttmpool_unbind(&buf->be);
	case FILL:
		return buffer_fill(t, buf, (unsigned char)step->n);
	case HOLDS:
		return buffer_holds(t, buf, (unsigned char)step->n);
	case SWAPOUT:
		return ttmpool_swapout(&buf->be, step->n);
	case SWAPIN:
		return ttmpool_swapin(&buf->be, step->n);
	case ANONYMOUS:
		return ttmpool_to_anonymous(&buf->be);
	case DEVICE:
		return ttmpool_to_device(&buf->be);
	case DROP:
		return ttmpool_drop(&buf->be);
	default:
		return give_twice(w, buf);
	}
}

static long long play(struct check *t, struct world *w, const struct step *step)
{
	struct rig *rig = w->rig;

	switch (step->verb) {
	case SHRINK:
		return (long long)ttmpool_manager_shrink_scan(&rig->mgr,
							      step->n, true);
	case LIMIT:
		ttmpool_manager_set_pool_limit(&rig->mgr, step->n);
		return 0;
	case RESERVE:
		ttmpool_pool_reserve(&rig->pool[0], step->n);
		return 0;
	case SCRUB:
		return (long long)ttmpool_pool_scrub(&rig->pool[0], step->n);
	case PRIME:
		return prime(w, step->buf, step->n);
	case DRAIN:
		return (long long)ttmpool_pool_drain(&rig->pool[0]);
	default:
		return play_buffer(t, w, step);
	}
}

static void log_cost(struct check *t, struct world *w)
{
	const struct ttmpool_pool_stats *a = &w->before;
	struct ttmpool_pool_stats b = rig_stats(w->rig);
	unsigned int shift = w->rig->pool[0].info.page_shift;

	check_log(t,
		  "  pages: %llu hit, %llu fresh, %llu released, %llu cleared",
		  (unsigned long long)(b.pages_hit - a->pages_hit),
		  (unsigned long long)(b.pages_fresh - a->pages_fresh),
		  (unsigned long long)(b.pages_released - a->pages_released),
		  (unsigned long long)((b.bytes_cleared - a->bytes_cleared) >>
				       shift));
	check_log(t, "  caching: %llu batches, %llu pages; fallbacks: %llu",
		  (unsigned long long)(b.caching_batches - a->caching_batches),
		  (unsigned long long)(b.caching_pages - a->caching_pages),
		  (unsigned long long)(b.fallbacks - a->fallbacks));
	check_log(t,
		  "  dma: %llu maps in %llu, %llu unmaps in %llu, %llu pages, "
		  "%llu held",
		  (unsigned long long)(b.maps - a->maps),
		  (unsigned long long)(b.map_batches - a->map_batches),
		  (unsigned long long)(b.unmaps - a->unmaps),
		  (unsigned long long)(b.unmap_batches - a->unmap_batches),
		  (unsigned long long)(b.bytes_mapped >> shift),
		  (unsigned long long)(b.bytes_held >> shift));
	check_log(t,
		  "  contents: %llu copied, %llu stored, %llu restored; "
		  "%llu splits; %llu anonymous, %llu swapped",
		  (unsigned long long)((b.bytes_copied - a->bytes_copied) >>
				       shift),
		  (unsigned long long)((b.bytes_stored - a->bytes_stored) >>
				       shift),
		  (unsigned long long)((b.bytes_restored - a->bytes_restored) >>
				       shift),
		  (unsigned long long)(b.splits - a->splits),
		  (unsigned long long)b.pages_anonymous,
		  (unsigned long long)b.pages_swapped);
	w->before = b;
}

static void log_bins(struct check *t, struct world *w)
{
	struct ttmpool_pool *pool = &w->rig->pool[0];

	for (int s = 0; s < TTMPOOL_SOURCE_COUNT; s++)
		for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
			size_t n[SCRIPT_ORDER + 1], all = 0;

			for (unsigned int o = 0; o <= SCRIPT_ORDER; o++) {
				n[o] = ttmpool_pool_count(
					pool, (enum ttmpool_source)s,
					(enum ttmpool_caching)c, o);
				all += n[o];
			}
			if (all)
				check_log(t,
					  "  pooled %d/%d: %zu %zu %zu %zu %zu",
					  s, c, n[0], n[1], n[2], n[3], n[4]);
		}
}

static bool world_open(struct check *t, struct world *w)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.max_order = SCRIPT_ORDER;
	policy.refill = true;
	w->rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	for (int i = 0; w->rig && i < NR_BUFFERS; i++) {
		w->bufs[i] = buffer_open(
			t, w->rig,
			&(struct buffer_config){
				.num_pages = kinds[i].num_pages,
				.caching = kinds[i].caching,
				.funcs = kinds[i].coherent
						 ? &ttmpool_backend_coherent
						 : &ttmpool_backend_plain });
		if (!w->bufs[i])
			return false;
	}
	return w->rig;
}

/* After every step all counters agree, and the step has written its log lines. */
static void the_script_runs_in_both_worlds(struct check *t)
{
	struct world *w = check_zalloc(t, sizeof(*w));

	CHECK(t, w && world_open(t, w));
	for (size_t i = 0; i < sizeof(script) / sizeof(*script); i++) {
		const struct step *step = &script[i];
		const struct ttmpool_tt *tt = &w->bufs[step->buf]->be.tt;
		long long result = play(t, w, step);

		check_log(t, "%zu %s %d %zu: %d, %s", i, verbs[step->verb],
			  step->buf, step->n, (int)result,
			  ttmpool_tt_state_name(tt->state));
		log_cost(t, w);
		log_bins(t, w);
		CHECK(t, rig_is_quiet(t, w->rig));
	}
	CHECK(t, rig_close(t, w->rig));
}

CHECK_SUITE(fidelity, CHECK_CASE(the_script_runs_in_both_worlds));
