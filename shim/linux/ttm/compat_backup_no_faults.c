// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A kernel without injected failures. */

#include "ttm_backup_faults.h"
#include "ttm_drop_in.h"

bool ttmpool_ttm_backup_fails(void)
{
	return false;
}

bool ttm_backup_fault_inject_folio(void)
{
	return false;
}

void ttmpool_ttm_backup_init(void)
{
}
