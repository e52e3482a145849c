/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SHRINK_H
#define SHRINK_H

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

/**
 * struct shrink_buffer - a buffer object, and its expected contents
 * @bo: TTM's buffer object
 * @seed: determines all its bytes; 0: they are unknown
 */
struct shrink_buffer {
	struct ttm_buffer_object bo;
	u64 seed;
};

/**
 * struct shrink_tally - what a run has done and found
 * @shrinks, @pages: calls of ttm_bo_shrink() that moved something, and how many pages
 * @partial: those of them that did not move all pages
 * @refused: calls that moved nothing
 * @purges: calls that threw contents away
 * @swapouts: calls of ttm_device_swapout() that moved something
 * @restores: buffers that were populated again
 * @failed: populates of such buffers that returned an error
 * @bytes: checked bytes
 * @wrong: those of them that were not what was written
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

/* contents.c: the CPU writes the bytes that follow from @seed; and checks them. The pages
 * are the buffer's. */
void shrink_write(struct shrink_buffer *buf, u64 seed);
void shrink_look(struct shrink_buffer *buf, struct shrink_tally *tally);

/* device.c: a TTM device without hardware, and buffers of several kinds; NULL or an error
 * if there is no memory. */
int shrink_device_open(void);
void shrink_device_close(void);
struct ttm_device *shrink_bdev(void);
struct shrink_buffer *shrink_buffer_open(unsigned int kind, size_t pages);
void shrink_buffer_close(struct shrink_buffer *buf);

#endif
