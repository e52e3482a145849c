// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Checksums of pages: the CRC of 32 bits that Ethernet has (IEEE 802.3),
 * started from 0 and not inverted at the end, as Linux's crc32_le(0, ...): so
 * that both ports have the same sum for the same bytes, and zeroes have 0.
 *
 * Half a byte at a time, by a table of 16 words: whoever counts seconds on this
 * machine counts simulated ones.
 */

#include "machine.h"

static const uint32_t remainders[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
	0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

static uint32_t crc(const char *bytes, size_t n)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		sum ^= (uint8_t)bytes[i];
		sum = remainders[sum & 15] ^ sum >> 4;
		sum = remainders[sum & 15] ^ sum >> 4;
	}
	return sum;
}

/* What the device wrote to a bounce slot is fetched before it is read. */
uint32_t tpos_page_sum(const struct tpos_span *page)
{
	struct tpsim_machine *machine = span_machine(page, __func__);
	const struct tpsim_mapping *mapping;
	enum span_use use = SPAN_READ;
	const char *bytes;

	machine_enter(machine, __func__);
	mapping = page->chunk->page->mapping;
	if (mapping && mapping->slots) {
		swiotlb_copy(page->chunk->page->mapping, page->first, 1, false);
		use = SPAN_WRITE;
	}
	bytes = span_open(machine, page, use, __func__);
	cost_spend(machine, COST_PAGE_SUM, 1);
	if (page_caching(page->chunk->page) != TTMPOOL_CACHED)
		cost_spend(machine, COST_PAGE_READ_UNCACHED, 1);
	machine_unlock(machine);
	return crc(bytes, machine->page_bytes);
}
