// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The list of suites. Their names come from the Kbuild, which finds the files, so that no
 * suite can be forgotten here.
 */

#include "check_ktap.h"

#define DECLARE(name) extern const struct check_suite check_suite_##name;
#define ADDRESS(name) &check_suite_##name,

CHECK_SUITES(DECLARE)

const struct check_suite *const check_suites[] = { CHECK_SUITES(ADDRESS) NULL };
