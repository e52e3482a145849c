/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Since 7.3, what a commit changes is a drm_atomic_commit. */
#define bochs_atomic drm_atomic_commit
