# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The drop-in for TTM's page pool, for the Makefile of drivers/gpu/drm/ttm. Set
# ttmpool-dir before including this, as for ../ttmpool.mk, which it includes. It
# sets ttmpool-ttm-objs, which replace ttm_pool.o, and ttmpool-ttm-ccflags.

ttmpool-events := ttm
include $(src)/$(ttmpool-dir)shim/linux/ttmpool.mk

# TTM's headers are those of the kernel for which it is built.
ttmpool-ttm-offers = $(shell grep -qw $(1) \
	$(srctree)/include/drm/ttm/$(2) && echo y)

ttmpool-ttm := manager pool unload
ttmpool-ttm += $(if $(call ttmpool-ttm-offers,nid,ttm_pool.h), \
	compat_exports_node,compat_exports)
ttmpool-ttm += $(if $(call ttmpool-ttm-offers,alloc_flags,ttm_pool.h), \
	compat_init_flags,$(if $(call ttmpool-ttm-offers,nid,ttm_pool.h), \
		compat_init_node,compat_init))
ttmpool-ttm += $(if $(call ttmpool-ttm-offers,ttm_backup_backup_folio,ttm_backup.h), \
	compat_backup compat_restore \
	$(if $(CONFIG_FAULT_INJECTION),compat_backup_faults,compat_backup_no_faults), \
	compat_no_backup)
# TTM uses a list_lru in exactly the versions in which it has a limit for each node.
ttmpool-ttm += $(if $(call ttmpool-ttm-offers,list_lru,ttm_pool.h), \
	compat_node_limit,compat_no_node_limit)
ttmpool-ttm += $(if $(CONFIG_DRM_TTM_KUNIT_TEST), \
	$(if $(call ttmpool-ttm-offers,list_lru,ttm_pool.h),mirror_lru,mirror), \
	mirror_none)

ttmpool-ttm-objs := $(ttmpool-pool-objs) \
	$(addprefix $(ttmpool-dir)shim/linux/,debugfs.o module_manager.o) \
	$(patsubst %,$(ttmpool-dir)shim/linux/ttm/%.o,$(ttmpool-ttm))

# ttm_module.h is beside TTM's own sources.
ttmpool-ttm-ccflags := $(ttmpool-ccflags) -I$(src) \
	'-DTTMPOOL_TTM_FLAGS_H="$(if \
		$(call ttmpool-ttm-offers,alloc_flags,ttm_pool.h),ttm_pool_internal.h,compat_flags_members.h)"' \
	'-DTTMPOOL_TTM_BO_H="drm/ttm/$(if \
		$(wildcard $(srctree)/include/drm/ttm/ttm_bo.h),ttm_bo.h,ttm_bo_api.h)"'
