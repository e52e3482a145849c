// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The functions of this port that may be made to fail from outside: every function of the
 * contract that can fail. In a kernel with CONFIG_FAIL_FUNCTION,
 * /sys/kernel/debug/fail_function makes the k-th call of such a function return an error
 * instead of doing its work, which the library must survive: see
 * tools/kernel/init-debug.sh. In other kernels, nobody reads this list.
 */

#include <linux/error-injection.h>

#include "ttmpool_system.h"

ALLOW_ERROR_INJECTION(tpos_pages_alloc, ERRNO);
ALLOW_ERROR_INJECTION(tpos_caching_set, ERRNO);
ALLOW_ERROR_INJECTION(tpos_dma_map, ERRNO);
ALLOW_ERROR_INJECTION(tpos_chunk_alloc, NULL);
ALLOW_ERROR_INJECTION(tpos_zalloc, NULL);
ALLOW_ERROR_INJECTION(tpos_shrinker_register, ERRNO);
ALLOW_ERROR_INJECTION(tpos_store_create, ERRNO);
ALLOW_ERROR_INJECTION(tpos_store_adopt, ERRNO);
ALLOW_ERROR_INJECTION(tpos_store_write, ERRNO);
ALLOW_ERROR_INJECTION(tpos_store_read, ERRNO);
