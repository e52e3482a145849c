# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The library as kernel objects: for the Kbuild at the root, and for the Kbuild
# of a driver that embeds it. Set before including this:
#
#   ttmpool-dir     where ttmpool lies, seen from that Kbuild; ends with a /,
#                   or is empty
#   ttmpool-events  the trace events' system, "ttmpool" if not set
#
# It sets ttmpool-objs and ttmpool-ccflags.

ttmpool-lib := $(patsubst $(src)/%.c,%.o, \
	$(sort $(wildcard $(src)/$(ttmpool-dir)lib/*.c)))

# Verbs that are traced: those by their names are in traced.c, with an event each,
# and lib/ has its own by another name.
CFLAGS_$(ttmpool-dir)lib/backend.o := \
	-Dttmpool_populate=ttmpool_untraced_populate \
	-Dttmpool_unpopulate=ttmpool_untraced_unpopulate
CFLAGS_$(ttmpool-dir)lib/arrays.o := \
	-Dttmpool_pool_take=ttmpool_untraced_take \
	-Dttmpool_pool_give=ttmpool_untraced_give

ttmpool-port := adopt device dma pages report shmem_backend shrinker \
	span store trace traced wait work
ttmpool-port += $(if $(CONFIG_X86),caching_x86,caching_none)
ttmpool-port += $(if $(CONFIG_X86_64),clear_x86,clear_any)
ttmpool-port += $(if $(CONFIG_FUNCTION_ERROR_INJECTION),faults)

# What kernels differ in, by what their headers offer.
ttmpool-offers = $(shell grep -qw $(1) $(srctree)/include/linux/$(2) && echo y)

ttmpool-port += $(if $(call ttmpool-offers,shrinker_alloc,shrinker.h), \
	compat_shrinker_alloc,compat_shrinker_register)
ttmpool-port += $(if $(call ttmpool-offers,replace_page_cache_folio,pagemap.h), \
	compat_store_folio,compat_store_page)
ttmpool-port += $(if $(CONFIG_SWIOTLB), \
	$(if $(call ttmpool-offers,defpool,swiotlb.h), \
		compat_swiotlb_pool,compat_swiotlb_mem), \
	compat_swiotlb_none)

ttmpool-objs := $(ttmpool-lib) \
	$(patsubst %,$(ttmpool-dir)shim/linux/%.o,$(ttmpool-port))

ttmpool-ccflags := -I$(src)/$(ttmpool-dir)include \
	-I$(src)/$(ttmpool-dir)shim/linux \
	-DTTMPOOL_TRACE_SYSTEM=$(or $(ttmpool-events),ttmpool)
