/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_KTAP_H
#define CHECK_KTAP_H

/* What cases that run only in a kernel need beyond the facade. */

#include <linux/device.h>

#include "check.h"

/* How many devices a machine for these tests has. */
#define NR_EDU 2

/** check_suites - all suites, NULL at the end; in suites.c. */
extern const struct check_suite *const check_suites[];

struct edu;

/** edu_get() - the @which-th edu device, or NULL. */
struct edu *edu_get(int which);

/** edu_of() - the edu device behind @dev. */
struct edu *edu_of(struct device *dev);

struct device *edu_dev(struct edu *edu);

/* The largest transfer: the device's buffer is twice as long, but QEMU 7.2 aborts on a
 * transfer that ends where the buffer does. */
#define EDU_TRANSFER 2048

/**
 * edu_load() - the device reads memory into its buffer
 * @edu: the device
 * @addr: where to read
 *
 * Sleeps until the transfer is done. Return: 0 or -ETIMEDOUT. No edu function tells
 * whether the IOMMU let the access through.
 */
int edu_load(struct edu *edu, dma_addr_t addr);

/** edu_store() - the device writes its buffer to memory at @addr. */
int edu_store(struct edu *edu, dma_addr_t addr);

/** edu_fill() - set every byte of the device's buffer to @byte. */
int edu_fill(struct edu *edu, unsigned char byte);

/** edu_holds() - is every byte of the device's buffer @byte? */
bool edu_holds(struct edu *edu, unsigned char byte);

/** edu_reads() - does the device read @byte in every byte of the page at @addr? There is
 * no sync, since @addr may be stale. */
bool edu_reads(struct edu *edu, dma_addr_t addr, unsigned char byte);

/** edu_begin_store() - the device begins to write its buffer to memory at @addr, like
 * edu_store(); edu_is_busy() tells whether it still does, and edu_finish() sleeps until
 * it is done. The data arrive at the end. */
void edu_begin_store(struct edu *edu, dma_addr_t addr);
bool edu_is_busy(struct edu *edu);
int edu_finish(struct edu *edu);

/** edu_unplug() - remove the device from its bus, and the kernel's state for it;
 * edu_plug() plugs all devices in again, as new ones. */
void edu_unplug(struct edu *edu);
void edu_plug(void);

int edu_register(void);
void edu_unregister(void);

/** check_skip() - skip a case that this machine cannot run. The case must then return. */
void check_skip(struct check *t, const char *why);

/** check_mode() - the mode in which run.sh booted this machine. */
const char *check_mode(void);

/** check_provoke() - log that a fault at @addr is expected from now on; the log is judged
 * by it. */
void check_provoke(struct device *dev, dma_addr_t addr);

/** page_caching() - the caching in the entry of the linear map; see pte_*.c. */
enum ttmpool_caching page_caching(struct page *page);

#endif
