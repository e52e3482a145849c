// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Registering a shrinker, from 6.0 to 6.6: the caller allocates it. */

#include <linux/container_of.h>
#include <linux/slab.h>

#include "ttmpool_shrinker.h"
#include "ttmpool_system.h"

struct registered {
	struct shrinker kernels;
	struct tpos_shrinker *ours;
};

static unsigned long count_objects(struct shrinker *shrinker,
				   struct shrink_control *sc)
{
	return ttmpool_shrinker_count(
		container_of(shrinker, struct registered, kernels)->ours, sc);
}

static unsigned long scan_objects(struct shrinker *shrinker,
				  struct shrink_control *sc)
{
	return ttmpool_shrinker_scan(
		container_of(shrinker, struct registered, kernels)->ours, sc);
}

int ttmpool_shrinker_register(struct ttmpool_system *system,
			      struct tpos_shrinker *shrinker)
{
	struct registered *reg = kzalloc(sizeof(*reg), GFP_KERNEL);
	int err;

	if (!reg)
		return -ENOMEM;
	reg->kernels.count_objects = count_objects;
	reg->kernels.scan_objects = scan_objects;
	reg->kernels.seeks = 1; /* it is cheap to make the pages again */
	reg->kernels.batch = TTMPOOL_SHRINK_BATCH;
	reg->kernels.flags = SHRINKER_NUMA_AWARE;
	reg->ours = shrinker;
	shrinker->shrinker = &reg->kernels;
	err = register_shrinker(&reg->kernels, "%s", system->name);
	if (err)
		kfree(reg);
	return err;
}

void ttmpool_shrinker_unregister(struct tpos_shrinker *shrinker)
{
	unregister_shrinker(shrinker->shrinker);
	kfree(container_of(shrinker->shrinker, struct registered, kernels));
	shrinker->shrinker = NULL;
}
