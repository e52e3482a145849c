// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The CRTC, the connector, and which modes there are. */

#include <drm/drm_atomic.h>
#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_edid.h>
#include <drm/drm_gem_framebuffer_helper.h>
#include <drm/drm_managed.h>
#include <drm/drm_mode_config.h>
#include <drm/drm_probe_helper.h>
#include <drm/drm_vblank.h>

#include "bochs.h"

#define MOST_PIXELS 4096 /* in either direction */

static enum drm_mode_status mode_valid(struct drm_crtc *crtc,
				       const struct drm_display_mode *mode)
{
	struct bochs *bochs = to_bochs(crtc->dev);

	if ((size_t)mode->hdisplay * mode->vdisplay * BOCHS_BYTES >
	    bochs->vram_size)
		return MODE_MEM;
	return MODE_OK;
}

/* Who moves the cursor changes the picture below it, so both are needed. */
static int crtc_check(struct drm_crtc *crtc, struct bochs_atomic *state)
{
	struct bochs *bochs = to_bochs(crtc->dev);
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);
	struct drm_plane_state *cursor;
	int err;

	if (new->enable) {
		err = drm_atomic_helper_check_crtc_primary_plane(new);
		if (err)
			return err;
	}
	cursor = drm_atomic_get_new_plane_state(state, &bochs->cursor);
	if (!cursor)
		cursor = bochs->cursor.state;
	if (!cursor->fb && !bochs->cursor.state->fb)
		return 0;
	return drm_atomic_add_affected_planes(state, crtc);
}

static void crtc_flush(struct drm_crtc *crtc, struct bochs_atomic *state)
{
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);
	int index;

	if (drm_dev_enter(crtc->dev, &index)) {
		bochs_draw(to_bochs(crtc->dev), state, new);
		bochs_crc_update(to_bochs(crtc->dev));
		drm_dev_exit(index);
	}
	bochs_frames_commit(crtc);
}

static void crtc_enable(struct drm_crtc *crtc, struct bochs_atomic *state)
{
	struct drm_crtc_state *new = drm_atomic_get_new_crtc_state(state, crtc);
	int index;

	if (!drm_dev_enter(crtc->dev, &index))
		return;
	bochs_hw_show(to_bochs(crtc->dev), new->mode.hdisplay,
		      new->mode.vdisplay);
	bochs_crc_update(to_bochs(crtc->dev));
	drm_dev_exit(index);
	if (drm_dev_has_vblank(crtc->dev))
		drm_crtc_vblank_on(crtc);
}

static void crtc_disable(struct drm_crtc *crtc, struct bochs_atomic *state)
{
	int index;

	if (drm_dev_has_vblank(crtc->dev))
		drm_crtc_vblank_off(crtc);
	if (!drm_dev_enter(crtc->dev, &index))
		return;
	bochs_hw_hide(to_bochs(crtc->dev));
	drm_dev_exit(index);
}

static const struct drm_crtc_helper_funcs crtc_helper_funcs = {
	.mode_valid = mode_valid,
	.atomic_check = crtc_check,
	.atomic_flush = crtc_flush,
	.atomic_enable = crtc_enable,
	.atomic_disable = crtc_disable,
};

static const struct drm_crtc_funcs crtc_funcs = {
	.reset = drm_atomic_helper_crtc_reset,
	.destroy = drm_crtc_cleanup,
	.set_config = drm_atomic_helper_set_config,
	.page_flip = drm_atomic_helper_page_flip,
	.atomic_duplicate_state = drm_atomic_helper_crtc_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_crtc_destroy_state,
	.enable_vblank = bochs_frames_enable,
	.disable_vblank = bochs_frames_disable,
	.get_crc_sources = bochs_crc_sources,
	.verify_crc_source = bochs_crc_verify,
	.set_crc_source = bochs_crc_set,
};

static const struct drm_encoder_funcs encoder_funcs = {
	.destroy = drm_encoder_cleanup,
};

static int get_modes(struct drm_connector *connector)
{
	int n = drm_add_modes_noedid(connector, MOST_PIXELS, MOST_PIXELS);

	drm_set_preferred_mode(connector, 1024, 768);
	return n;
}

static const struct drm_connector_helper_funcs connector_helper_funcs = {
	.get_modes = get_modes,
};

static const struct drm_connector_funcs connector_funcs = {
	.fill_modes = drm_helper_probe_single_connector_modes,
	.reset = drm_atomic_helper_connector_reset,
	.destroy = drm_connector_cleanup,
	.atomic_duplicate_state = drm_atomic_helper_connector_duplicate_state,
	.atomic_destroy_state = drm_atomic_helper_connector_destroy_state,
};

static const struct drm_mode_config_funcs mode_config_funcs = {
	.fb_create = drm_gem_fb_create_with_dirty,
	.atomic_check = drm_atomic_helper_check,
	.atomic_commit = drm_atomic_helper_commit,
};

static int init_outputs(struct bochs *bochs)
{
	struct drm_device *drm = &bochs->drm;
	int err = drm_crtc_init_with_planes(drm, &bochs->crtc, &bochs->primary,
					    &bochs->cursor, &crtc_funcs, NULL);

	if (err)
		return err;
	drm_crtc_helper_add(&bochs->crtc, &crtc_helper_funcs);
	err = drm_encoder_init(drm, &bochs->encoder, &encoder_funcs,
			       DRM_MODE_ENCODER_VIRTUAL, NULL);
	if (err)
		return err;
	bochs->encoder.possible_crtcs = drm_crtc_mask(&bochs->crtc);
	err = drm_connector_init(drm, &bochs->connector, &connector_funcs,
				 DRM_MODE_CONNECTOR_VIRTUAL);
	if (err)
		return err;
	drm_connector_helper_add(&bochs->connector, &connector_helper_funcs);
	return drm_connector_attach_encoder(&bochs->connector, &bochs->encoder);
}

int bochs_kms_init(struct bochs *bochs)
{
	struct drm_mode_config *config = &bochs->drm.mode_config;
	int err = drmm_mode_config_init(&bochs->drm);

	if (err)
		return err;
	config->max_width = MOST_PIXELS;
	config->max_height = MOST_PIXELS;
	config->cursor_width = BOCHS_CURSOR;
	config->cursor_height = BOCHS_CURSOR;
	config->preferred_depth = 24;
	config->prefer_shadow = 0;
	config->funcs = &mode_config_funcs;
	err = bochs_frames_init(bochs);
	if (err)
		return err;
	err = bochs_planes_init(bochs);
	if (err)
		return err;
	err = init_outputs(bochs);
	if (err)
		return err;
	drm_mode_config_reset(&bochs->drm);
	return 0;
}
