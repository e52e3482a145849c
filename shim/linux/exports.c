// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The symbols that ttmpool.ko exports to drivers: the whole public interface, in one place.
 * They are for GPL-compatible modules, because ttmpool.ko itself uses such symbols.
 */

#include <linux/export.h>

#include <ttmpool/ttmpool.h>

#include "ttmpool_module.h"
#include "ttmpool_shmem.h"
#include "ttmpool_shrinker.h"
#include "ttmpool_system.h"

EXPORT_SYMBOL_GPL(ttmpool_backend_choose);
EXPORT_SYMBOL_GPL(ttmpool_backend_coherent);
EXPORT_SYMBOL_GPL(ttmpool_backend_fini);
EXPORT_SYMBOL_GPL(ttmpool_backend_init);
EXPORT_SYMBOL_GPL(ttmpool_backend_is_valid);
EXPORT_SYMBOL_GPL(ttmpool_backend_plain);
EXPORT_SYMBOL_GPL(ttmpool_bind);
EXPORT_SYMBOL_GPL(ttmpool_chunk_may_become);
EXPORT_SYMBOL_GPL(ttmpool_drop);
EXPORT_SYMBOL_GPL(ttmpool_handover);
EXPORT_SYMBOL_GPL(ttmpool_iova_fini);
EXPORT_SYMBOL_GPL(ttmpool_iova_init);
EXPORT_SYMBOL_GPL(ttmpool_iova_pages);
EXPORT_SYMBOL_GPL(ttmpool_lru_add);
EXPORT_SYMBOL_GPL(ttmpool_lru_remove);
EXPORT_SYMBOL_GPL(ttmpool_lru_touch);
EXPORT_SYMBOL_GPL(ttmpool_magazine_drain);
EXPORT_SYMBOL_GPL(ttmpool_magazine_fini);
EXPORT_SYMBOL_GPL(ttmpool_magazine_get);
EXPORT_SYMBOL_GPL(ttmpool_magazine_init);
EXPORT_SYMBOL_GPL(ttmpool_magazine_put);
EXPORT_SYMBOL_GPL(ttmpool_magazine_takes);
EXPORT_SYMBOL_GPL(ttmpool_manager_each_pool);
EXPORT_SYMBOL_GPL(ttmpool_manager_fini);
EXPORT_SYMBOL_GPL(ttmpool_manager_init);
EXPORT_SYMBOL_GPL(ttmpool_manager_is_valid);
EXPORT_SYMBOL_GPL(ttmpool_manager_purge_quarantine);
EXPORT_SYMBOL_GPL(ttmpool_manager_set_page_budget);
EXPORT_SYMBOL_GPL(ttmpool_manager_set_pool_limit);
EXPORT_SYMBOL_GPL(ttmpool_manager_shrink_count);
EXPORT_SYMBOL_GPL(ttmpool_manager_shrink_count_node);
EXPORT_SYMBOL_GPL(ttmpool_manager_shrink_scan);
EXPORT_SYMBOL_GPL(ttmpool_manager_shrink_scan_node);
EXPORT_SYMBOL_GPL(ttmpool_manager_stats);
EXPORT_SYMBOL_GPL(ttmpool_manager_swapout);
EXPORT_SYMBOL_GPL(ttmpool_owner_fini);
EXPORT_SYMBOL_GPL(ttmpool_owner_init);
EXPORT_SYMBOL_GPL(ttmpool_owner_pages);
EXPORT_SYMBOL_GPL(ttmpool_page_insertable);
EXPORT_SYMBOL_GPL(ttmpool_policy_init);
EXPORT_SYMBOL_GPL(ttmpool_pool_count);
EXPORT_SYMBOL_GPL(ttmpool_pool_drain);
EXPORT_SYMBOL_GPL(ttmpool_pool_fini);
EXPORT_SYMBOL_GPL(ttmpool_pool_give);
EXPORT_SYMBOL_GPL(ttmpool_pool_give_ticket);
EXPORT_SYMBOL_GPL(ttmpool_pool_give_up);
EXPORT_SYMBOL_GPL(ttmpool_pool_give_up_part);
EXPORT_SYMBOL_GPL(ttmpool_pool_init);
EXPORT_SYMBOL_GPL(ttmpool_pool_is_valid);
EXPORT_SYMBOL_GPL(ttmpool_pool_new_ticket);
EXPORT_SYMBOL_GPL(ttmpool_pool_owns);
EXPORT_SYMBOL_GPL(ttmpool_pool_prepare);
EXPORT_SYMBOL_GPL(ttmpool_pool_prime);
EXPORT_SYMBOL_GPL(ttmpool_pool_ready);
EXPORT_SYMBOL_GPL(ttmpool_pool_reserve);
EXPORT_SYMBOL_GPL(ttmpool_pool_scrub);
EXPORT_SYMBOL_GPL(ttmpool_pool_stats);
EXPORT_SYMBOL_GPL(ttmpool_pool_strip);
EXPORT_SYMBOL_GPL(ttmpool_pool_take);
EXPORT_SYMBOL_GPL(ttmpool_populate);
EXPORT_SYMBOL_GPL(ttmpool_report_name);
EXPORT_SYMBOL_GPL(ttmpool_runs_fill);
EXPORT_SYMBOL_GPL(ttmpool_runs_give);
EXPORT_SYMBOL_GPL(ttmpool_runs_take);
EXPORT_SYMBOL_GPL(ttmpool_swapin);
EXPORT_SYMBOL_GPL(ttmpool_swapout);
EXPORT_SYMBOL_GPL(ttmpool_to_anonymous);
EXPORT_SYMBOL_GPL(ttmpool_to_device);
EXPORT_SYMBOL_GPL(ttmpool_tt_is_valid);
EXPORT_SYMBOL_GPL(ttmpool_tt_may_become);
EXPORT_SYMBOL_GPL(ttmpool_tt_state_name);
EXPORT_SYMBOL_GPL(ttmpool_unbind);
EXPORT_SYMBOL_GPL(ttmpool_unpopulate);

