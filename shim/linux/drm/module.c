// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * drm_gem_ttmpool.ko. It does nothing by itself: its pools belong to its drivers.
 */

#include <linux/module.h>

MODULE_DESCRIPTION("GEM objects on ttmpool");
MODULE_LICENSE("Dual MIT/GPL");
