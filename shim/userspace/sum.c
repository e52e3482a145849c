// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Checksums of pages: the 32-bit CRC of Ethernet (IEEE 802.3), but started with 0 and not
 * inverted at the end, like Linux's crc32_le(0, ...). So both ports compute the same sum
 * for the same bytes, and the sum of zeroes is 0.
 *
 * The code processes eight bytes at a time: table[k][b] is what the byte b contributes to
 * the sum if k bytes of zero follow it.
 */

#include "machine.h"

#define LANES 8

static uint32_t table[LANES][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

static void table_make(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t sum = byte;

		for (int bit = 0; bit < 8; bit++)
			sum = sum & 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
		table[0][byte] = sum;
	}
	for (int k = 1; k < LANES; k++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t before = table[k - 1][byte];

			table[k][byte] = table[0][before & 255] ^ before >> 8;
		}
}

/* @n must be a multiple of LANES. */
static uint32_t crc(const char *bytes, size_t n)
{
	uint32_t sum = 0;

	pthread_once(&table_once, table_make);
	for (const char *end = bytes + n; bytes < end; bytes += LANES) {
		uint32_t next = 0;

		for (int k = 0; k < LANES; k++) {
			uint8_t byte = (uint8_t)bytes[k];

			if (k < 4)
				byte ^= (uint8_t)(sum >> 8 * k);
			next ^= table[LANES - 1 - k][byte];
		}
		sum = next;
	}
	return sum;
}

/*
 * If the page bounces, what the device wrote to the slots is copied back before the
 * page is read.
 */
uint32_t tpos_page_sum(const struct tpos_span *page)
{
	struct tpsim_machine *machine = tpsim_span_machine(page, __func__);
	const char *bytes;

	tpsim_machine_enter(machine, __func__);
	bytes = tpsim_span_open(machine, page, SPAN_FETCH, __func__);
	tpsim_cost_spend(machine, COST_PAGE_SUM, 1);
	if (page_caching(page->chunk->page) != TTMPOOL_CACHED)
		tpsim_cost_spend(machine, COST_PAGE_READ_UNCACHED, 1);
	tpsim_machine_unlock(machine);
	return crc(bytes, machine->page_bytes);
}
