// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The setup for one trace: a fresh machine, so that runs are independent, with one device
 * or several behind the requested IOMMU, a manager, and a pool for each device.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define MIB (1u << 20)

static void choose_policy(struct ttmpool_policy *policy,
			  struct tpsim_device *dev,
			  const struct options *options)
{
	struct tpos_device_info info;

	tpos_device_query(dev, &info);
	ttmpool_policy_init(policy, &info);
	if (options->recycle == RECYCLE_OFF)
		memset(policy->recycle, 0, sizeof(policy->recycle));
	if (options->recycle == RECYCLE_ALL)
		policy->recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	/* Otherwise each unmap would wait, and lazy would cost as much as strict. */
	policy->lazy_unmap = options->iommu == TPSIM_IOMMU_LAZY;
}

static void destroy_machine(struct rig *rig)
{
	while (rig->nr_devices--)
		tpsim_device_destroy(rig->devs[rig->nr_devices]);
	tpsim_machine_destroy(rig->machine);
}

static int start_machine(struct rig *rig, const struct options *options)
{
	struct tpsim_config config = { .page_shift = 12,
				       .iommu = options->iommu,
				       .store_pages =
					       (size_t)options->store_mib *
					       (MIB / RIG_PAGE_SIZE),
				       .ram_pages = rig->ram_pages };
	struct tpsim_device_config device = { .node = TTMPOOL_NODE_ANY };

	rig->machine = tpsim_machine_create(&config);
	if (!rig->machine)
		return -ENOMEM;
	for (rig->nr_devices = 0; rig->nr_devices < options->devices;
	     rig->nr_devices++) {
		rig->devs[rig->nr_devices] =
			tpsim_device_create(rig->machine, &device);
		if (!rig->devs[rig->nr_devices]) {
			destroy_machine(rig);
			return -ENOMEM;
		}
	}
	return 0;
}

static void stop_pools(struct rig *rig, size_t nr)
{
	while (nr--)
		ttmpool_pool_fini(&rig->pools[nr]);
}

static int start_pool(struct rig *rig, const struct options *options, size_t i)
{
	struct ttmpool_policy policy;
	struct ttmpool_pool_config pool = {
		.name = "replay",
		.dev = rig->devs[i],
		.node = TTMPOOL_NODE_OF_DEVICE,
		.mapped_limit = options->mapped_limit_mib * MIB,
		.policy = &policy,
	};

	choose_policy(&policy, rig->devs[i], options);
	return ttmpool_pool_init(&rig->pools[i], &rig->mgr, &pool);
}

static int start_pools(struct rig *rig, const struct options *options)
{
	struct ttmpool_manager_config manager = {
		.system = rig->machine,
		.page_budget = options->page_budget,
		.pool_limit = options->pool_limit,
	};
	size_t i;
	int err;

	if (options->pool_limit == OPTIONS_HALF_OF_RAM)
		manager.pool_limit = rig->ram_pages / 2;
	err = ttmpool_manager_init(&rig->mgr, &manager);
	for (i = 0; !err && i < rig->nr_devices; i++) {
		err = start_pool(rig, options, i);
		if (!err)
			continue;
		stop_pools(rig, i);
		if (ttmpool_manager_fini(&rig->mgr))
			abort();
	}
	return err;
}

int rig_start(struct rig *rig, const struct options *options)
{
	int err;

	rig->ram_pages = options->ram_mib * (MIB / RIG_PAGE_SIZE);
	err = start_machine(rig, options);
	if (err)
		return err;
	err = start_pools(rig, options);
	if (err)
		destroy_machine(rig);
	return err;
}

static bool always(struct ttmpool_backend *be)
{
	(void)be;
	return true;
}

static void nothing(struct ttmpool_backend *be)
{
	(void)be;
}

void rig_choose(struct rig *rig, enum options_source source, bool coherent)
{
	if (source == SOURCE_PLAIN)
		rig->funcs = ttmpool_backend_plain;
	else if (source == SOURCE_COHERENT ||
		 (source == SOURCE_RECORDED && coherent))
		rig->funcs = ttmpool_backend_coherent;
	else
		rig->funcs = *ttmpool_backend_choose(&rig->pools[0]);
	rig->funcs.trylock = always;
	rig->funcs.unlock = nothing;
}

void rig_stats(struct rig *rig, struct ttmpool_pool_stats *stats)
{
	struct ttmpool_pool_stats one;
	const uint64_t *part;
	uint64_t *sum = (uint64_t *)stats;
	size_t i, j;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < rig->nr_devices; i++) {
		ttmpool_pool_stats(&rig->pools[i], &one);
		part = (const uint64_t *)&one;
		for (j = 0; j < sizeof(one) / sizeof(*sum); j++)
			sum[j] += part[j];
	}
}

uint64_t rig_idle(struct rig *rig, const struct ttmpool_pool *pool,
		  enum ttmpool_caching caching)
{
	uint64_t idle = 0;
	unsigned int order;
	size_t i;

	for (i = 0; i < rig->nr_devices; i++) {
		if (&rig->pools[i] == pool)
			continue;
		for (order = 0; order < TTMPOOL_NR_ORDERS; order++)
			idle += ttmpool_pool_count(&rig->pools[i],
						   rig->funcs.source, caching,
						   order)
				<< order;
	}
	return idle;
}

int rig_stop(struct rig *rig, struct replay_result *result)
{
	struct ttmpool_manager_stats manager;
	struct tpsim_ledger ledger;
	int err;

	rig_stats(rig, &result->pool);
	ttmpool_manager_stats(&rig->mgr, &manager);
	result->pages_shrunk = manager.pages_shrunk;
	stop_pools(rig, rig->nr_devices);
	tpsim_ledger(rig->machine, &ledger);
	result->pages_leaked = ledger.pages_plain + ledger.pages_coherent;
	ttmpool_manager_purge_quarantine(&rig->mgr);
	err = ttmpool_manager_fini(&rig->mgr);
	tpsim_counters(rig->machine, &result->machine);
	if (err || !tpsim_ledger_is_empty(rig->machine))
		return -EBUSY;
	destroy_machine(rig);
	return 0;
}
