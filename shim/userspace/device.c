// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device: what it reports, and its DMA.
 *
 * Behind an IOMMU, a device reaches what is mapped for it. Without one, it reaches all of
 * RAM that its address lines can address, mapped or not. So an access to a stale address
 * reads and overwrites memory that belongs to somebody else by now, which is the worst
 * that a pool can do to its users. The machine allows it, as hardware does, and counts it.
 *
 * DMA is not an access of the CPU: caching attributes and Valgrind do not apply to it.
 *
 * A device can go at any time, with its address space. In Linux, device_del() removes the
 * IOMMU domain (iommu_release_device()), and the last put_device() frees the rest. Here the
 * descriptor stays until the end of the machine, so that every later use is detected.
 */

#include <stdlib.h>

#include "machine.h"

struct tpsim_device *tpsim_device_create(struct tpsim_machine *machine,
					 const struct tpsim_device_config *cfg)
{
	struct tpsim_device *dev;

	if (cfg->node >= (int)machine->config.nr_nodes)
		return NULL;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return NULL;
	dev->machine = machine;
	dev->config = *cfg;
	if (!cfg->dma_mask)
		dev->config.dma_mask = UINT64_MAX;
	dev->queue_end = &dev->queue;
	if (tpsim_iova_init(dev)) {
		free(dev);
		return NULL;
	}
	tpsim_machine_lock(machine);
	dev->next = machine->devices;
	machine->devices = dev;
	tpsim_machine_unlock(machine);
	return dev;
}

void tpsim_device_check(const struct tpsim_device *dev, const char *call)
{
	if (__atomic_load_n(&dev->gone, __ATOMIC_RELAXED))
		tpsim_complain("use of a device that is gone", "%s", call);
}

/* Guarded. */
void tpsim_device_check_held(const struct tpsim_device *dev, const char *call)
{
	if (!dev->holds)
		tpsim_device_check(dev, call);
}

/* A caller that holds a device must have got it before it went. */
void tpos_device_get(tpos_device_t *dev)
{
	tpsim_machine_enter(dev->machine, __func__);
	tpsim_device_check_held(dev, __func__);
	dev->holds++;
	dev->machine->out.device_holds++;
	tpsim_machine_unlock(dev->machine);
}

void tpos_device_put(tpos_device_t *dev)
{
	tpsim_machine_enter(dev->machine, __func__);
	if (!dev->holds)
		tpsim_complain("put of a device that is not held", "%s",
			       __func__);
	dev->holds--;
	dev->machine->out.device_holds--;
	tpsim_machine_unlock(dev->machine);
}

void tpsim_device_destroy(struct tpsim_device *dev)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_device **link = &machine->devices;

	tpsim_machine_lock(machine);
	tpsim_device_check(dev, __func__);
	if (dev->mappings)
		tpsim_complain("device driver has pending DMA allocations",
			       "%zu mappings", dev->mappings);
	tpsim_iommu_turn_over(dev);
	while (*link != dev)
		link = &(*link)->next;
	*link = dev->next;
	dev->next = machine->graves;
	machine->graves = dev;
	__atomic_store_n(&dev->gone, true, __ATOMIC_RELAXED);
	tpsim_iova_fini(dev);
	tpsim_machine_unlock(machine);
}

/* Called at the end of the machine, when nobody holds a device any more. */
void tpsim_devices_bury(struct tpsim_machine *machine)
{
	while (machine->devices)
		tpsim_device_destroy(machine->devices);
	while (machine->graves) {
		struct tpsim_device *dev = machine->graves;

		machine->graves = dev->next;
		free(dev);
	}
}

/*
 * dma_set_mask_and_coherent(). In Linux, the mask limits each allocation of an
 * address (iommu_dma_alloc_iova()). Here the free part of the device's address
 * space is rebuilt.
 */
void tpsim_device_set_mask(struct tpsim_device *dev, uint64_t mask)
{
	tpsim_machine_lock(dev->machine);
	__atomic_store_n(&dev->config.dma_mask, mask ? mask : UINT64_MAX,
			 __ATOMIC_RELAXED);
	if (tpsim_iova_bound(dev))
		tpsim_complain("no memory", "%s", __func__);
	tpsim_machine_unlock(dev->machine);
}

/* Coherent pages have the same mask here. */
tpos_dma_addr_t tpos_device_mask(tpos_device_t *dev, bool coherent)
{
	(void)coherent;
	return __atomic_load_n(&dev->config.dma_mask, __ATOMIC_RELAXED);
}

/* dma_max_mapping_size(): kernel/dma/direct.c, dma_direct_max_mapping_size() */
static uint64_t max_mapping(const struct tpsim_device *dev)
{
	uint64_t most = dev->config.max_mapping;
	uint64_t bounce = (uint64_t)SEGMENT_SLOTS * SLOT_BYTES;

	if (!tpsim_device_bounces(dev) || (most && most < bounce))
		return most;
	return bounce;
}

