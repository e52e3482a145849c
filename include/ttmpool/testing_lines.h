/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_TESTING_LINES_H
#define TTMPOOL_TESTING_LINES_H

/*
 * Source lines for messages about leaks. In a file that includes this header, each call
 * that takes pages also tells the fixture its source line. The files of a driver need not
 * be changed for that: compile them for the test with the compiler's option -include
 * ttmpool/testing_lines.h.
 *
 * The macros below have the same names as the functions that they call. Such a name without
 * parentheses still means the function, so its address is that of the function.
 */

#include <ttmpool/testing.h>
#include <ttmpool/ttmpool.h>

/** TTMPOOL_TEST_AT() - a call that returns int, and takes pages at this source line. */
#define TTMPOOL_TEST_AT(call) \
	(ttmpool_test_enter(__FILE__, __LINE__), ttmpool_test_leave(call))

#define ttmpool_pool_take(pool, req, pages, dma_addr) \
	TTMPOOL_TEST_AT((ttmpool_pool_take)(pool, req, pages, dma_addr))
#define ttmpool_runs_take(pool, req, mapped, runs) \
	TTMPOOL_TEST_AT((ttmpool_runs_take)(pool, req, mapped, runs))
#define ttmpool_magazine_get(mag, to, n) \
	TTMPOOL_TEST_AT((ttmpool_magazine_get)(mag, to, n))
#define ttmpool_populate(be)       TTMPOOL_TEST_AT((ttmpool_populate)(be))
#define ttmpool_swapin(be, pages)  TTMPOOL_TEST_AT((ttmpool_swapin)(be, pages))
#define ttmpool_to_anonymous(be)   TTMPOOL_TEST_AT((ttmpool_to_anonymous)(be))
#define ttmpool_to_device(be)      TTMPOOL_TEST_AT((ttmpool_to_device)(be))
#define ttmpool_handover(from, to) TTMPOOL_TEST_AT((ttmpool_handover)(from, to))

#endif
