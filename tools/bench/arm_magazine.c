// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ttmpool for a driver whose threads have magazines: one thread populates from its own,
 * and another gives back to its own. Each buffer is one chunk. */

#include <linux/err.h>
#include <linux/log2.h>

#include <ttmpool/ttmpool.h>

#include "../../shim/linux/ttmpool_module.h"
#include "race.h"

#define ROOM 32

static struct ttmpool_pool pool;
static struct ttmpool_owner owner;
static struct ttmpool_chunk *gets_room[ROOM], *puts_room[ROOM];
static struct ttmpool_magazine gets, puts;
static bool started;

static int arm_open(struct device *dev)
{
	struct ttmpool_pool_config config = { .name = "race",
					      .dev = dev,
					      .node = TTMPOOL_NODE_ANY };

	started = false;
	ttmpool_owner_init(&owner, "race");
	return ttmpool_pool_init(&pool, ttmpool_module_manager(), &config);
}

static void arm_close(void)
{
	if (started) {
		ttmpool_magazine_fini(&gets);
		ttmpool_magazine_fini(&puts);
	}
	WARN_ON(ttmpool_owner_fini(&owner));
	ttmpool_pool_fini(&pool);
}

/* All buffers have the size of the first one. */
static int arm_order(struct buffer *buffer)
{
	struct ttmpool_magazine_config config = {
		.pool = &pool,
		.caching = buffer->caching,
		.order = ilog2(buffer->pages),
		.mapped = true,
		.owner = &owner,
		.chunks = gets_room,
		.room = ROOM,
	};
	int err;

	if (started)
		return 0;
	err = ttmpool_magazine_init(&gets, &config);
	config.chunks = puts_room;
	if (!err)
		err = ttmpool_magazine_init(&puts, &config);
	started = !err;
	return err;
}

static int arm_populate(struct buffer *buffer)
{
	struct ttmpool_chunk *chunk;
	int err = ttmpool_magazine_get(&gets, &chunk, 1);

	buffer->arm = chunk;
	return err;
}

static void arm_unpopulate(struct buffer *buffer)
{
	struct ttmpool_chunk *chunk = buffer->arm;

	WARN_ON(ttmpool_magazine_put(&puts, &chunk, 1));
}

static void arm_dispose(struct buffer *buffer)
{
}

const struct arm arm_magazine = { .name = "magazine",
				  .open = arm_open,
				  .close = arm_close,
				  .order = arm_order,
				  .populate = arm_populate,
				  .unpopulate = arm_unpopulate,
				  .dispose = arm_dispose };
