// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Modes, framebuffers and a cursor, of the first connector that has a mode. */
#include <drm/drm.h>
#include <drm/drm_mode.h>
#include <errno.h>
#include <string.h>

#include "client.h"

enum {
	MOST_IDS = 16,
	MOST_MODES = 128,
};

static const struct drm_mode_modeinfo *mode_of(const struct card *card,
					       unsigned int i)
{
	return (const void *)card->mode[i];
}

unsigned int screen_width(const struct card *card, unsigned int mode)
{
	return mode_of(card, mode)->hdisplay;
}

unsigned int screen_height(const struct card *card, unsigned int mode)
{
	return mode_of(card, mode)->vdisplay;
}

/* When it is called without room for modes, the kernel probes the connector first. */
static int find_modes(struct card *card)
{
	static struct drm_mode_modeinfo modes[MOST_MODES];
	struct drm_mode_get_connector get = { .connector_id = card->connector };
	int ret = card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &get);

	if (ret)
		return ret;
	get = (struct drm_mode_get_connector){
		.connector_id = card->connector,
		.modes_ptr = (uintptr_t)modes,
		.count_modes = MOST_MODES,
	};
	ret = card_ioctl(card, DRM_IOCTL_MODE_GETCONNECTOR, &get);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < get.count_modes && i < MOST_MODES; i++)
		if (card->modes < sizeof(card->mode) / sizeof(card->mode[0]))
			memcpy(card->mode[card->modes++], &modes[i],
			       sizeof(modes[i]));
	return card->modes ? 0 : -ENODEV;
}

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
	int ret = card_ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &res);

	if (ret)
		return ret;
	card->crtc = crtcs[0];
	card->connector = connectors[0];
	card->modes = 0;
	return find_modes(card);
}

int screen_add(struct card *card, struct buffer *buf)
{
	struct drm_mode_fb_cmd fb = {
		.width = buf->width,
		.height = buf->height,
		.pitch = buf->pitch,
		.bpp = 32,
		.depth = 24,
		.handle = buf->handle,
	};
	int ret = card_ioctl(card, DRM_IOCTL_MODE_ADDFB, &fb);

	buf->framebuffer = ret ? 0 : fb.fb_id;
	return ret;
}

int screen_show(struct card *card, const struct buffer *buf, unsigned int mode)
{
	struct drm_mode_crtc crtc = {
		.crtc_id = card->crtc,
		.set_connectors_ptr = (uintptr_t)&card->connector,
		.count_connectors = 1,
		.fb_id = buf->framebuffer,
		.mode_valid = 1,
	};

	memcpy(&crtc.mode, card->mode[mode], sizeof(crtc.mode));
	return card_ioctl(card, DRM_IOCTL_MODE_SETCRTC, &crtc);
}

int screen_dirty(struct card *card, const struct buffer *buf, unsigned int x,
		 unsigned int y, unsigned int side)
{
	struct drm_clip_rect clip = {
		.x1 = (unsigned short)x,
		.y1 = (unsigned short)y,
		.x2 = (unsigned short)(x + side),
		.y2 = (unsigned short)(y + side),
	};
	struct drm_mode_fb_dirty_cmd dirty = {
		.fb_id = buf->framebuffer,
		.num_clips = 1,
		.clips_ptr = (uintptr_t)&clip,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_DIRTYFB, &dirty);
}

int screen_cursor(struct card *card, const struct buffer *buf, int x, int y)
{
	struct drm_mode_cursor cursor = {
		.flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE,
		.crtc_id = card->crtc,
		.x = x,
		.y = y,
		.width = buf->width,
		.height = buf->height,
		.handle = buf->handle,
	};

	return card_ioctl(card, DRM_IOCTL_MODE_CURSOR, &cursor);
}
