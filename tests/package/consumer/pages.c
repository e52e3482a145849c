// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Take pages for a device, and give them back, in a program without buffers. */

#include <tpsim.h>
#include <ttmpool/pool.h>

int main(void)
{
	struct tpsim_machine *pc =
		tpsim_machine_create(&(struct tpsim_config){ 0 });
	struct tpsim_device *gpu =
		tpsim_device_create(pc, &(struct tpsim_device_config){ 0 });
	struct ttmpool_manager_config shared = { pc, TTMPOOL_NO_LIMIT, 8192 };
	struct ttmpool_pool_config own = { .name = "gpu0", .dev = gpu };
	struct ttmpool_request wanted = { .caching = TTMPOOL_WRITE_COMBINED,
					  .num_pages = 600 };
	tpos_dma_addr_t addr[600];
	tpos_page_t *pages[600];
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;

	if (ttmpool_manager_init(&mgr, &shared) ||
	    ttmpool_pool_init(&pool, &mgr, &own) ||
	    ttmpool_pool_take(&pool, &wanted, pages, addr) ||
	    ttmpool_pool_give(&pool, pages, 600, TTMPOOL_WRITE_COMBINED) ||
	    ttmpool_pool_fini(&pool) || ttmpool_manager_fini(&mgr))
		return 1;
	tpsim_machine_destroy(pc);
	return 0;
}
