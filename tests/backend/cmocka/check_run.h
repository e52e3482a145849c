/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_RUN_H
#define CHECK_RUN_H

#include "check_cmocka.h"

/** check_run() - one case, from a bare machine to an empty ledger; whether it
 * held, and if not, why: in @message, of @size bytes. */
bool check_run(const struct check_case *test, const struct tpsim_config *config,
	       char *message, size_t size);

#endif
