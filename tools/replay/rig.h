/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_RIG_H
#define REPLAY_RIG_H

#include <ttmpool/ttmpool.h>

#include "options.h"
#include "result.h"

/** RIG_PAGE_SIZE - traces count pages of 4 KiB, so the machine has such */
#define RIG_PAGE_SIZE 4096u

/** struct rig - a machine with one device, and a pool for it */
struct rig {
	struct tpsim_machine *machine;
	struct tpsim_device *dev;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	struct ttmpool_backend_funcs funcs;
	size_t ram_pages;
};

/**
 * rig_start() - build all of it
 * @rig: uninitialised memory
 * @options: how
 *
 * Return: 0, or -errno if the process has no memory for it.
 */
int rig_start(struct rig *rig, const struct options *options);

/**
 * rig_choose() - settle which backend buffers get
 *
 * The replay is one thread, which works on one buffer at a time: whoever asks
 * for another one's lock gets it. Its own is not on the list while it does.
 */
void rig_choose(struct rig *rig, enum options_source source, bool coherent);

/**
 * rig_stop() - take all of it apart
 * @rig: the rig; no buffer has pages
 * @result: its pool, machine and leak counters are filled in
 *
 * Return: 0, or -EBUSY if the machine's ledger was not empty; the machine is
 * then left standing, for a debugger.
 */
int rig_stop(struct rig *rig, struct replay_result *result);

#endif
