/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef PP_H
#define PP_H

/* What the kernel itself says of a page: Kbuild picks one of pp_is_*.c. */

struct page;

/** pp_is_its() - does the page belong to a page_pool of the network? */
bool pp_is_its(struct page *page);

#endif
