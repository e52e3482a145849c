/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_RIG_H
#define REPLAY_RIG_H

#include <ttmpool/ttmpool.h>

#include "options.h"
#include "result.h"

/** RIG_PAGE_SIZE - traces count pages of 4 KiB, so the machine has these */
#define RIG_PAGE_SIZE 4096u

/** struct rig - a machine with devices, and a pool for each */
struct rig {
	struct tpsim_machine *machine;
	struct tpsim_device *devs[OPTIONS_DEVICES_MAX];
	struct ttmpool_manager mgr;
	struct ttmpool_pool pools[OPTIONS_DEVICES_MAX];
	size_t nr_devices;
	struct ttmpool_backend_funcs funcs;
	size_t ram_pages;
};

/**
 * rig_start() - build all of it
 * @rig: uninitialised memory
 * @options: of the replay
 *
 * Return: 0, or -errno if the process has no memory for it.
 */
int rig_start(struct rig *rig, const struct options *options);

/**
 * rig_choose() - choose the backend of the buffers
 *
 * The replay is one thread, which works on one buffer at a time, so it always gets the
 * lock of another buffer. The buffer that it works on is not on the list meanwhile.
 */
void rig_choose(struct rig *rig, enum options_source source, bool coherent);

/** rig_stats() - the counters of all pools, added up, peaks included */
void rig_stats(struct rig *rig, struct ttmpool_pool_stats *stats);

/** rig_idle() - how many pages of this kind are idle in other pools than @pool */
uint64_t rig_idle(struct rig *rig, const struct ttmpool_pool *pool,
		  enum ttmpool_caching caching);

/**
 * rig_stop() - tear all of it down
 * @rig: the rig; no buffer has pages
 * @result: the counters of its pools, its machine and its leaks are filled in
 *
 * Return: 0, or -EBUSY if the machine's ledger was not empty; then the machine stays, for
 * a debugger.
 */
int rig_stop(struct rig *rig, struct replay_result *result);

#endif
