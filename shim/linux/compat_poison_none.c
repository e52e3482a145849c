// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Has the hardware told of an error in any page, in a kernel without
 * CONFIG_MEMORY_FAILURE: that has no mark for such pages. */

#include "ttmpool_port.h"

bool tpos_may_be_poisoned(struct device *dev)
{
	return false;
}
