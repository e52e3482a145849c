/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SPACE_H
#define SPACE_H

/* For suites on a machine whose IOVA space is 4 MiB: two buffers that compete for it. */

#include "rig_buffer.h"

#define SPACE_BYTES (4 << 20)
#define SPACE_PAGES (SPACE_BYTES >> 12)

static inline struct buffer *buffer_of(struct check *t, struct rig *rig,
				       size_t n, unsigned int wait_ms)
{
	struct buffer *buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });

	if (buf)
		buf->be.wait_ms = wait_ms;
	return buf;
}

/* Two buffers that cannot both be mapped; the first one is mapped. */
static inline bool open_pair(struct check *t, struct rig *rig,
			     struct buffer *pair[2], unsigned int wait_ms)
{
	pair[0] = buffer_of(t, rig, SPACE_PAGES / 4 * 3, 0);
	pair[1] = buffer_of(t, rig, SPACE_PAGES / 2, wait_ms);
	return pair[0] && pair[1] && !ttmpool_populate(&pair[0]->be);
}

#endif
