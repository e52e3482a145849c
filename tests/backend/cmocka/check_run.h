/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_RUN_H
#define CHECK_RUN_H

#include "check_cmocka.h"

/** check_run() - run one case, from an empty machine to an empty ledger. Returns whether
 * it passed; if not, @message, of @size bytes, says why. */
bool check_run(const struct check_case *test, const struct tpsim_config *config,
	       char *message, size_t size);

#endif
