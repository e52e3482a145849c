/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CLEAR_H
#define CLEAR_H

#include <stddef.h>

/**
 * tpsim_clear_bytes() - write zeroes
 * @to: aligned to 64 bytes
 * @len: a multiple of 64
 *
 * The stores may not be complete when it returns; see tpsim_clear_finish(). The kernel's
 * port does the same (shim/linux/clear_x86.c).
 */
void tpsim_clear_bytes(void *to, size_t len);

/** tpsim_clear_finish() - after it, all CPUs see all that was cleared before. */
void tpsim_clear_finish(void);

#endif
