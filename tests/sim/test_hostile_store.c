// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A store that lies. The linker puts our function in front of the machine's: it reports
 * that it has read a page, but the page is not what was stored. With policy.checksum the
 * library must not hand out such a page; without it, the library trusts the store.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define PAGES 13 /* chunks of 8, 4 and 1 */
#define SEED  0x42

int __wrap_tpos_store_read(tpos_store_t *store, size_t index,
			   const struct tpos_span *to);
int __real_tpos_store_read(tpos_store_t *store, size_t index,
			   const struct tpos_span *to);

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);

/* The number of pages that were out when the store was given the last page. */
static struct check *watched;
static size_t out_at_last;

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	if (watched)
		out_at_last = check_pages_out(watched);
	return __real_tpos_store_write(store, index, from);
}

void __wrap_tpos_wake(struct tpos_wait *wait);
void __real_tpos_wake(struct tpos_wait *wait);

/* The number of bytes that were mapped when waiters were woken the last time. */
static struct rig *woken_rig;
static uint64_t mapped_at_last_wake;

void __wrap_tpos_wake(struct tpos_wait *wait)
{
	if (woken_rig)
		mapped_at_last_wake = rig_stats(woken_rig).bytes_mapped;
	__real_tpos_wake(wait);
}

/* What happens to a page when the store reads it. */
enum lie {
	LIE_NONE,
	LIE_FIRST_BIT,
	LIE_MIDDLE_BIT,
	LIE_LAST_BIT,
	LIE_ZEROES,
	LIE_OTHER_PAGE,
	LIE_COUNT,
};

static struct tpsim_machine *machine;
static enum lie lie;
static size_t lie_at; /* the page of the buffer */

static void spoil(tpos_page_t *page)
{
	size_t size = tpsim_page_size(machine);
	unsigned char *bytes = tpsim_page_address(machine, page);

	switch (lie) {
	case LIE_FIRST_BIT:
		bytes[0] ^= 1;
		break;
	case LIE_MIDDLE_BIT:
		bytes[size / 2] ^= 0x10;
		break;
	case LIE_LAST_BIT:
		bytes[size - 1] ^= 0x80;
		break;
	default:
		memset(bytes, 0, size);
		break;
	}
}

int __wrap_tpos_store_read(tpos_store_t *store, size_t index,
			   const struct tpos_span *to)
{
	bool lies = lie != LIE_NONE && index == lie_at;
	int err;

	if (lies && lie == LIE_OTHER_PAGE)
		return __real_tpos_store_read(store, PAGES - 1 - index, to);
	err = __real_tpos_store_read(store, index, to);
	if (!err && lies)
		spoil(tpos_page_nth(to->chunk->page, to->first));
	return err;
}

static struct rig *open_rig(struct check *t, bool checksum)
{
	struct ttmpool_policy policy = rig_policy(t);

	machine = check_machine(t);
	lie = LIE_NONE;
	policy.checksum = checksum;
	return rig_open(t, &(struct rig_config){ .policy = &policy });
}

static struct buffer *swapped(struct check *t, struct rig *rig, bool coherent)
{
	struct buffer *buf = buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = PAGES,
					 .funcs = coherent ? &buffer_coherent
							   : &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);

	return buf && !ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES) ? buf
								    : NULL;
}

/* Is the lie found, reported and contained? A later swap-in can still succeed. */
static bool is_found_out(struct check *t, struct rig *rig, struct buffer *buf)
{
	size_t told = check_reports(t, TTMPOOL_REPORT_CORRUPTED);

	return ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES) == -EBADMSG &&
	       check_reports(t, TTMPOOL_REPORT_CORRUPTED) == told + 1 &&
	       buf->be.pages_stored && !buf->pages[lie_at] &&
	       ttmpool_backend_is_valid(&buf->be) && rig_is_quiet(t, rig);
}

/* Whatever the store does to whichever page, the library never hands out wrong contents;
 * and when the store is right again, all contents are there. */
static void f40_a_corrupted_page_is_never_handed_out(struct check *t)
{
	struct rig *rig = open_rig(t, true);

	CHECK(t, rig);
	for (int i = 0; i < 2 * PAGES * LIE_COUNT; i++) {
		struct buffer *buf = swapped(t, rig, i % 2);

		CHECK(t, buf);
		lie = (enum lie)(i / 2 % LIE_COUNT);
		lie_at = (size_t)i / (2 * LIE_COUNT);
		/* With the order reversed, the page in the middle stays where it is. */
		if (lie != LIE_NONE &&
		    !(lie == LIE_OTHER_PAGE && lie_at == PAGES / 2))
			CHECK(t, is_found_out(t, rig, buf));
		lie = LIE_NONE;
		if (buf->be.tt.state != TTMPOOL_TT_POPULATED)
			CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES),
				 0);
		CHECK(t, buffer_is_stamped(t, buf, SEED));
		CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* If the store keeps returning wrong contents, the buffer is lost, but can be dropped. */
