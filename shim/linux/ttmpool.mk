# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The library as kernel objects: for the Kbuild at the root, and for the Kbuild
# of a driver that embeds it. Set before including this:
#
#   ttmpool-dir     the path from that Kbuild to ttmpool; ends with a /, or is
#                   empty
#   ttmpool-events  the system of the trace events; "ttmpool" if not set
#
# This file sets ttmpool-ccflags and two lists of objects: ttmpool-pool-objs has
# pages only, and ttmpool-objs has buffers, too. A module links one of them.

ttmpool-floor = $(patsubst $(src)/%.c,%.o, \
	$(sort $(wildcard $(src)/$(ttmpool-dir)lib/$(1)/*.c)))

# Traced functions: traced_*.c has the functions with these names, with an event each,
# and those of lib/ get other names.
CFLAGS_$(ttmpool-dir)lib/buffer/backend.o := \
	-Dttmpool_populate=ttmpool_untraced_populate \
	-Dttmpool_unpopulate=ttmpool_untraced_unpopulate
CFLAGS_$(ttmpool-dir)lib/buffer/resident.o := \
	-Dttmpool_backend_set_state=ttmpool_untraced_set_state
CFLAGS_$(ttmpool-dir)lib/pool/arrays.o := \
	-Dttmpool_pool_take=ttmpool_untraced_take \
	-Dttmpool_pool_give=ttmpool_untraced_give \
	-Dttmpool_pool_give_ticket=ttmpool_untraced_give_ticket

ttmpool-port := coherent descriptors device dma flush index pages report shrinker span
ttmpool-port += statistics trace traced_pool wait work
ttmpool-port += $(if $(CONFIG_X86),caching_x86,caching_none)
ttmpool-port += $(if $(CONFIG_X86_64),clear_x86,clear_any)
ttmpool-port += $(if $(CONFIG_FUNCTION_ERROR_INJECTION),faults)

# Differences between kernels, detected from what their headers offer.
ttmpool-offers = $(shell grep -qw $(1) $(srctree)/include/linux/$(2) && echo y)

# The same for a pattern.
ttmpool-shows = $(shell grep -q '$(1)' $(srctree)/include/linux/$(2) && echo y)

ttmpool-port += $(if $(call ttmpool-offers,shrinker_alloc,shrinker.h), \
	compat_shrinker_alloc,compat_shrinker_register)
ttmpool-port += $(if $(call ttmpool-offers,mm_account_reclaimed_pages,swap.h), \
	compat_reclaimed,compat_reclaimed_slab)
ttmpool-port += $(if $(CONFIG_SWIOTLB), \
	$(if $(call ttmpool-offers,defpool,swiotlb.h), \
		compat_swiotlb_pool,compat_swiotlb_mem), \
	compat_swiotlb_none)
ttmpool-port += $(if $(CONFIG_MEMORY_FAILURE), \
	$(if $(call ttmpool-offers,mf_stats,mmzone.h), \
		compat_poison_stats,compat_poison_unknown), \
	compat_poison_none)
# dma_iova_link() does not report its mappings to DMA_API_DEBUG, which would report a
# driver's sync of such a page as an error (kernel/dma/debug.c, check_sync()).
ttmpool-links := $(if $(CONFIG_DMA_API_DEBUG),,$(and $(CONFIG_IOMMU_DMA), \
	$(call ttmpool-offers,dma_iova_link,dma-mapping.h)))
ttmpool-port += $(if $(ttmpool-links),compat_iova_link,compat_iova_none)

ttmpool-port += $(if $(call ttmpool-offers,NR_GPU_ACTIVE,mmzone.h), \
	compat_counters_gpu,compat_counters_kernel)

# These files move contents of buffers to shmem and back. write_begin() and the page
# cache's replacement changed to folios in different versions, so each is detected by itself.
ttmpool-stores := adopt shmem_backend store trace_buffer traced_buffer
ttmpool-stores += $(if $(call ttmpool-shows,write_begin..const struct kiocb,fs.h), \
	compat_store_kiocb, \
	$(if $(call ttmpool-shows,struct folio ..foliop,fs.h), \
		compat_store_folio,compat_store_page))
ttmpool-stores += $(if $(call ttmpool-offers,replace_page_cache_folio,pagemap.h), \
	compat_replace_folio,compat_replace_page)
ttmpool-stores += $(if $(call ttmpool-offers,shmem_write_folio,shmem_fs.h), \
	compat_writeback_folio,compat_writeback_page)
ttmpool-stores += $(if $(call ttmpool-shows,shmem_file_setup.*vma_flags_t,shmem_fs.h), \
	compat_file_vma_flags,compat_file_flags)

ttmpool-pool-objs := $(call ttmpool-floor,pool) \
	$(patsubst %,$(ttmpool-dir)shim/linux/%.o,$(ttmpool-port))
ttmpool-objs := $(ttmpool-pool-objs) $(call ttmpool-floor,buffer) \
	$(patsubst %,$(ttmpool-dir)shim/linux/%.o,$(ttmpool-stores))

ttmpool-ccflags := -I$(src)/$(ttmpool-dir)include \
	-I$(src)/$(ttmpool-dir)shim/linux \
	-DTTMPOOL_TRACE_SYSTEM=$(or $(ttmpool-events),ttmpool) \
	'-DTTMPOOL_FOLIO_BATCH_H="linux/$(if \
		$(wildcard $(srctree)/include/linux/folio_batch.h),folio_batch.h,pagevec.h)"'
