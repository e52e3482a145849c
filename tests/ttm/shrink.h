/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SHRINK_H
#define SHRINK_H

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

/**
 * struct shrink_buffer - a buffer object, and what is known of its contents
 * @bo: TTM's
 * @seed: all its bytes follow from it; 0: nobody knows them
 */
struct shrink_buffer {
	struct ttm_buffer_object bo;
	u64 seed;
};

/**
 * struct shrink_tally - what a run has done and found
 * @shrinks, @pages: calls of ttm_bo_shrink() that moved something, and how many pages
 * @partial: of these, those that did not move all
 * @refused: those that moved nothing
 * @purges: calls that threw contents away
 * @swapouts: of ttm_device_swapout(), that moved something
 * @restores: buffers that came back
 * @failed: tries to bring one back that ended with an error
 * @bytes: that were looked at
 * @wrong: of these, that were not what was written
 * @inconsistent: buffers that count as populated, with pages of another caching than
 *	theirs
 */
struct shrink_tally {
	u64 shrinks;
	u64 pages;
	u64 partial;
	u64 refused;
	u64 purges;
	u64 swapouts;
	u64 restores;
	u64 failed;
	u64 bytes;
	u64 wrong;
	u64 inconsistent;
};

/* contents.c: the CPU writes all that follows from @seed; is it there? The pages are
 * the buffer's. */
void shrink_write(struct shrink_buffer *buf, u64 seed);
void shrink_look(struct shrink_buffer *buf, struct shrink_tally *tally);

/* device.c: a device of TTM's that has no hardware, and buffers of several kinds; NULL
 * or an error if there is no memory. */
int shrink_device_open(void);
void shrink_device_close(void);
struct ttm_device *shrink_bdev(void);
struct shrink_buffer *shrink_buffer_open(unsigned int kind, size_t pages);
void shrink_buffer_close(struct shrink_buffer *buf);

#endif
