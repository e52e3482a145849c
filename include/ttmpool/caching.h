/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_CACHING_H
#define TTMPOOL_CACHING_H

/**
 * enum ttmpool_caching - how the CPU caches a page
 * @TTMPOOL_UNCACHED: neither reads nor writes are cached
 * @TTMPOOL_WRITE_COMBINED: writes are combined, reads are not cached
 * @TTMPOOL_CACHED: write-back; the system lends pages in this state, and they must be given
 *	back in this state
 * @TTMPOOL_CACHING_COUNT: the number of cachings
 * @TTMPOOL_CACHING_UNKNOWN: a change failed and could not be undone; such a page is
 *	quarantined, never handed out and never given back
 *
 * The order and the values of the first three are those of Linux's enum ttm_caching
 * (include/drm/ttm/ttm_caching.h), so a drop-in and a trace need no translation.
 */
enum ttmpool_caching {
	TTMPOOL_UNCACHED,
	TTMPOOL_WRITE_COMBINED,
	TTMPOOL_CACHED,
	TTMPOOL_CACHING_COUNT,
	TTMPOOL_CACHING_UNKNOWN = TTMPOOL_CACHING_COUNT,
};

#endif
