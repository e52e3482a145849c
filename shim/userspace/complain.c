// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The machine's assertions. What a kernel would warn about with its checks enabled
 * (lockdep, DMA_API_DEBUG, DEBUG_ATOMIC_SLEEP, KASAN, "Bad page state") is a defect of the
 * caller. It ends the program at the call that has the defect, with one line that names
 * the rule. Nobody reads a warning that scrolls by in a test.
 */

#include <stdarg.h>
#include <stdlib.h>

#include "machine.h"

void tpsim_complain(const char *rule, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "tpsim: %s: ", rule);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

void tpsim_assert_failed(const char *cond, const char *file, int line)
{
	tpsim_complain("assertion failed", "%s:%d: %s", file, line, cond);
}
