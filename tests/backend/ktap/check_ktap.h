/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_KTAP_H
#define CHECK_KTAP_H

/* What cases that only run in a kernel have beyond the facade. */

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

/* The most that one transfer may have: the device's buffer is twice as long,
 * but QEMU 7.2 aborts on a transfer that ends where the buffer does. */
#define EDU_TRANSFER 2048

/**
 * edu_load() - the device reads memory into its buffer
 * @edu: the device
 * @addr: from there
 *
 * Sleeps until it is done. Return: 0 or -ETIMEDOUT. Neither this nor any other
 * of these tells whether the IOMMU let the access through.
 */
int edu_load(struct edu *edu, dma_addr_t addr);

/** edu_store() - the device writes its buffer to memory at @addr. */
int edu_store(struct edu *edu, dma_addr_t addr);

/** edu_fill() - all of the device's buffer is @byte now. */
int edu_fill(struct edu *edu, unsigned char byte);

/** edu_holds() - is all of the device's buffer @byte? */
bool edu_holds(struct edu *edu, unsigned char byte);

/** edu_reads() - does the device read @byte all over the page at @addr? No
 * sync: @addr may be stale. */
bool edu_reads(struct edu *edu, dma_addr_t addr, unsigned char byte);

/** edu_begin_store() - the device begins to write its buffer to memory at @addr, as
 * edu_store(); edu_is_busy() says how long, and edu_finish() sleeps until it is done. What
 * it writes arrives at the end. */
void edu_begin_store(struct edu *edu, dma_addr_t addr);
bool edu_is_busy(struct edu *edu);
int edu_finish(struct edu *edu);

/** edu_unplug() - the device goes from its bus, and with it all that the kernel knows
 * of it; edu_plug() brings all devices back, as new ones. */
void edu_unplug(struct edu *edu);
void edu_plug(void);

int edu_register(void);
void edu_unregister(void);

/** check_skip() - end a case for a reason that is the machine's. The case must
 * return then. */
void check_skip(struct check *t, const char *why);

/** check_mode() - the mode that this machine was booted in, as run.sh has it.
 */
const char *check_mode(void);

/** check_provoke() - what follows may fault at @addr: the log is judged by it.
 */
void check_provoke(struct device *dev, dma_addr_t addr);

/** page_caching() - what the entry of the linear map says, in pte_*.c. */
enum ttmpool_caching page_caching(struct page *page);

#endif
