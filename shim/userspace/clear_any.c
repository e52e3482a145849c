// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clearing on a processor of which nothing is known. */

#include <stdatomic.h>
#include <string.h>

#include "clear.h"

void tpsim_clear_bytes(void *to, size_t len)
{
	memset(to, 0, len);
}

void tpsim_clear_finish(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}
