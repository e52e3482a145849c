// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Dumb buffers and how to show them: the part of the interface that is the same for every
 * driver. It uses the first connector that has a mode, with its first mode.
 */
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <errno.h>
#include <string.h>

#include "client.h"

enum {
	MOST_IDS = 16,
	MOST_MODES = 128,
};

/* The buffer is large enough for the screen, if it may have to be shown. */
int dumb_create(struct card *card, struct buffer *buf, enum place place)
{
	const struct screen *screen = &card->screen;
	struct drm_mode_create_dumb create = {
		.width = screen->width,
		.height = screen->height,
		.bpp = 32,
	};
	struct drm_mode_map_dumb map = { 0 };
	int ret;

	if (place == IN_SYSTEM) {
		create.width = 256;
		create.height = (uint32_t)((buf->size + 1023) / 1024);
	}
	ret = card_ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &create);
	if (ret)
		return ret;
	buf->handle = create.handle;
	buf->pitch = create.pitch;
	buf->size = create.size;
	map.handle = create.handle;
	ret = card_ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map);
	buf->offset = map.offset;
	if (!ret && place == IN_CARD)
		ret = screen_add(card, buf);
	return ret;
}

/* Any driver that can show something, by the interface that all drivers have. */
const struct driver dumb_driver = {
	.name = "dumb",
	.create = dumb_create,
	.shows = true,
};

static int mode_of(struct card *card, uint32_t connector)
{
	static struct drm_mode_modeinfo modes[MOST_MODES];
	struct drm_mode_get_connector get = {
		.connector_id = connector,
		.modes_ptr = (uintptr_t)modes,
		.count_modes = MOST_MODES,
	};
	struct screen *screen = &card->screen;
	int ret;

	ret = card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (ret)
		return ret;
	if (!get.count_modes || get.count_modes > MOST_MODES)
		return -ENODEV;
	screen->connector = connector;
	screen->width = modes[0].hdisplay;
	screen->height = modes[0].vdisplay;
	memcpy(screen->mode, &modes[0], sizeof(modes[0]));
	return 0;
}

/* The kernel fills in the lists if they are long enough, and returns their lengths. */
int screen_find(struct card *card)
{
	uint32_t crtcs[MOST_IDS] = { 0 };
	uint32_t connectors[MOST_IDS] = { 0 };
	struct drm_mode_card_res res = {
		.crtc_id_ptr = (uintptr_t)crtcs,
		.connector_id_ptr = (uintptr_t)connectors,
		.count_crtcs = MOST_IDS,
		.count_connectors = MOST_IDS,
	};
	int ret;

	ret = card_ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &res);
	if (ret)
		return ret;
	card->screen.crtc = crtcs[0];
	ret = -ENODEV;
	for (uint32_t i = 0; i < res.count_connectors && i < MOST_IDS; i++) {
		ret = mode_of(card, connectors[i]);
		if (!ret)
			break;
	}
	return ret;
}

int screen_add(struct card *card, struct buffer *buf)
{
	struct drm_mode_fb_cmd fb = {
		.width = card->screen.width,
		.height = card->screen.height,
		.pitch = buf->pitch,
		.bpp = 32,
		.depth = 24,
		.handle = buf->handle,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_ADDFB, &fb);

	buf->framebuffer = ret ? 0 : fb.fb_id;
	return ret;
}

int screen_remove(struct card *card, struct buffer *buf)
{
	return card_ioctl(card, DRM_IOCTL_MODE_RMFB, &buf->framebuffer);
}

int screen_show(struct card *card, const struct buffer *buf)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = card->screen.crtc,
		.set_connectors_ptr = (uintptr_t)&card->screen.connector,
		.count_connectors = 1,
		.fb_id = buf->framebuffer,
		.mode_valid = 1,
	};

	memcpy(&crtc.mode, card->screen.mode, sizeof(crtc.mode));
	return card_ioctl(card, DRM_IOCTL_MODE_SETCRTC, &crtc);
}
