// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The trace events of buffers come into being in one file: this one. */

#define CREATE_TRACE_POINTS
#include "ttmpool_trace_buffer.h"
