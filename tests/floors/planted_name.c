// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Planted: a global name without a prefix. */

int chunk_create(void);

int chunk_create(void)
{
	return 0;
}
