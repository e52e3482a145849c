// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a trace is replayed on: a fresh machine, so that runs do not know of
 * each other, with one device behind whatever IOMMU was asked for, a manager
 * and a pool.
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
	/* Otherwise each unmap would wait, and lazy would cost as strict does.
	 */
	policy->lazy_unmap = options->iommu == TPSIM_IOMMU_LAZY;
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
	rig->dev = tpsim_device_create(rig->machine, &device);
	if (!rig->dev) {
		tpsim_machine_destroy(rig->machine);
		return -ENOMEM;
	}
	return 0;
}

static int start_pool(struct rig *rig, const struct options *options)
{
	struct ttmpool_manager_config manager = {
		.system = rig->machine,
		.page_budget = options->page_budget,
		.pool_limit = options->pool_limit,
	};
	struct ttmpool_policy policy;
	struct ttmpool_pool_config pool = {
		.name = "replay",
		.dev = rig->dev,
		.node = TTMPOOL_NODE_OF_DEVICE,
		.mapped_limit = options->mapped_limit_mib * MIB,
		.policy = &policy,
	};
	int err;

	if (options->pool_limit == OPTIONS_HALF_OF_RAM)
		manager.pool_limit = rig->ram_pages / 2;
	choose_policy(&policy, rig->dev, options);
	err = ttmpool_manager_init(&rig->mgr, &manager);
	if (err)
		return err;
	err = ttmpool_pool_init(&rig->pool, &rig->mgr, &pool);
	if (err && ttmpool_manager_fini(&rig->mgr))
		abort();
	return err;
}

int rig_start(struct rig *rig, const struct options *options)
{
	int err;

	rig->ram_pages = options->ram_mib * (MIB / RIG_PAGE_SIZE);
	err = start_machine(rig, options);
	if (err)
		return err;
	err = start_pool(rig, options);
	if (err) {
		tpsim_device_destroy(rig->dev);
		tpsim_machine_destroy(rig->machine);
	}
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
		rig->funcs = *ttmpool_backend_choose(&rig->pool);
	rig->funcs.trylock = always;
	rig->funcs.unlock = nothing;
}

int rig_stop(struct rig *rig, struct replay_result *result)
{
	struct ttmpool_manager_stats manager;
	struct tpsim_ledger ledger;
	int err;

	ttmpool_pool_stats(&rig->pool, &result->pool);
	ttmpool_manager_stats(&rig->mgr, &manager);
	result->pages_shrunk = manager.pages_shrunk;
	ttmpool_pool_fini(&rig->pool);
	tpsim_ledger(rig->machine, &ledger);
	result->pages_leaked = ledger.pages_plain + ledger.pages_coherent;
	ttmpool_manager_purge_quarantine(&rig->mgr);
	err = ttmpool_manager_fini(&rig->mgr);
	tpsim_counters(rig->machine, &result->machine);
	if (err || !tpsim_ledger_is_empty(rig->machine))
		return -EBUSY;
	tpsim_device_destroy(rig->dev);
	tpsim_machine_destroy(rig->machine);
	return 0;
}
