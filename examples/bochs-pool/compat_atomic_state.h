/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Up to 7.2, what a commit changes is a drm_atomic_state. */
#define bochs_atomic drm_atomic_state
