// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <stdio.h>
#include <tpsim.h>
#include <ttmpool/ttmpool.h>

int main(void)
{
	struct tpsim_machine *pc =
		tpsim_machine_create(&(struct tpsim_config){ 0 });
	struct tpsim_device *gpu =
		tpsim_device_create(pc, &(struct tpsim_device_config){ 0 });
	tpos_page_t *pages[600];
	tpos_dma_addr_t addr[600];
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	struct ttmpool_backend be;
	struct ttmpool_manager_config shared = { pc, TTMPOOL_NO_LIMIT, 8192 };
	struct ttmpool_pool_config own = { .name = "gpu0", .dev = gpu };
	struct ttmpool_backend_config buffer = {
		.pool = &pool,
		.pages = pages,
		.dma_addr = addr,
		.num_pages = 600,
		.caching = TTMPOOL_WRITE_COMBINED,
	};

	if (ttmpool_manager_init(&mgr, &shared) ||
	    ttmpool_pool_init(&pool, &mgr, &own) ||
	    ttmpool_backend_init(&be, &buffer) || ttmpool_populate(&be))
		return 1;
	printf("page 599 is at %#llx for the device\n", 0ULL + addr[599]);
	/* The pages stay write-combined and mapped, for the next buffer. */
	if (ttmpool_unpopulate(&be) || ttmpool_backend_fini(&be) ||
	    ttmpool_pool_fini(&pool) || ttmpool_manager_fini(&mgr))
		return 1;
	tpsim_machine_destroy(pc);
	return 0;
}
