// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Older kernels: only the mark, and two bits that have other uses (net/core/skbuff.c,
 * page_pool_return_skb_page()). */

#include <linux/mm.h>
#include <linux/poison.h>

#include "pp.h"

bool pp_is_its(struct page *page)
{
	return (page->pp_magic & ~0x3UL) == PP_SIGNATURE;
}
