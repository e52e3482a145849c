/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTM_BACKUP_FAULTS_H
#define TTM_BACKUP_FAULTS_H

/*
 * compat_backup_faults.c or compat_backup_no_faults.c: TTM's own points of failure.
 */

#include <linux/types.h>

/**
 * ttmpool_ttm_backup_fails() - whether this step of a backup or restore is to fail
 *
 * TTM's file backup_fault_inject in debugfs decides, if the kernel has such files.
 */
bool ttmpool_ttm_backup_fails(void);

#endif
