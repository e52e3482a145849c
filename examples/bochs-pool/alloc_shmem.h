/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#include <drm/drm_gem_shmem_helper.h>

#define BOCHS_ALLOC_DRIVER_OPS DRM_GEM_SHMEM_DRIVER_OPS
