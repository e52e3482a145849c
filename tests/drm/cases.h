/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef DRM_CASES_H
#define DRM_CASES_H

#include <drm/drm_device.h>
#include <drm/drm_drv.h>

#include <drm_gem_ttmpool.h>

/* device.c: up to two devices without hardware, for which buffers are mapped. */
int devices_start(void);
void devices_end(void);
struct drm_device *device_plug(int id);
void device_unplug(int id);

#endif
