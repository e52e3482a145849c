/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef PP_H
#define PP_H

/* What a kernel itself says of a page: pp_is_*.c, of which Kbuild picks. */

struct page;

/** pp_is_its() - is it a page of some page_pool of the network's? */
bool pp_is_its(struct page *page);

#endif
