# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Read at the end of the Makefile of the kernel's TTM, in whose directory ttmpool
# is linked: ttm_pool.o gives way to ttmpool and the drop-in, and all the rest of
# TTM, its suites with it, is the kernel's own.

ttmpool-dir := ttmpool/
include $(src)/$(ttmpool-dir)shim/linux/ttm/ttm.mk

ttm-y := $(filter-out ttm_pool.o,$(ttm-y)) $(ttmpool-ttm-objs)
ccflags-y += $(ttmpool-ttm-ccflags)

# A warning in what is ours is an error.
$(foreach object,$(ttmpool-ttm-objs),$(eval CFLAGS_$(object) += -Werror))
