// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The one file that defines the trace events of buffers. */

#define CREATE_TRACE_POINTS
#include "ttmpool_trace_buffer.h"
