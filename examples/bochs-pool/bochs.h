/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BOCHS_H
#define BOCHS_H

/*
 * A small display driver, whole: for QEMU's bochs-display (PCI 1234:1111), which shows
 * what is in its 16 MiB of memory, and has no engine of its own. Clients draw in buffers
 * in system memory, and what they have changed is copied.
 *
 *   bochs_drv.c    probe and remove
 *   bochs_hw.c     registers
 *   bochs_kms.c    a CRTC, a connector and modes
 *   bochs_planes.c two planes
 *   bochs_draw.c   what is copied to the display, with the cursor on it
 *   bochs_frames.c frames, and their checksums
 *   alloc_*.c      where buffers come from: drm_gem_ttmpool, or the kernel's shmem helper
 */

#include <linux/hrtimer.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include <drm/drm_connector.h>
#include <drm/drm_crtc.h>
#include <drm/drm_device.h>
#include <drm/drm_encoder.h>
#include <drm/drm_plane.h>

#include BOCHS_COMPAT_ATOMIC_H

#define BOCHS_CURSOR 64 /* pixels, in either direction */
#define BOCHS_BYTES  4  /* a pixel */

/**
 * struct bochs - one display
 * @drm: the DRM device
 * @vram: its memory, of which it shows the beginning
 * @vram_size: in bytes
 * @regs: its registers
 * @primary: what is on the screen
 * @cursor: what is on top of it
 * @crtc: the only one
 * @encoder: the only one
 * @connector: the only one
 * @frame: ends a frame
 * @frames_run: whether frames come
 * @frame_lock: held while @frame is started, stopped or set for the next frame
 * @shown: bytes of @vram on the screen, 0 if it is off
 * @crc_lock: held while @crc changes, and while @crc_wanted is set
 * @crc_wanted: whether a client reads checksums of frames
 * @crc: of the last frame
 */
struct bochs {
	struct drm_device drm;
	void __iomem *vram;
	size_t vram_size;
	void __iomem *regs;
	struct drm_plane primary;
	struct drm_plane cursor;
	struct drm_crtc crtc;
	struct drm_encoder encoder;
	struct drm_connector connector;
	struct hrtimer frame;
	bool frames_run;
	spinlock_t frame_lock; /* for the two above */
	size_t shown;
	struct mutex crc_lock; /* for @crc and @crc_wanted */
	bool crc_wanted;
	u32 crc;
};

static inline struct bochs *to_bochs(struct drm_device *drm)
{
	return container_of(drm, struct bochs, drm);
}

/* bochs_hw.c */
int bochs_hw_init(struct bochs *bochs, struct pci_dev *pdev);
void bochs_hw_show(struct bochs *bochs, unsigned int width,
		   unsigned int height);
void bochs_hw_hide(struct bochs *bochs);

/* bochs_planes.c */
int bochs_planes_init(struct bochs *bochs);

/* bochs_draw.c */
void bochs_draw(struct bochs *bochs, struct bochs_atomic *state,
		struct drm_crtc_state *crtc);

/* bochs_frames.c */
int bochs_frames_init(struct bochs *bochs);
int bochs_frames_enable(struct drm_crtc *crtc);
void bochs_frames_disable(struct drm_crtc *crtc);
void bochs_frames_commit(struct drm_crtc *crtc);
const char *const *bochs_crc_sources(struct drm_crtc *crtc, size_t *count);
int bochs_crc_verify(struct drm_crtc *crtc, const char *source, size_t *values);
int bochs_crc_set(struct drm_crtc *crtc, const char *source);
void bochs_crc_update(struct bochs *bochs);

/* bochs_kms.c */
int bochs_kms_init(struct bochs *bochs);

/* alloc_*.c */
int bochs_alloc_init(struct bochs *bochs);
struct drm_gem_object *bochs_alloc_object(struct drm_device *drm, size_t size);

#endif