static void f40_a_lost_buffer_can_be_dropped(struct check *t)
{
	struct rig *rig = open_rig(t, true);
	struct buffer *buf;

	CHECK(t, rig);
	buf = swapped(t, rig, false);
	CHECK(t, buf);
	lie = LIE_ZEROES;
	lie_at = 8;
	for (int i = 0; i < 3; i++)
		CHECK(t, is_found_out(t, rig, buf));
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK(t, buf->pages[0] && buf->pages[7]);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The report names the pool and the index of the page. */
static void f40_the_report_names_the_page(struct check *t)
{
	struct rig *rig = open_rig(t, true);
	struct buffer *buf;

	CHECK(t, rig);
	buf = swapped(t, rig, false);
	CHECK(t, buf);
	lie = LIE_LAST_BIT;
	lie_at = 12;
	CHECK(t, is_found_out(t, rig, buf));
	CHECK(t,
	      strstr(tpsim_report_last(machine), "pool-a: contents are not"));
	CHECK(t, strstr(tpsim_report_last(machine), "index 12"));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Without memory for the checksums, nothing is swapped out. */
static void f40_without_memory_for_sums_nothing_moves(struct check *t)
{
	struct rig *rig = open_rig(t, true);
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = PAGES,
					 .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);
	CHECK(t, buf);
	tpsim_fault_plan(
		machine,
		&(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC, .nth = 1 });
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(machine), 1);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	tpsim_fault_plan(machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_CREATE,
						.nth = 1 });
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(machine), 1);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Checksums are optional: without them, the library trusts the store. */
static void f40_without_sums_a_store_is_believed(struct check *t)
{
	struct rig *rig = open_rig(t, false);
	struct buffer *buf;

	CHECK(t, rig);
	buf = swapped(t, rig, false);
	CHECK(t, buf && !buf->be.sums);
	lie = LIE_ZEROES;
	lie_at = 3;
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, !buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages go to the system while a buffer is being swapped out, not only at the end,
 * because the store itself may need memory. */
static void s07_memory_comes_back_on_the_way(struct check *t)
{
	struct rig *rig = open_rig(t, false);
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig,
			  &(struct buffer_config){ .num_pages = 1024,
						   .funcs = &buffer_coherent });
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, check_pages_out(t), 1024);
	watched = t;
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	watched = NULL;
	CHECK_EQ(t, out_at_last, 512);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Coherent pages stay mapped until they are freed: requests that wait for addresses are
 * also woken after that. */
static void s06_waiters_are_woken_when_it_is_free(struct check *t)
{
	struct rig *rig = open_rig(t, false);
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig,
			  &(struct buffer_config){ .num_pages = PAGES,
						   .funcs = &buffer_coherent });
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	tpos_atomic_set(&rig->pool[0].iova->queue.waiting, 1);
	woken_rig = rig;
	mapped_at_last_wake = 1;
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	woken_rig = NULL;
	tpos_atomic_set(&rig->pool[0].iova->queue.waiting, 0);
	CHECK_EQ(t, mapped_at_last_wake, 0);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(hostile_store, CHECK_CASE(f40_a_corrupted_page_is_never_handed_out),
	    CHECK_CASE(f40_a_lost_buffer_can_be_dropped),
	    CHECK_CASE(f40_the_report_names_the_page),
	    CHECK_CASE(f40_without_memory_for_sums_nothing_moves),
	    CHECK_CASE(f40_without_sums_a_store_is_believed),
	    CHECK_CASE(s07_memory_comes_back_on_the_way),
	    CHECK_CASE(s06_waiters_are_woken_when_it_is_free));

/* Runs twice: with a store that copies, and with one that takes over pages. */
int main(int argc, char **argv)
{
	struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT };
	int failed;

	failed = check_main(argc, argv, &check_suite_hostile_store, &config);
	config.store_adopts = true;
	return failed ? failed
		      : check_main(argc, argv, &check_suite_hostile_store,
				   &config);
}
