// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The ledger: what is outstanding. It is kept in counters, so that reading it costs nothing.
 * When a machine ends with something outstanding, the page table is walked to name it.
 */

#include "machine.h"

#define MOST_LINES 16

static const char *const caching_names[] = { "uncached", "write-combined",
					     "write-back" };

void tpsim_ledger(struct tpsim_machine *machine, struct tpsim_ledger *ledger)
{
	tpsim_machine_lock(machine);
	*ledger = machine->out;
	tpsim_machine_unlock(machine);
}

bool tpsim_ledger_is_empty(struct tpsim_machine *machine)
{
	struct tpsim_ledger ledger;
	const struct tpsim_ledger *out = &ledger;

	tpsim_ledger(machine, &ledger);
	return !out->pages_plain && !out->pages_coherent &&
	       !out->pages_not_write_back && !out->pages_parked &&
	       !out->pages_spare && !out->mappings && !out->mapped_bytes &&
	       !out->held_bytes && !out->bounce_slots && !out->descriptors &&
	       !out->stores && !out->store_pages && !out->shrinkers &&
	       !out->work_queued && !out->device_holds;
}

/* Prints one block that is allocated, or one page that is not write-back. */
static void print_block(const struct tpsim_machine *machine,
			const struct tpsim_page *page)
{
	const struct tpsim_mapping *mapping =
		page->use == PAGE_FREE ? NULL : page->mapping;

	fprintf(stderr,
		"tpsim:   page %zu: %s, order %d, %s%s, chunk %p, device "
		"address %#llx\n",
		tpsim_page_index(machine, page),
		page->use == PAGE_PLAIN      ? "plain"
		: page->use == PAGE_COHERENT ? "coherent"
					     : "free",
		page->order, caching_names[page_caching(page)],
		page->parked ? ", parked" : "", (void *)page->chunk,
		mapping ? (unsigned long long)mapping->addr : 0ull);
}

static void print_blocks(const struct tpsim_machine *machine)
{
	size_t i = 0;
	int lines = 0;

	while (i < machine->config.ram_pages && lines < MOST_LINES) {
		const struct tpsim_page *page = machine->pages + i;
		bool out = page_is_out(page);

		if (out || page->pte) {
			print_block(machine, page);
			lines++;
		}
		i += out ? (size_t)1 << page->order : 1;
	}
}

void tpsim_ledger_print(struct tpsim_machine *machine)
{
	const struct tpsim_ledger *out = &machine->out;

	fprintf(stderr,
		"tpsim: ledger: %zu plain pages, %zu coherent, %zu not "
		"write-back, %zu parked, %zu spare\n"
		"tpsim: ledger: %zu mappings of %llu bytes, %zu bounce slots\n"
		"tpsim: ledger: %zu descriptors, %zu stores of %zu pages, %zu "
		"shrinkers, %zu work queued, %zu devices held\n",
		out->pages_plain, out->pages_coherent,
		out->pages_not_write_back, out->pages_parked, out->pages_spare,
		out->mappings, (unsigned long long)out->mapped_bytes,
		out->bounce_slots, out->descriptors, out->stores,
		out->store_pages, out->shrinkers, out->work_queued,
		out->device_holds);
	print_blocks(machine);
}
