// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Backends: S1 to S5 of the mail thread of 2011. The backend chooses which functions get
 * a buffer's pages, and only the backend knows the device.
 */

#include "rig_buffer.h"

/* A driver's own backend: its page is one of the system's, which the test lends it. */
struct lent {
	struct ttmpool_backend be;
	tpos_page_t *pages[1];
	tpos_page_t *page;
	int populated, bound, unbound;
};

static struct lent *to_lent(struct ttmpool_backend *be)
{
	return ttmpool_list_entry(be, struct lent, be);
}

static int lent_populate(struct ttmpool_backend *be)
{
	be->tt.pages[0] = to_lent(be)->page;
	to_lent(be)->populated++;
	return 0;
}

static int lent_unpopulate(struct ttmpool_backend *be)
{
	to_lent(be)->populated--;
	return 0;
}

static int lent_bind(struct ttmpool_backend *be)
{
	return to_lent(be)->bound++ ? -ENOSPC : 0;
}

static void lent_unbind(struct ttmpool_backend *be)
{
	to_lent(be)->unbound++;
}

static const struct ttmpool_backend_funcs lent_funcs = {
	.name = "lent",
	.populate = lent_populate,
	.unpopulate = lent_unpopulate,
	.bind = lent_bind,
	.unbind = lent_unbind,
};

static struct lent *lent_open(struct check *t, struct rig *rig)
{
	struct lent *lent = check_zalloc(t, sizeof(*lent));
	struct ttmpool_backend_config config = { .pool = &rig->pool[0],
						 .funcs = &lent_funcs,
						 .pages = lent->pages,
						 .num_pages = 1,
						 .caching = TTMPOOL_CACHED };

	lent->page = check_page_of_system(t);
	return ttmpool_backend_init(&lent->be, &config) ? NULL : lent;
}

/* A driver can bring its own functions; then the pool is not called. */
static void s01_a_driver_brings_its_own_functions(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct lent *lent = rig ? lent_open(t, rig) : NULL;

	CHECK(t, lent);
	CHECK_EQ(t, ttmpool_populate(&lent->be), 0);
	CHECK_EQ(t, lent->populated, 1);
	CHECK(t, lent->pages[0] == lent->page);
	CHECK_EQ(t, rig_stats(rig).takes, 0);
	CHECK_EQ(t, ttmpool_unpopulate(&lent->be), 0);
	CHECK_EQ(t, lent->populated, 0);
	CHECK(t, !lent->pages[0]);
	CHECK(t, rig_close(t, rig));
}

/* Bind and unbind are functions of the backend, too; a bind that fails changes
 * nothing. */
static void s01_bind_and_unbind_are_the_backends(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct lent *lent = rig ? lent_open(t, rig) : NULL;

	CHECK(t, lent);
	CHECK_EQ(t, ttmpool_populate(&lent->be), 0);
	CHECK_EQ(t, ttmpool_bind(&lent->be), 0);
	CHECK_EQ(t, lent->be.tt.state, TTMPOOL_TT_BOUND);
	CHECK_EQ(t, ttmpool_unbind(&lent->be), 0);
	CHECK_EQ(t, lent->unbound, 1);
	CHECK_EQ(t, ttmpool_bind(&lent->be), -ENOSPC);
	CHECK_EQ(t, lent->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, ttmpool_unpopulate(&lent->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A backend cannot end while its buffer has pages. */
static void s01_a_backend_with_pages_cannot_go(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf =
		rig ? buffer_open(t, rig, &(struct buffer_config){ 0 }) : NULL;

	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_backend_fini(&buf->be), -EBUSY);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_backend_fini(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Functions without populate or unpopulate, or with only one of bind and unbind, are
 * refused. */
static void s01_incomplete_functions_are_refused(struct check *t)
{
	struct ttmpool_backend_funcs funcs[4] = { lent_funcs, lent_funcs,
						  lent_funcs, lent_funcs };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	funcs[0].populate = NULL;
	funcs[1].unpopulate = NULL;
	funcs[2].bind = NULL;
	funcs[3].unbind = NULL;
	for (int i = 0; i < 4; i++)
		CHECK(t, !buffer_open(t, rig,
				      &(struct buffer_config){
					      .funcs = &funcs[i] }));
	CHECK(t, rig_close(t, rig));
}

/* A backend without a pool, an array or a page, or with an unknown caching, is
 * refused. */
static void s01_a_backend_of_nothing_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_page_t *pages[1];
	struct ttmpool_backend be;
	struct ttmpool_backend_config good, bad;

	CHECK(t, rig);
	good = (struct ttmpool_backend_config){ .pool = &rig->pool[0],
						.pages = pages,
						.num_pages = 1 };
	CHECK_EQ(t, ttmpool_backend_init(&be, &good), 0);
	bad = good;
	bad.pool = NULL;
	CHECK_EQ(t, ttmpool_backend_init(&be, &bad), -EINVAL);
	bad = good;
	bad.pages = NULL;
	CHECK_EQ(t, ttmpool_backend_init(&be, &bad), -EINVAL);
	bad = good;
	bad.num_pages = 0;
	CHECK_EQ(t, ttmpool_backend_init(&be, &bad), -EINVAL);
	bad = good;
	bad.caching = TTMPOOL_CACHING_COUNT;
	CHECK_EQ(t, ttmpool_backend_init(&be, &bad), -EINVAL);
	bad = good;
	bad.num_pages = (size_t)-1;
	CHECK_EQ(t, ttmpool_backend_init(&be, &bad), -E2BIG);
	CHECK(t, rig_close(t, rig));
}

static bool populate_both(struct buffer *a, struct buffer *b)
{
	return a && b && !ttmpool_populate(&a->be) && !ttmpool_populate(&b->be);
}

static bool unpopulate_both(struct buffer *a, struct buffer *b)
{
	return !ttmpool_unpopulate(&a->be) && !ttmpool_unpopulate(&b->be);
}

/* Plain and coherent buffers can be populated at the same time on one device. */
static void s02_both_kinds_on_one_device(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *plain, *coherent;

	CHECK(t, rig);
	plain = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_plain,
					 .num_pages = 5,
					 .caching = TTMPOOL_WRITE_COMBINED });
	coherent = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_coherent,
					 .num_pages = 5,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, populate_both(plain, coherent));
	CHECK(t, buffer_fill(t, plain, 0x11));
	CHECK(t, buffer_fill(t, coherent, 0x22));
	CHECK(t, buffer_holds(t, plain, 0x11));
	CHECK(t, buffer_holds(t, coherent, 0x22));
	CHECK(t, unpopulate_both(plain, coherent));
	CHECK(t, ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 2));
	CHECK(t, ttmpool_pool_count(&rig->pool[0], TTMPOOL_COHERENT,
				    TTMPOOL_WRITE_COMBINED, 0));
	CHECK(t, rig_close(t, rig));
}

