/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#include <drm_gem_ttmpool.h>

#define BOCHS_ALLOC_DRIVER_OPS DRM_GEM_TTMPOOL_DRIVER_OPS
