/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A client of a GPU driver: it makes buffers, maps, fills and checks them, with the
 * driver's own ioctls and nothing else.
 */
#ifndef TTM_CLIENT_H
#define TTM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a buffer should be; the driver may move it at any time. */
enum place {
	IN_SYSTEM,
	IN_CARD,
};

/* The screen, and how large a shown buffer has to be. */
struct screen {
	uint32_t crtc;
	uint32_t connector;
	uint32_t width;
	uint32_t height;
	unsigned char mode[128]; /* struct drm_mode_modeinfo */
};

struct card {
	int fd;
	const struct driver *driver;
	struct screen screen;
};

struct buffer {
	uint32_t handle;
	uint32_t framebuffer; /* 0 if it cannot be shown */
	uint32_t pitch;
	uint64_t offset; /* to map it at */
	size_t size;
	uint64_t seed; /* of what it holds */
	uint64_t *words;
};

struct driver {
	const char *name;
	bool shows; /* a buffer gets into the card by being shown */
	/* Sets the handle and the offset; may make it larger than asked for. */
	int (*create)(struct card *card, struct buffer *buf, enum place place);
};

const struct driver *driver_find(const char *name);

/* All of these return 0, or -errno. */
int card_ioctl(const struct card *card, unsigned long request, void *arg);
int buffer_create(struct card *card, struct buffer *buf, size_t size,
		  enum place place);
int buffer_destroy(struct card *card, struct buffer *buf);

extern const struct driver dumb_driver;
int dumb_create(struct card *card, struct buffer *buf, enum place place);
int screen_find(struct card *card);
int screen_add(struct card *card, struct buffer *buf);
int screen_remove(struct card *card, struct buffer *buf);
int screen_show(struct card *card, const struct buffer *buf);

/* The counts over all buffers. */
struct tally {
	unsigned long buffers;
	uint64_t bytes; /* checked */
	uint64_t wrong; /* of the checked ones */
};

/* The scenarios: what to do with the buffers of a card. */
int run_churn(struct card *card, struct tally *tally, size_t bytes,
	      unsigned int steps);
int run_evict(struct card *card, struct tally *tally, size_t bytes);
int run_swap(struct card *card, struct tally *tally, size_t bytes);
int run_picture(struct card *card, struct tally *tally);

#endif
