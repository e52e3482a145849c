/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SHMEM_H
#define TTMPOOL_LINUX_SHMEM_H

/*
 * A backend that only Linux has: buffers whose pages belong to a shmem file from the
 * beginning. docs/anonymous.md says when to choose it.
 *
 * While such a buffer is populated, its pages are pinned and mapped. Otherwise they are
 * ordinary pages of a file: the system swaps them out and in by itself, and the library
 * copies no byte. So, unlike those of any other backend, the contents survive
 * ttmpool_unpopulate(), and are there again after ttmpool_populate().
 * ttmpool_shmem_purge() ends them.
 *
 * The pages come from no pool: nothing is recycled, and neither the manager's budget nor an
 * owner is charged. They are always write-back.
 */

#include <ttmpool/backend.h>

#include <linux/scatterlist.h>

/**
 * struct ttmpool_shmem - what a driver embeds around such a buffer
 * @be: the backend, for all functions of ttmpool/backend.h
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
 *	TTMPOOL_CACHED; only the device of @pool is used. Without @dma_addr, nothing
 *	is mapped.
 *
 * May sleep.
 *
 * Return: 0; -EINVAL or -E2BIG as there; the system's error for a file that it cannot
 * make.
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
