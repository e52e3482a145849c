/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SPAN_H
#define SPAN_H

#include <ttmpool/pool.h>

#include "machine.h"

/*
 * Some pages of a chunk, as the CPU reads and writes them; all guarded. The
 * bytes are the caller's alone, as long as he has the chunk.
 */

/** span_read() - the bytes of its i-th page, to be read. */
char *span_read(struct tpsim_machine *machine, const struct tpos_span *span,
		size_t i, const char *call);

/** span_write() - the bytes of its i-th page, to be written. */
char *span_write(struct tpsim_machine *machine, const struct tpos_span *span,
		 size_t i, const char *call);

/** span_sync() - let the device see what was written; takes the guard. */
void span_sync(struct tpsim_machine *machine, const struct tpos_span *span);

#endif
