// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TTM's file backup_fault_inject in debugfs: how often a step of a backup or of a restore
 * fails. ttm_backup.c, which is TTM's own, asks for each page of a chunk except the first.
 */

#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "ttm_backup_faults.h"
#include "ttm_drop_in.h"
#include "ttm_module.h"

static DECLARE_FAULT_ATTR(backup_fault_inject);

bool ttmpool_ttm_backup_fails(void)
{
	return should_fail(&backup_fault_inject, 1);
}

bool ttm_backup_fault_inject_folio(void)
{
	return should_fail(&backup_fault_inject, 1);
}

void ttmpool_ttm_backup_init(void)
{
	fault_create_debugfs_attr("backup_fault_inject", ttm_debugfs_root,
				  &backup_fault_inject);
}
