/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_CMOCKA_H
#define CHECK_CMOCKA_H

#include "check.h"
#include "tpsim.h"

/** check_machine() - the simulated machine that a machine-only case runs on. */
struct tpsim_machine *check_machine(struct check *t);

/** check_allows_lazy() - this case has a pool with lazy_unmap: pages may be freed while a
 * device still reaches them. */
void check_allows_lazy(struct check *t);

/** check_snoops() - devices that are made from now on see the CPU's cache; on a machine
 * whose caches devices do not see, other devices do not. */
void check_snoops(struct check *t);

/** check_main() - the main() of a program with one suite. @config: the machine of each
 * case. */
int check_main(int argc, char **argv, const struct check_suite *suite,
	       const struct tpsim_config *config);

#endif
