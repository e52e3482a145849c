// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The CPU's side: reads and writes through a mapping of a given caching, as a
 * driver's kmap or a client's mmap would be. Two mappings of one page with
 * different memory types are undefined (Intel SDM vol. 3, 12.12.4; x86's
 * reserve_memtype() exists to prevent them), so an access whose caching is not
 * the page's own is refused and counted.
 */

#include "machine.h"

size_t tpsim_page_size(const struct tpsim_machine *machine)
{
	return machine->page_size;
}

void *tpsim_page_address(struct tpsim_machine *machine, tpos_page_t *page)
{
	return page_bytes(machine, page);
}

enum ttmpool_caching tpsim_page_caching(struct tpsim_machine *machine,
					const tpos_page_t *page)
{
	(void)machine;
	return (enum ttmpool_caching)page->caching;
}

uint64_t tpsim_page_physical(struct tpsim_machine *machine,
			     const tpos_page_t *page)
{
	return (uint64_t)page_index(machine, page)
	       << machine->config.page_shift;
}

static bool is_alias(struct tpsim_machine *machine, const tpos_page_t *page,
		     enum ttmpool_caching caching)
{
	if (machine->config.no_caching || page->caching == (uint8_t)caching)
		return false;
	machine_lock(machine);
	machine->counters.aliases++;
	machine_unlock(machine);
	return true;
}

int tpsim_cpu_read(struct tpsim_machine *machine, tpos_page_t *page,
		   size_t offset, void *buf, size_t len,
		   enum ttmpool_caching caching)
{
	if (is_alias(machine, page, caching))
		return -EINVAL;
	memcpy(buf, page_bytes(machine, page) + offset, len);
	return 0;
}

int tpsim_cpu_write(struct tpsim_machine *machine, tpos_page_t *page,
		    size_t offset, const void *buf, size_t len,
		    enum ttmpool_caching caching)
{
	if (is_alias(machine, page, caching))
		return -EINVAL;
	memcpy(page_bytes(machine, page) + offset, buf, len);
	return 0;
}
