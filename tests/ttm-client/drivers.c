// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The drivers differ in how a buffer is made, and how it gets into the card's memory.
 * qxl: a surface is there, any other buffer in system memory. radeon: the caller says
 * where. A driver without ioctls of its own has only dumb buffers, which get there by
 * being shown.
 */
#include <drm/drm.h>
#include <drm/qxl_drm.h>
#include <drm/radeon_drm.h>
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "client.h"

int card_ioctl(const struct card *card, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(card->fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

/* A surface has rows; 32 bits a pixel. */
static int qxl_create_surface(struct card *card, struct buffer *buf)
{
	const uint32_t pitch = 1024;
	struct drm_qxl_alloc_surf surface = {
		.format = 32,
		.width = pitch / 4,
		.height = (uint32_t)((buf->size + pitch - 1) / pitch),
		.stride = (int32_t)pitch,
	};
	int ret;

	ret = card_ioctl(card, DRM_IOCTL_QXL_ALLOC_SURF, &surface);
	buf->handle = surface.handle;
	return ret;
}

static int qxl_create(struct card *card, struct buffer *buf, enum place place)
{
	struct drm_qxl_alloc alloc = { .size = (uint32_t)buf->size };
	struct drm_qxl_map map = { 0 };
	int ret;

	if (place == IN_CARD) {
		ret = qxl_create_surface(card, buf);
	} else {
		ret = card_ioctl(card, DRM_IOCTL_QXL_ALLOC, &alloc);
		buf->handle = alloc.handle;
	}
	if (ret)
		return ret;
	map.handle = buf->handle;
	ret = card_ioctl(card, DRM_IOCTL_QXL_MAP, &map);
	buf->offset = map.offset;
	return ret;
}

/* Without the card's firmware its GART is off, and no buffer can be bound. */
static int radeon_create(struct card *card, struct buffer *buf,
			 enum place place)
{
	struct drm_radeon_gem_create create = {
		.size = buf->size,
		.alignment = 4096,
		.initial_domain = place == IN_CARD ? RADEON_GEM_DOMAIN_VRAM
						   : RADEON_GEM_DOMAIN_CPU,
	};
	struct drm_radeon_gem_mmap map = { 0 };
	int ret;

	ret = card_ioctl(card, DRM_IOCTL_RADEON_GEM_CREATE, &create);
	if (ret)
		return ret;
	buf->handle = create.handle;
	map.handle = create.handle;
	map.size = buf->size;
	ret = card_ioctl(card, DRM_IOCTL_RADEON_GEM_MMAP, &map);
	buf->offset = map.addr_ptr;
	return ret;
}

static const struct driver drivers[] = {
	{ .name = "qxl", .create = qxl_create },
	{ .name = "bochs", .create = dumb_create, .shows = true },
	{ .name = "radeon", .create = radeon_create },
};

const struct driver *driver_find(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	return NULL;
}

static int buffer_close(struct card *card, struct buffer *buf)
{
	struct drm_gem_close close = { .handle = buf->handle };

	return card_ioctl(card, DRM_IOCTL_GEM_CLOSE, &close);
}

/* The mapping exists as long as the buffer: it must find a buffer that was moved. */
static int buffer_map(struct card *card, struct buffer *buf)
{
	void *words = mmap(NULL, buf->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			   card->fd, (off_t)buf->offset);

	if (words == MAP_FAILED)
		return -errno;
	buf->words = words;
	return 0;
}

int buffer_create(struct card *card, struct buffer *buf, size_t size,
		  enum place place)
{
	int ret;

	memset(buf, 0, sizeof(*buf));
	buf->size = size;
	ret = card->driver->create(card, buf, place);
	if (!ret)
		ret = buffer_map(card, buf);
	if (ret && buf->handle)
		buffer_close(card, buf);
	if (ret)
		memset(buf, 0, sizeof(*buf));
	return ret;
}

int buffer_destroy(struct card *card, struct buffer *buf)
{
	int ret = 0;

	munmap(buf->words, buf->size);
	if (buf->framebuffer)
		ret = screen_remove(card, buf);
	if (!ret)
		ret = buffer_close(card, buf);
	memset(buf, 0, sizeof(*buf));
	return ret;
}
