// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Frames, and what they show. The display has no interrupt, so a timer stands for its
 * frames, as in the kernel's vkms: clients wait for them, and may ask for a checksum of
 * each. The checksum is that of the display's memory, which is read when a client begins
 * to ask and whenever it has been written; so it shows what the display shows.
 *
 * A timer that is stopped may just be running. Nobody can wait for that, because vblanks are
 * disabled under a spinlock that the timer takes. So the timer looks whether it was stopped,
 * or started again, meanwhile; the end of the device waits for it.
 */

#include <linux/crc32.h>
#include <linux/module.h>

#include <drm/drm_debugfs_crc.h>
#include <drm/drm_drv.h>
#include <drm/drm_managed.h>
#include <drm/drm_vblank.h>

#include "bochs.h"
#include BOCHS_COMPAT_TIMER_H

static bool frames = true;
module_param(frames, bool, 0444);
MODULE_PARM_DESC(frames,
		 "whether there are frames; if not, nobody waits for one");

static ktime_t frame_time(struct bochs *bochs)
{
	return ns_to_ktime(drm_crtc_vblank_crtc(&bochs->crtc)->framedur_ns);
}

/* Set the timer for the next frame, unless it was stopped or has been set already. */
static bool next_frame(struct bochs *bochs)
{
	unsigned long flags;
	bool next;

	spin_lock_irqsave(&bochs->frame_lock, flags);
	next = bochs->frames_run && !hrtimer_is_queued(&bochs->frame);
	if (next)
		hrtimer_forward_now(&bochs->frame, frame_time(bochs));
	spin_unlock_irqrestore(&bochs->frame_lock, flags);
	return next;
}

static enum hrtimer_restart frame_ends(struct hrtimer *timer)
{
	struct bochs *bochs = container_of(timer, struct bochs, frame);
	struct drm_crtc *crtc = &bochs->crtc;
	u32 crc;

	if (!next_frame(bochs))
		return HRTIMER_NORESTART;
	drm_crtc_handle_vblank(crtc);
	if (smp_load_acquire(&bochs->crc_wanted)) { /* after crc_store() */
		crc = READ_ONCE(bochs->crc);
		drm_crtc_add_crc_entry(crtc, true, drm_crtc_vblank_count(crtc),
				       &crc);
	}
	return HRTIMER_RESTART;
}

int bochs_frames_enable(struct drm_crtc *crtc)
{
	struct bochs *bochs = to_bochs(crtc->dev);
	unsigned long flags;

	spin_lock_irqsave(&bochs->frame_lock, flags);
	bochs->frames_run = true;
	hrtimer_start(&bochs->frame, frame_time(bochs), HRTIMER_MODE_REL);
	spin_unlock_irqrestore(&bochs->frame_lock, flags);
	return 0;
}

static void frames_stop(struct bochs *bochs)
{
	unsigned long flags;

	spin_lock_irqsave(&bochs->frame_lock, flags);
	bochs->frames_run = false;
	hrtimer_try_to_cancel(&bochs->frame);
	spin_unlock_irqrestore(&bochs->frame_lock, flags);
}

void bochs_frames_disable(struct drm_crtc *crtc)
{
	frames_stop(to_bochs(crtc->dev));
}

/* The commit's event comes with the next frame, or now if none will come. */
void bochs_frames_commit(struct drm_crtc *crtc)
{
	struct drm_pending_vblank_event *event = crtc->state->event;

	if (!event)
		return;
	crtc->state->event = NULL;
	spin_lock_irq(&crtc->dev->event_lock);
	if (frames && !drm_crtc_vblank_get(crtc))
		drm_crtc_arm_vblank_event(crtc, event);
	else
		drm_crtc_send_vblank_event(crtc, event);
	spin_unlock_irq(&crtc->dev->event_lock);
}

static const char *const crc_sources[] = { "auto" };

const char *const *bochs_crc_sources(struct drm_crtc *crtc, size_t *count)
{
	*count = ARRAY_SIZE(crc_sources);
	return crc_sources;
}

int bochs_crc_verify(struct drm_crtc *crtc, const char *source, size_t *values)
{
	if (source && strcmp(source, "auto"))
		return -EINVAL;
	*values = 1;
	return 0;
}

/* Of what the display shows now. The caller holds @crc_lock. */
static u32 crc_of_display(struct bochs *bochs)
{
	u8 line[512];
	size_t left = bochs->shown;
	u32 crc = ~0;

	for (void __iomem *from = bochs->vram; left; from += sizeof(line)) {
		size_t n = min(left, sizeof(line));

		memcpy_fromio(line, from, n);
		crc = crc32_le(crc, line, n);
		left -= n;
	}
	return crc;
}

/* The caller holds @crc_lock. Without a display nothing is read. */
static void crc_store(struct bochs *bochs)
{
	int index;

	if (!drm_dev_enter(&bochs->drm, &index))
		return;
	WRITE_ONCE(bochs->crc, crc_of_display(bochs));
	drm_dev_exit(index);
}

/* What the display shows has changed. */
void bochs_crc_update(struct bochs *bochs)
{
	mutex_lock(&bochs->crc_lock);
	if (bochs->crc_wanted)
		crc_store(bochs);
	mutex_unlock(&bochs->crc_lock);
}

/*
 * Frames go on while somebody wants checksums of them. The first one is there before a
 * frame may look for it.
 */
int bochs_crc_set(struct drm_crtc *crtc, const char *source)
{
	struct bochs *bochs = to_bochs(crtc->dev);
	size_t values;
	int err = bochs_crc_verify(crtc, source, &values);
	bool was, wanted = source;

	if (err || bochs->crc_wanted == wanted)
		return err;
	if (wanted)
		err = frames ? drm_crtc_vblank_get(crtc) : -EOPNOTSUPP;
	if (err)
		return err;
	mutex_lock(&bochs->crc_lock);
	was = bochs->crc_wanted;
	if (wanted)
		crc_store(bochs);
	smp_store_release(&bochs->crc_wanted, wanted); /* frame_ends() */
	mutex_unlock(&bochs->crc_lock);
	if (was)
		drm_crtc_vblank_put(crtc);
	return 0;
}

static void frames_end(struct drm_device *drm, void *data)
{
	struct bochs *bochs = data;

	frames_stop(bochs);
	hrtimer_cancel(&bochs->frame);
}

/* Before the CRTC is registered. */
int bochs_frames_init(struct bochs *bochs)
{
	int err = drmm_mutex_init(&bochs->drm, &bochs->crc_lock);

	if (err)
		return err;
	spin_lock_init(&bochs->frame_lock);
	bochs_timer_setup(&bochs->frame, frame_ends);
	err = drmm_add_action_or_reset(&bochs->drm, frames_end, bochs);
	if (err || !frames)
		return err;
	return drm_vblank_init(&bochs->drm, 1);
}
