// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Drawing. What has changed of the primary plane is copied to the display; where the
 * cursor is or was, too, and then the cursor is put on it. The display's memory is never
 * read: what lies below the cursor is looked up in the client's buffer.
 */

#include <linux/iosys-map.h>

#include <drm/drm_atomic.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_format_helper.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>
#include <drm/drm_rect.h>

#include "bochs.h"

/**
 * struct picture - what is drawn in one commit
 * @bochs: on this display
 * @primary: from here
 * @pitch: bytes from one line of the display to the next
 * @changed: so much of it, in pixels of the display
 */
struct picture {
	struct bochs *bochs;
	struct drm_plane_state *primary;
	unsigned int pitch;
	struct drm_rect changed;
};

static void rect_add(struct drm_rect *rect, const struct drm_rect *more)
{
	if (!drm_rect_visible(more))
		return;
	if (!drm_rect_visible(rect)) {
		*rect = *more;
		return;
	}
	rect->x1 = min(rect->x1, more->x1);
	rect->y1 = min(rect->y1, more->y1);
	rect->x2 = max(rect->x2, more->x2);
	rect->y2 = max(rect->y2, more->y2);
}

static void add_damage(struct picture *picture,
		       const struct drm_plane_state *old_primary)
{
	struct drm_rect rect;

	if (!drm_atomic_helper_damage_merged(old_primary, picture->primary,
					     &rect))
		return;
	drm_rect_translate(&rect, -(picture->primary->src.x1 >> 16),
			   -(picture->primary->src.y1 >> 16));
	rect_add(&picture->changed, &rect);
}

static void add_cursor(struct picture *picture,
		       const struct drm_plane_state *cursor)
{
	if (cursor && cursor->visible)
		rect_add(&picture->changed, &cursor->dst);
}

/* Where a pixel of the display lies in a plane's buffer. */
static void *pixel_of(struct drm_plane_state *plane, int x, int y)
{
	struct drm_shadow_plane_state *shadow =
		to_drm_shadow_plane_state(plane);
	size_t offset = (size_t)(y - plane->dst.y1 + (plane->src.y1 >> 16)) *
				plane->fb->pitches[0] +
			(size_t)(x - plane->dst.x1 + (plane->src.x1 >> 16)) *
				BOCHS_BYTES;

	return shadow->data[0].vaddr + offset;
}

static void __iomem *place_of(const struct picture *picture, int x, int y)
{
	return picture->bochs->vram + (size_t)y * picture->pitch +
	       (size_t)x * BOCHS_BYTES;
}

static void copy_primary(const struct picture *picture)
{
	const struct drm_rect *rect = &picture->changed;

	for (int y = rect->y1; y < rect->y2; y++)
		memcpy_toio(place_of(picture, rect->x1, y),
			    pixel_of(picture->primary, rect->x1, y),
			    (size_t)drm_rect_width(rect) * BOCHS_BYTES);
}

/* The cursor's colours are multiplied by its alpha already. */
static u32 blend(u32 below, u32 above)
{
	u32 rest = 255 - (above >> 24), result = 0;

	for (int shift = 0; shift < 24; shift += 8) {
		u32 part = ((above >> shift) & 255) +
			   ((below >> shift) & 255) * rest / 255;

		result |= min(part, 255u) << shift;
	}
	return result;
}

static void draw_cursor(const struct picture *picture,
			struct drm_plane_state *cursor)
{
	struct drm_rect rect = cursor->dst;

	if (!drm_rect_intersect(&rect, &picture->primary->dst))
		return;
	for (int y = rect.y1; y < rect.y2; y++) {
		const u32 *above = pixel_of(cursor, rect.x1, y);
		const u32 *below = pixel_of(picture->primary, rect.x1, y);
		u32 __iomem *to = place_of(picture, rect.x1, y);

		for (int i = 0; i < drm_rect_width(&rect); i++)
			writel(blend(below[i], above[i]), to + i);
	}
}

/* Of a plane that is not in @state nothing is known, and nothing has changed. */
void bochs_draw(struct bochs *bochs, struct bochs_atomic *state,
		struct drm_crtc_state *crtc)
{
	struct drm_plane *plane = &bochs->primary;
	struct drm_plane_state *old, *cursor;
	struct picture picture = {
		.bochs = bochs,
		.primary = drm_atomic_get_new_plane_state(state, plane),
		.pitch = crtc->mode.hdisplay * BOCHS_BYTES,
	};

	if (!picture.primary || !picture.primary->visible)
		return;
	old = drm_atomic_get_old_plane_state(state, plane);
	if (drm_atomic_crtc_needs_modeset(crtc))
		picture.changed = picture.primary->dst;
	else
		add_damage(&picture, old);
	plane = &bochs->cursor;
	add_cursor(&picture, drm_atomic_get_old_plane_state(state, plane));
	cursor = drm_atomic_get_new_plane_state(state, plane);
	add_cursor(&picture, cursor);
	if (!drm_rect_intersect(&picture.changed, &picture.primary->dst))
		return;
	copy_primary(&picture);
	if (cursor && cursor->visible)
		draw_cursor(&picture, cursor);
}
