/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_TTMPOOL_H
#define TTMPOOL_TTMPOOL_H

/* Includes all headers that a user of ttmpool needs. The author of a port begins with os.h. */

#include <ttmpool/backend.h>
#include <ttmpool/backup.h>
#include <ttmpool/caching.h>
#include <ttmpool/iova.h>
#include <ttmpool/magazine.h>
#include <ttmpool/manager.h>
#include <ttmpool/os.h>
#include <ttmpool/pool.h>
#include <ttmpool/report.h>
#include <ttmpool/runs.h>
#include <ttmpool/swap.h>
#include <ttmpool/tt.h>
#include <ttmpool/version.h>

#endif
