// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers. Their seed and the place of each word determine the words, so that a page that
 * returns at another place, or from another buffer, is as wrong as a lost one.
 */
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

struct tally tally;

int buffer_create(struct card *card, struct buffer *buf, uint32_t width,
		  uint32_t height)
{
	struct drm_mode_create_dumb create = { .width = width,
					       .height = height,
					       .bpp = 32 };
	int ret = card_ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create);

	memset(buf, 0, sizeof(*buf));
	if (ret)
		return ret;
	buf->handle = create.handle;
	buf->width = width;
	buf->height = height;
	buf->pitch = create.pitch;
	buf->size = create.size;
	tally.buffers++;
	return 0;
}

/* Map the buffer once more, at another address. */
int buffer_map_at(struct card *card, const struct buffer *buf, void **at)
{
	struct drm_mode_map_dumb map = { .handle = buf->handle };
	int ret = card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map);

	if (ret)
		return ret;
	*at = mmap(NULL, buf->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		   card->fd, (off_t)map.offset);
	return *at == MAP_FAILED ? -errno : 0;
}

int buffer_map(struct card *card, struct buffer *buf)
{
	void *at = NULL;
	int ret = buffer_map_at(card, buf, &at);

	buf->words = ret ? NULL : at;
	return ret;
}

void buffer_unmap(struct buffer *buf)
{
	if (buf->words)
		munmap(buf->words, buf->size);
	buf->words = NULL;
}

int buffer_make(struct card *card, struct buffer *buf, uint32_t width,
		uint32_t height)
{
	int ret = buffer_create(card, buf, width, height);

	return ret ? ret : buffer_map(card, buf);
}

int buffer_destroy(struct card *card, struct buffer *buf)
{
	struct drm_gem_close close = { .handle = buf->handle };
	int ret = 0;

	buffer_unmap(buf);
	if (buf->framebuffer)
		ret = card_ioctl(card, DRM_IOCTL_MODE_RMFB, &buf->framebuffer);
	if (!ret && buf->handle)
		ret = card_ioctl(card, DRM_IOCTL_GEM_CLOSE, &close);
	memset(buf, 0, sizeof(*buf));
	return ret;
}

int buffer_export(struct card *card, const struct buffer *buf, int *fd)
{
	struct drm_prime_handle prime = { .handle = buf->handle,
					  .flags = DRM_CLOEXEC | DRM_RDWR };
	int ret = card_ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime);

	*fd = ret ? -1 : prime.fd;
	return ret;
}

/* The imported buffer has the same pages as @like, so it is as large. */
int buffer_import(struct card *card, struct buffer *buf, int fd,
		  const struct buffer *like)
{
	struct drm_prime_handle prime = { .fd = fd };
	int ret = card_ioctl(card, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime);

	*buf = *like;
	buf->words = NULL;
	buf->framebuffer = 0;
	buf->handle = ret ? 0 : prime.handle;
	return ret;
}

int fd_map(int fd, size_t size, void **at)
{
	*at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *at == MAP_FAILED ? -errno : 0;
}

int fd_sync(int fd, bool end)
{
	struct dma_buf_sync sync = {
		.flags = DMA_BUF_SYNC_RW |
			 (end ? DMA_BUF_SYNC_END : DMA_BUF_SYNC_START),
	};

	return ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0;
}

static uint64_t word_at(uint64_t seed, size_t i)
{
	return (seed ^ i) * 0x9e3779b97f4a7c15u + seed;
}

void words_fill(void *at, size_t size, uint64_t seed)
{
	uint64_t *words = at;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		words[i] = word_at(seed, i);
}

static void count(uint64_t difference)
{
	for (; difference; difference >>= 8)
		tally.wrong += (difference & 0xff) != 0;
}

void words_check(const void *at, size_t size, uint64_t seed)
{
	const uint64_t *words = at;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		count(words[i] ^ word_at(seed, i));
	tally.bytes += size;
}

void words_check_zero(const void *at, size_t size)
{
	const uint64_t *words = at;

	for (size_t i = 0; i < size / sizeof(*words); i++)
		count(words[i]);
	tally.bytes += size;
}
