// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Creating a shmem file, where the function takes a bitmap of flags. */

#include <linux/mm.h>
#include <linux/shmem_fs.h>

#include "ttmpool_store.h"

/*
 * Each page counts against the system's commit limit when it is written, and not
 * all of them in advance, because few buffers are swapped out.
 */
struct file *ttmpool_store_file(const char *name, loff_t size)
{
	return shmem_file_setup(name, size, mk_vma_flags(VMA_NORESERVE_BIT));
}
