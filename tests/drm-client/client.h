/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A client of display drivers: dumb buffers, modes, a cursor, and buffers that are shared
 * between devices, with the kernel's ioctls and nothing else.
 */
#ifndef DRM_CLIENT_H
#define DRM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct card {
	int fd;
	uint32_t crtc;
	uint32_t connector;
	unsigned int modes;
	unsigned char mode[64][128]; /* struct drm_mode_modeinfo each */
};

struct buffer {
	uint32_t handle;
	uint32_t framebuffer;
	uint32_t width;
	uint32_t height;
	uint32_t pitch;
	size_t size;
	uint64_t *words; /* where it is mapped, or NULL */
};

/* The counts over all buffers. */
struct tally {
	unsigned long buffers;
	uint64_t bytes; /* checked */
	uint64_t wrong; /* of the checked ones */
};
extern struct tally tally;

/* All functions that return an int return 0, or -errno. */

/* card.c */
int card_open(struct card *card, const char *driver, int nth);
void card_close(struct card *card);
int card_ioctl(const struct card *card, unsigned long request, void *arg);

/* buffer.c */
int buffer_create(struct card *card, struct buffer *buf, uint32_t width,
		  uint32_t height);
int buffer_map(struct card *card, struct buffer *buf);
int buffer_map_at(struct card *card, const struct buffer *buf, void **at);
void buffer_unmap(struct buffer *buf);
int buffer_make(struct card *card, struct buffer *buf, uint32_t width,
		uint32_t height);
int buffer_destroy(struct card *card, struct buffer *buf);
int buffer_export(struct card *card, const struct buffer *buf, int *fd);
int buffer_import(struct card *card, struct buffer *buf, int fd,
		  const struct buffer *like);
void words_fill(void *at, size_t size, uint64_t seed);
void words_check(const void *at, size_t size, uint64_t seed);
void words_check_zero(const void *at, size_t size);
int fd_map(int fd, size_t size, void **at);
int fd_sync(int fd, bool end);

/* screen.c */
int screen_find(struct card *card);
unsigned int screen_width(const struct card *card, unsigned int mode);
unsigned int screen_height(const struct card *card, unsigned int mode);
int screen_add(struct card *card, struct buffer *buf);
int screen_show(struct card *card, const struct buffer *buf, unsigned int mode);
int screen_dirty(struct card *card, const struct buffer *buf, unsigned int x,
		 unsigned int y, unsigned int side);
int screen_cursor(struct card *card, const struct buffer *buf, int x, int y);

/* The scenarios. */
int run_zero(struct card *card);
int run_churn(struct card *card, unsigned int steps);
int run_split(struct card *card);
int run_bounds(struct card *card);
int run_swap(struct card *card, unsigned int mib, bool mapped);
int run_unplug(struct card *card, const char *other);
int run_fdinfo(struct card *card);
int run_prime(struct card *card, const char *driver, int nth);
int run_self(struct card *card, const char *driver);
int run_modes(struct card *card, unsigned int times);
int run_picture(struct card *card);
int run_race(struct card *card, bool modes, unsigned int times);

#endif
