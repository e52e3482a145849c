// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A shmem file, where that takes a bitmap of flags. */

#include <linux/mm.h>
#include <linux/shmem_fs.h>

#include "ttmpool_store.h"

/* Each page is counted against the system's commit limit when it is written, not all
 * of them in advance: few buffers are swapped out. */
struct file *ttmpool_store_file(const char *name, loff_t size)
{
	return shmem_file_setup(name, size, mk_vma_flags(VMA_NORESERVE_BIT));
}
