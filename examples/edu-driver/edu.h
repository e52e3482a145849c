/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef EDU_H
#define EDU_H

/*
 * A small driver on ttmpool, whole: for QEMU's edu device (PCI 1234:11e8),
 * which has a DMA engine and a buffer of 4 KiB, and no page table of its own.
 *
 *   edu_drv.c       probe and remove: the pool's lifetime
 *   edu_bo.c        buffers: a ttmpool backend each, and where they are bound
 *   edu_dma.c       the engine
 *   edu_selftest.c  bytes go through pages of every order and caching, and back
 *   edu_idle.c      buffers that are swapped out when memory is short
 *   edu_manager_*.c whose manager it is: ttmpool.ko's, or the driver's own
 */

#include <linux/mutex.h>
#include <linux/pci.h>

#include <ttmpool/ttmpool.h>

#define EDU_SLOTS 4
#define EDU_IDLE  24

/* QEMU 7.2 aborts on a transfer that ends where the device's buffer does. */
#define EDU_TRANSFER 2048

/**
 * struct edu - one device
 * @pdev: its PCI function
 * @regs: its registers
 * @pool: the pages that it can reach
 * @funcs: how its buffers get theirs; chosen when the device was probed
 * @lock: the engine, the slots, and who uses them
 * @slots: what a GPU would have a page table for: the addresses of the buffers
 *	that are bound
 * @screen: a buffer that stays bound from probe to remove
 * @idle: buffers that are not bound, and may be swapped out
 */
struct edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct ttmpool_pool pool;
	struct ttmpool_backend_funcs funcs;
	struct mutex lock;
	const dma_addr_t *slots[EDU_SLOTS];
	struct edu_bo *screen;
	struct edu_bo *idle[EDU_IDLE];
};

/**
 * struct edu_bo - one buffer
 * @be: what ttmpool knows of it
 * @edu: whose it is
 * @lock: all calls on it; in DRM it would be the reservation lock. It comes
 *	after the device's, and the swapper only tries it.
 * @slot: where it is bound, or -1
 */
struct edu_bo {
	struct ttmpool_backend be;
	struct edu *edu;
	struct mutex lock;
	int slot;
};

/* edu_bo.c */
void edu_choose_funcs(struct edu *edu);
struct edu_bo *edu_bo_create(struct edu *edu, size_t num_pages,
			     enum ttmpool_caching caching);
void edu_bo_destroy(struct edu_bo *bo);
void *edu_bo_page(struct edu_bo *bo, size_t page);
void edu_bo_idle(struct edu_bo *bo);
int edu_bo_use(struct edu_bo *bo);

/* edu_dma.c: page @page of the buffer that is bound at @slot */
int edu_read(struct edu *edu, int slot, size_t page, size_t offset);
int edu_write(struct edu *edu, int slot, size_t page, size_t offset);

/**
 * struct edu_result - what a selftest found
 * @transfers: how many there were
 * @swapped: pages that were in a store meanwhile
 * @wrong: bytes that did not arrive as they were sent
 */
struct edu_result {
	unsigned long transfers;
	unsigned long swapped;
	unsigned long wrong;
};

/* The bytes that a test writes: no two places are alike for long. */
static inline u8 edu_pattern(size_t page, size_t offset)
{
	return (u8)(page * 31 + offset * 7 + (offset >> 8));
}

/* edu_selftest.c */
int edu_selftest(struct edu *edu, struct edu_result *result);
int edu_screen_show(struct edu *edu);
int edu_screen_check(struct edu *edu, struct edu_result *result);

/* edu_idle.c */
int edu_idle_fill(struct edu *edu, struct edu_result *result);
int edu_idle_check(struct edu *edu, struct edu_result *result);
void edu_idle_end(struct edu *edu);

/* edu_manager_*.c */
int edu_manager_start(void);
struct ttmpool_manager *edu_manager(void);
void edu_manager_end(void);

#endif
