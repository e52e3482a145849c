/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SHMEM_H
#define TTMPOOL_LINUX_SHMEM_H

/*
 * A backend of Linux alone: buffers whose pages are a shmem file's from birth.
 * docs/anonymous.md says when to choose it.
 *
 * While such a buffer is populated, its pages are pinned and mapped. When it is
 * not, they are ordinary pages of a file: the system swaps them out, and in,
 * by itself, and no byte is copied by the library. So its contents, other than
 * those of any other backend, survive ttmpool_unpopulate(), and are there again
 * after ttmpool_populate(). ttmpool_shmem_purge() ends them.
 *
 * The pages come from no pool: nothing is recycled, and neither the manager's
 * budget nor an owner is charged. They are write-back, always.
 */

#include <ttmpool/backend.h>

#include <linux/scatterlist.h>

/**
 * struct ttmpool_shmem - what a driver embeds around such a buffer
 * @be: for all verbs of ttmpool/backend.h
 *
 * All other members are private.
 */
struct ttmpool_shmem {
	struct ttmpool_backend be;
	struct file *file;
	struct sg_table sgt;
};

/**
 * ttmpool_shmem_init() - start a buffer, all zeroes
 * @shmem: uninitialised memory
 * @config: as for ttmpool_backend_init(); @funcs must be NULL, and @caching
 *	TTMPOOL_CACHED; of @pool, the device is used. Without @dma_addr, nothing
 *	is mapped.
 *
 * May sleep.
 *
 * Return: 0; -EINVAL or -E2BIG as there; what the system says of a file that it
 * cannot make.
 */
int ttmpool_shmem_init(struct ttmpool_shmem *shmem,
		       const struct ttmpool_backend_config *config);

/**
 * ttmpool_shmem_fini() - end a buffer and its contents
 * @shmem: the buffer
 *
 * May sleep.
 *
 * Return: 0; -EBUSY if it is populated, and then nothing has changed.
 */
int ttmpool_shmem_fini(struct ttmpool_shmem *shmem);

/**
 * ttmpool_shmem_purge() - end the contents: they are zeroes again
 * @shmem: the buffer
 *
 * May sleep.
 *
 * Return: 0; -EBUSY if it is populated, and then nothing has changed.
 */
int ttmpool_shmem_purge(struct ttmpool_shmem *shmem);

#endif