void tpos_device_query(tpos_device_t *dev, struct tpos_device_info *info)
{
	const struct tpsim_config *config = &dev->machine->config;

	tpsim_thread_may_sleep(__func__);
	tpsim_device_check(dev, __func__);
	*info = (struct tpos_device_info){
		.dma_mask = dev->config.dma_mask,
		.max_mapping = max_mapping(dev),
		.page_shift = config->page_shift,
		.max_order = config->max_order,
		.node = dev->config.node < 0 ? TTMPOOL_NODE_ANY
					     : dev->config.node,
		.bounces = tpsim_device_bounces(dev),
		.has_iommu = config->iommu != TPSIM_IOMMU_OFF,
		.untrusted = dev->config.untrusted,
		.coherent_single = dev->config.coherent_single,
	};
}

/* The bytes from one DMA address to the end of its page or bounce slot. */
struct target {
	char *bytes;
	char *memory; /* RAM's copy, if the cache has one of its own */
	size_t len;
	struct tpsim_page *page; /* NULL: a bounce slot */
};

static void target_page(const struct tpsim_machine *machine,
			struct target *target, struct tpsim_page *page,
			uint64_t addr)
{
	size_t offset = (size_t)(addr & (machine->page_bytes - 1));

	target->page = page;
	target->bytes = tpsim_page_bytes(machine, page) + offset;
	target->memory = tpsim_memory_bytes(machine, page) + offset;
	target->len = machine->page_bytes - offset;
}

static bool target_iommu(struct tpsim_device *dev, uint64_t addr,
			 struct target *target)
{
	struct tpsim_mapping *mapping = tpsim_iommu_translate(dev, addr);
	uint64_t offset;

	if (!mapping)
		return false;
	offset = (addr - mapping->addr) >> dev->machine->config.page_shift;
	target_page(dev->machine, target, mapping->page + offset, addr);
	return true;
}

/* Returns whether this page, or this slot, is mapped for the device now. */
static bool is_mapped(struct tpsim_device *dev, const struct target *target,
		      uint64_t addr)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_page *head;

	if (!target->page)
		return machine->slot_used[(addr - tpsim_swiotlb_base(machine)) /
					  SLOT_BYTES];
	head = tpsim_block_head(machine, target->page);
	return page_is_out(head) && head->mapping &&
	       head->mapping->dev == dev && !head->mapping->slots;
}

static bool target_direct(struct tpsim_device *dev, uint64_t addr,
			  struct target *target)
{
	struct tpsim_machine *machine = dev->machine;
	uint64_t offset = addr - tpsim_swiotlb_base(machine);
	size_t pool = machine->config.swiotlb_slots * SLOT_BYTES;
	struct tpsim_page *page = tpsim_page_at_physical(machine, addr);

	if (page) {
		target_page(machine, target, page, addr);
	} else if (offset < pool) {
		target->page = NULL;
		target->bytes = machine->bounce + offset;
		target->memory = target->bytes;
		target->len = SLOT_BYTES - offset % SLOT_BYTES;
	} else {
		return false;
	}
	if (!is_mapped(dev, target, addr))
		machine->counters.stray_dma++;
	return true;
}

static bool target_find(struct tpsim_device *dev, uint64_t addr,
			struct target *target)
{
	if (addr > dev->config.dma_mask)
		return false;
	if (dev->machine->config.iommu == TPSIM_IOMMU_OFF)
		return target_direct(dev, addr, target);
	return target_iommu(dev, addr, target);
}

/* Reads within one page. A device that snoops reads the newer copy. */
static void read_some(const struct tpsim_device *dev,
		      const struct target *target, char *into, size_t n)
{
	bool from_cache = !dev->config.incoherent && target->page &&
			  tpsim_cache_is_dirty(dev->machine, target->page);

	annotate_copy(into, from_cache ? target->bytes : target->memory, n);
}

/* Writes within one page. What a snooping device writes goes to both copies. */
static void write_some(const struct tpsim_device *dev,
		       const struct target *target, const char *from, size_t n)
{
	annotate_copy(target->memory, from, n);
	if (!dev->config.incoherent && target->bytes != target->memory)
		annotate_copy(target->bytes, from, n);
	if (target->page)
		tpsim_page_written(dev->machine, target->page,
				   dev->machine->page_bytes - target->len, n);
}

/* Does one transfer, page by page. The pages before a fault are transferred. */
static int transfer(struct tpsim_device *dev, uint64_t addr, char *into,
		    const char *from, size_t len)
{
	size_t done = 0;
	int err = 0;

	tpsim_machine_lock(dev->machine);
	tpsim_device_check(dev, "DMA");
	while (done < len && !err) {
		struct target target;
		size_t n;

		if (!target_find(dev, addr + done, &target)) {
			dev->machine->counters.dma_faults++;
			err = -EFAULT;
			break;
		}
		n = len - done < target.len ? len - done : target.len;
		if (into)
			read_some(dev, &target, into + done, n);
		else
			write_some(dev, &target, from + done, n);
		done += n;
	}
	tpsim_machine_unlock(dev->machine);
	return err;
}

int tpsim_device_read(struct tpsim_device *dev, tpos_dma_addr_t addr, void *buf,
		      size_t len)
{
	return transfer(dev, addr, buf, NULL, len);
}

int tpsim_device_write(struct tpsim_device *dev, tpos_dma_addr_t addr,
		       const void *buf, size_t len)
{
	return transfer(dev, addr, NULL, buf, len);
}