/* The functions of the contract that a driver's own backend may need. */
EXPORT_SYMBOL_GPL(tpos_device_query);
EXPORT_SYMBOL_GPL(tpos_pages_alloc);
EXPORT_SYMBOL_GPL(tpos_page_chunk);
EXPORT_SYMBOL_GPL(tpos_page_set_chunk);
EXPORT_SYMBOL_GPL(tpos_chunk_alloc);
EXPORT_SYMBOL_GPL(tpos_chunk_free);
EXPORT_SYMBOL_GPL(tpos_pages_free);
EXPORT_SYMBOL_GPL(tpos_pages_clear);
EXPORT_SYMBOL_GPL(tpos_page_sum);
EXPORT_SYMBOL_GPL(tpos_pages_copy);
EXPORT_SYMBOL_GPL(tpos_pages_split);
EXPORT_SYMBOL_GPL(tpos_caching_set);
EXPORT_SYMBOL_GPL(tpos_dma_map);
EXPORT_SYMBOL_GPL(tpos_dma_unmap);
EXPORT_SYMBOL_GPL(tpos_dma_bounces);
EXPORT_SYMBOL_GPL(tpos_device_reaches);
EXPORT_SYMBOL_GPL(tpos_store_adopt);
EXPORT_SYMBOL_GPL(tpos_store_create);
EXPORT_SYMBOL_GPL(tpos_store_destroy);
EXPORT_SYMBOL_GPL(tpos_store_write);
EXPORT_SYMBOL_GPL(tpos_store_read);
EXPORT_SYMBOL_GPL(tpos_store_drop);
EXPORT_SYMBOL_GPL(tpos_wait);
EXPORT_SYMBOL_GPL(tpos_wait_killable);
EXPORT_SYMBOL_GPL(tpos_wake);

/* For the test suites that are a module beside this one. */
EXPORT_SYMBOL_GPL(tpos_work_cancel);
EXPORT_SYMBOL_GPL(tpos_work_queue);
EXPORT_SYMBOL_GPL(ttmpool_alloc_gfp);
EXPORT_SYMBOL_GPL(ttmpool_small_gfp);
EXPORT_SYMBOL_GPL(ttmpool_shrinker_count);
EXPORT_SYMBOL_GPL(ttmpool_shrinker_scan);
EXPORT_SYMBOL_GPL(ttmpool_active_stat);
EXPORT_SYMBOL_GPL(ttmpool_spare_stat);
EXPORT_SYMBOL_GPL(ttmpool_work_run);

EXPORT_SYMBOL_GPL(ttmpool_shmem_fini);
EXPORT_SYMBOL_GPL(ttmpool_shmem_init);
EXPORT_SYMBOL_GPL(ttmpool_shmem_purge);

EXPORT_SYMBOL_GPL(ttmpool_module_get);
EXPORT_SYMBOL_GPL(ttmpool_module_manager);
EXPORT_SYMBOL_GPL(ttmpool_module_put);
EXPORT_SYMBOL_GPL(ttmpool_module_counters);

/*
 * What other architectures need from the DMA API, for a test that finds out whether
 * it is available.
 */
EXPORT_SYMBOL_GPL(ttmpool_flush_pages);
