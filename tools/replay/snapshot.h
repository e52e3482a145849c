/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_SNAPSHOT_H
#define REPLAY_SNAPSHOT_H

#include "rig.h"

/**
 * snapshot_try() - can the files be written?
 * @directory: created if it does not exist
 *
 * Return: 0, or -errno, and then one line on stderr says why not.
 */
int snapshot_try(const char *directory);

/**
 * snapshot_show() - write the state of the pool, if it is time for that
 * @directory: snapshot_try() succeeded for it
 * @rig: whose state
 * @row: how many rows have been replayed
 */
void snapshot_show(const char *directory, struct rig *rig, uint64_t row);

/**
 * snapshot_write() - write the state of the pool now
 *
 * Return: 0, or -errno, and then one line on stderr says why not.
 */
int snapshot_write(const char *directory, struct rig *rig);

#endif
