// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Kernels before that: the mark alone, and two bits that are others' (net/core/skbuff.c,
 * page_pool_return_skb_page()). */

#include <linux/mm.h>
#include <linux/poison.h>

#include "pp.h"

bool pp_is_its(struct page *page)
{
	return (page->pp_magic & ~0x3UL) == PP_SIGNATURE;
}
