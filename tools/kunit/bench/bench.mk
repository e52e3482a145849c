# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Included at the end of the Makefile of the kernel's TTM, like ../replace.mk, for the
# kernel of ./dev kunit bench: TTM keeps its pool, the drop-in is linked beside it with
# other names for TTM's functions, and a KUnit suite races the two.

ttmpool-dir := ttmpool/
include $(src)/$(ttmpool-dir)shim/linux/ttm/ttm.mk

# Drivers see TTM's functions, and no test of TTM's looks into the drop-in.
bench-ours := $(patsubst %/mirror.o,%/mirror_none.o, \
	$(filter-out %/compat_exports_node.o,$(ttmpool-ttm-objs)))
bench-suite := $(addprefix $(ttmpool-dir)bench/,arms.o suite.o) \
	$(ttmpool-dir)race/fragment.o

# TTM's pool as it is on x86: stock.c.
bench-stock := $(ttmpool-dir)bench/stock.o

ttm-y := $(filter-out ttm_pool.o,$(ttm-y)) \
	$(bench-stock) $(bench-ours) $(bench-suite)
ccflags-y += $(ttmpool-ttm-ccflags)

bench-names := ttm_pool_alloc ttm_pool_free ttm_pool_init ttm_pool_fini \
	ttm_pool_debugfs ttm_pool_mgr_init ttm_pool_mgr_fini page_pool_size
bench-renames := $(foreach name,$(bench-names),-D$(name)=ours_$(name))

$(foreach object,$(bench-ours), \
	$(eval CFLAGS_$(object) += -Werror $(bench-renames)))
$(foreach object,$(bench-suite),$(eval CFLAGS_$(object) += -Werror))

# Half of these pages will be free, one by one, on a machine of 1 GiB.
CFLAGS_$(ttmpool-dir)race/fragment.o += -DPART_PAGES=131072
