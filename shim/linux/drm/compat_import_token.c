// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Before 6.13, a token names a namespace of symbols. */

#include <linux/module.h>

MODULE_IMPORT_NS(DMA_BUF);
