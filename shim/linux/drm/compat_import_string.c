// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Since 6.13: a namespace of symbols is named by a string. */

#include <linux/module.h>

MODULE_IMPORT_NS("DMA_BUF");