/* They can also be populated at the same time on two devices of one manager. */
static void s02_both_kinds_on_two_devices(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct buffer *plain, *coherent;

	CHECK(t, rig);
	plain = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &ttmpool_backend_plain });
	coherent = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .funcs = &ttmpool_backend_coherent });
	CHECK(t, populate_both(plain, coherent));
	CHECK(t, buffer_fill(t, plain, 0x33));
	CHECK(t, buffer_fill(t, coherent, 0x44));
	CHECK(t,
	      check_device_holds(t, rig->dev[1], coherent->dma_addr[0], 0x44));
	CHECK(t, buffer_holds(t, plain, 0x33));
	CHECK(t, unpopulate_both(plain, coherent));
	CHECK(t, rig_close(t, rig));
}

/* A backend that is given no functions gets those that fit its device. */
static void s03_the_device_decides_when_the_backend_starts(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpos_device_info info;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig, &(struct buffer_config){ 0 });
	CHECK(t, buf);
	tpos_device_query(rig->dev[0], &info);
	CHECK(t, buf->be.funcs == (info.bounces ? &ttmpool_backend_coherent
						: &ttmpool_backend_plain));
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* The backend's array has one address for each page; unpopulate clears addresses and
 * pages. */
static void s04_the_backend_owns_the_dma_addresses(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig, &(struct buffer_config){ .num_pages = 7 });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, buf->be.dma_addr == buf->dma_addr);
	CHECK(t, buffer_fill(t, buf, 0x5a));
	for (int i = 0; i < 7; i++)
		CHECK(t, check_device_holds(t, rig->dev[0], buf->dma_addr[i],
					    0x5a));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	for (int i = 0; i < 7; i++)
		CHECK(t, !buf->dma_addr[i] && !buf->pages[i]);
	CHECK(t, rig_close(t, rig));
}

/* A backend without addresses gets pages, and the pool maps nothing for it. */
static void s04_without_addresses_nothing_is_mapped(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 7,
					 .funcs = &ttmpool_backend_plain,
					 .unmapped = true });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).maps, 0);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	CHECK(t, buffer_fill(t, buf, 1));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Populate sets the caching of pages, and their release resets it to cached. */
static void s05_the_pool_sets_the_caching(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
		enum ttmpool_caching caching = (enum ttmpool_caching)c;
		struct buffer *buf = buffer_open(
			t, rig,
			&(struct buffer_config){ .num_pages = 21,
						 .caching = caching });
		tpos_page_t *page;

		CHECK(t, buf);
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		CHECK(t, buffer_is_of(t, buf, caching));
		page = buf->pages[20];
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		ttmpool_pool_drain(&rig->pool[0]);
		CHECK_EQ(t, check_caching(t, page), TTMPOOL_CACHED);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(backend, CHECK_CASE(s01_a_driver_brings_its_own_functions),
	    CHECK_CASE(s01_bind_and_unbind_are_the_backends),
	    CHECK_CASE(s01_a_backend_with_pages_cannot_go),
	    CHECK_CASE(s01_incomplete_functions_are_refused),
	    CHECK_CASE(s01_a_backend_of_nothing_is_refused),
	    CHECK_CASE(s02_both_kinds_on_one_device),
	    CHECK_CASE(s02_both_kinds_on_two_devices),
	    CHECK_CASE(s03_the_device_decides_when_the_backend_starts),
	    CHECK_CASE(s04_the_backend_owns_the_dma_addresses),
	    CHECK_CASE(s04_without_addresses_nothing_is_mapped),
	    CHECK_CASE(s05_the_pool_sets_the_caching));
