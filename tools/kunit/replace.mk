# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Included at the end of the Makefile of the kernel's TTM, which has a link to ttmpool:
# ttmpool and the drop-in take the place of ttm_pool.o; the rest of TTM, with its suites,
# is the kernel's own.

ttmpool-dir := ttmpool/
include $(src)/$(ttmpool-dir)shim/linux/ttm/ttm.mk

ttm-y := $(filter-out ttm_pool.o,$(ttm-y)) $(ttmpool-ttm-objs)
ccflags-y += $(ttmpool-ttm-ccflags)

# A warning in our files is an error.
$(foreach object,$(ttmpool-ttm-objs),$(eval CFLAGS_$(object) += -Werror))
