// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The two planes. What is on them is drawn when all of a commit is known: bochs_draw(). */

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_blend.h>
#include <drm/drm_damage_helper.h>
#include <drm/drm_fourcc.h>
#include <drm/drm_framebuffer.h>
#include <drm/drm_gem_atomic_helper.h>

#include "bochs.h"

static int check(struct drm_plane *plane, struct bochs_atomic *state,
		 bool anywhere)
{
	const int same = DRM_PLANE_NO_SCALING;
	struct drm_plane_state *new;
	struct drm_crtc_state *crtc = NULL;

	new = drm_atomic_get_new_plane_state(state, plane);
	if (new->crtc)
		crtc = drm_atomic_get_new_crtc_state(state, new->crtc);
	return drm_atomic_helper_check_plane_state(new, crtc, same, same,
						   anywhere, true);
}

static int primary_check(struct drm_plane *plane, struct bochs_atomic *state)
{
	return check(plane, state, false);
}

static int cursor_check(struct drm_plane *plane, struct bochs_atomic *state)
{
	struct drm_plane_state *new =
		drm_atomic_get_new_plane_state(state, plane);

	if (new->fb &&
	    (new->fb->width > BOCHS_CURSOR || new->fb->height > BOCHS_CURSOR))
		return -EINVAL;
	return check(plane, state, true);
}

/* The CRTC draws both planes, after this. */
static void plane_update(struct drm_plane *plane, struct bochs_atomic *state)
{
}

static const struct drm_plane_helper_funcs primary_helper_funcs = {
	DRM_GEM_SHADOW_PLANE_HELPER_FUNCS,
	.atomic_check = primary_check,
	.atomic_update = plane_update,
};

static const struct drm_plane_helper_funcs cursor_helper_funcs = {
	DRM_GEM_SHADOW_PLANE_HELPER_FUNCS,
	.atomic_check = cursor_check,
	.atomic_update = plane_update,
};

static const struct drm_plane_funcs plane_funcs = {
	.update_plane = drm_atomic_helper_update_plane,
	.disable_plane = drm_atomic_helper_disable_plane,
	.destroy = drm_plane_cleanup,
	DRM_GEM_SHADOW_PLANE_FUNCS,
};

static const u32 primary_formats[] = { DRM_FORMAT_XRGB8888 };
static const u32 cursor_formats[] = { DRM_FORMAT_ARGB8888 };

int bochs_planes_init(struct bochs *bochs)
{
	const unsigned int modes = BIT(DRM_MODE_BLEND_PREMULTI);
	struct drm_device *drm = &bochs->drm;
	int err = drm_universal_plane_init(drm, &bochs->primary, 1,
					   &plane_funcs, primary_formats, 1,
					   NULL, DRM_PLANE_TYPE_PRIMARY, NULL);

	if (err)
		return err;
	drm_plane_helper_add(&bochs->primary, &primary_helper_funcs);
	drm_plane_enable_fb_damage_clips(&bochs->primary);
	err = drm_universal_plane_init(drm, &bochs->cursor, 1, &plane_funcs,
				       cursor_formats, 1, NULL,
				       DRM_PLANE_TYPE_CURSOR, NULL);
	if (err)
		return err;
	drm_plane_helper_add(&bochs->cursor, &cursor_helper_funcs);
	return drm_plane_create_blend_mode_property(&bochs->cursor, modes);
}
