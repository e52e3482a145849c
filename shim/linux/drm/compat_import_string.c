// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Since 6.13, a string names a namespace of symbols. */

#include <linux/module.h>

MODULE_IMPORT_NS("DMA_BUF");
