/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CLEAR_H
#define CLEAR_H

#include <stddef.h>

/**
 * clear_bytes() - write zeroes
 * @to: aligned to 64 bytes
 * @len: a multiple of 64
 *
 * They may still be on their way when it returns; see clear_finish(). The kernel's
 * port does the same (shim/linux/clear_x86.c).
 */
void clear_bytes(void *to, size_t len);

/** clear_finish() - all that was cleared before is seen by all CPUs. */
void clear_finish(void);

#endif
