// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Registering a shrinker, since 6.7: the kernel allocates it. */

#include "ttmpool_shrinker.h"
#include "ttmpool_system.h"

static unsigned long count_objects(struct shrinker *shrinker,
				   struct shrink_control *sc)
{
	return ttmpool_shrinker_count(shrinker->private_data, sc);
}

static unsigned long scan_objects(struct shrinker *shrinker,
				  struct shrink_control *sc)
{
	return ttmpool_shrinker_scan(shrinker->private_data, sc);
}

int ttmpool_shrinker_register(struct ttmpool_system *system,
			      struct tpos_shrinker *shrinker)
{
	struct shrinker *kernels =
		shrinker_alloc(SHRINKER_NUMA_AWARE, "%s", system->name);

	if (!kernels)
		return -ENOMEM;
	kernels->count_objects = count_objects;
	kernels->scan_objects = scan_objects;
	kernels->seeks = 1; /* it is cheap to make the pages again */
	kernels->batch = TTMPOOL_SHRINK_BATCH;
	kernels->private_data = shrinker;
	shrinker->shrinker = kernels;
	shrinker_register(kernels);
	return 0;
}

void ttmpool_shrinker_unregister(struct tpos_shrinker *shrinker)
{
	shrinker_free(shrinker->shrinker);
	shrinker->shrinker = NULL;
}
