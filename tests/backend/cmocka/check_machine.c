// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The facade on the simulated machine: each case has a machine of its own, which is
 * destroyed after it, and aborts if any page is still out. cmocka runs the cases, or a
 * loop where cmocka cannot be used: see check_run().
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"

struct memory {
	struct memory *next;
	max_align_t bytes[];
};

struct world {
	struct tpsim_machine *machine;
	struct tpsim_device *dev[2];
	struct memory *memory;
	bool lazy;
	bool incoherent;
	char message[512];
};

void check_fail(struct check *t, const char *file, int line, const char *what,
		const long long *values)
{
	struct world *world = t->world;
	int n;

	t->failed = true;
	n = snprintf(world->message, sizeof(world->message), "%s:%d: %s", file,
		     line, what);
	if (values && n > 0 && (size_t)n < sizeof(world->message))
		snprintf(world->message + n, sizeof(world->message) - (size_t)n,
			 " (%lld, %lld)", values[0], values[1]);
}

tpos_device_t *check_device(struct check *t, int which, unsigned int mask_bits)
{
	struct world *world = t->world;
	/* For a device that does not see the caches, Linux makes only single coherent
	 * pages. */
	struct tpsim_device_config config = { .node = TTMPOOL_NODE_ANY,
					      .incoherent = world->incoherent,
					      .coherent_single =
						      world->incoherent };

	if (mask_bits < 64)
		config.dma_mask = ((uint64_t)1 << mask_bits) - 1;
	if (!world->dev[which])
		world->dev[which] =
			tpsim_device_create(world->machine, &config);
	return world->dev[which];
}

void check_unplug(struct check *t, int which)
{
	struct world *world = t->world;

	tpsim_device_destroy(world->dev[which]);
	world->dev[which] = NULL;
}

bool check_set_mask(struct check *t, tpos_device_t *dev, unsigned int mask_bits)
{
	(void)t;
	tpsim_device_set_mask(
		dev, mask_bits < 64 ? ((uint64_t)1 << mask_bits) - 1 : 0);
	return true;
}

/* The device has an address space of its own, or pages as low as its mask needs. */
unsigned int check_mask_bits(struct check *t, unsigned int bits)
{
	(void)t;
	return bits;
}

void *check_zalloc(struct check *t, size_t size)
{
	struct world *world = t->world;
	struct memory *memory = calloc(1, sizeof(*memory) + size);

	if (!memory)
		return NULL;
	memory->next = world->memory;
	world->memory = memory;
	return memory->bytes;
}

bool check_fill(struct check *t, tpos_page_t *page,
		enum ttmpool_caching caching, unsigned char byte)
{
	struct world *world = t->world;
	unsigned char bytes[4096];
	size_t size = tpsim_page_size(world->machine);

	memset(bytes, byte, sizeof(bytes));
	for (size_t at = 0; at < size; at += sizeof(bytes))
		if (tpsim_cpu_write(world->machine, page, at, bytes,
				    sizeof(bytes), caching))
			return false;
	return true;
}

static bool bytes_are(const unsigned char *bytes, size_t n, unsigned char byte)
{
	return bytes[0] == byte && !memcmp(bytes, bytes + 1, n - 1);
}

bool check_holds(struct check *t, tpos_page_t *page,
		 enum ttmpool_caching caching, unsigned char byte)
{
	struct world *world = t->world;
	unsigned char bytes[4096];
	size_t size = tpsim_page_size(world->machine);

	for (size_t at = 0; at < size; at += sizeof(bytes))
		if (tpsim_cpu_read(world->machine, page, at, bytes,
				   sizeof(bytes), caching) ||
		    !bytes_are(bytes, sizeof(bytes), byte))
			return false;
	return true;
}

bool check_device_holds(struct check *t, tpos_device_t *dev,
			tpos_dma_addr_t addr, unsigned char byte)
{
	struct world *world = t->world;
	unsigned char bytes[4096];
	size_t size = tpsim_page_size(world->machine);

	for (size_t at = 0; at < size; at += sizeof(bytes))
		if (tpsim_device_read(dev, addr + at, bytes, sizeof(bytes)) ||
		    !bytes_are(bytes, sizeof(bytes), byte))
			return false;
	return true;
}

/* The machine reports for each access whether it was let through. */
bool check_cut_off(struct check *t, tpos_device_t *dev, tpos_dma_addr_t addr,
		   unsigned char byte)
{
	unsigned char read = 0;

	(void)t;
	return tpsim_device_read(dev, addr, &read, 1) && read != byte;
}

void check_sync(struct check *t, tpos_device_t *dev, tpos_page_t *page,
		tpos_dma_addr_t addr)
{
	(void)t;
	(void)addr;
	tpsim_dma_sync(dev, page, true);
}

enum ttmpool_caching check_caching(struct check *t, tpos_page_t *page)
{
	struct world *world = t->world;

	return tpsim_page_caching(world->machine, page);
}

tpos_page_t *check_page_of_system(struct check *t)
{
	struct world *world = t->world;

	return tpsim_page_of_system(world->machine);
}

bool check_poison(struct check *t, tpos_page_t *page)
{
	tpsim_page_poison(check_machine(t), page);
	return true;
}

size_t check_pages_out(struct check *t)
{
	struct world *world = t->world;
	struct tpsim_ledger ledger;

	tpsim_ledger(world->machine, &ledger);
	return ledger.pages_plain + ledger.pages_coherent;
}

size_t check_reports(struct check *t, enum ttmpool_report_kind kind)
{
	struct world *world = t->world;

	return tpsim_reports(world->machine, kind);
}

void check_log(struct check *t, const char *format, ...)
{
	va_list args;

	(void)t;
	fputs("log: ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void check_snoops(struct check *t)
{
	struct world *world = t->world;

	world->incoherent = false;
}

void check_allows_lazy(struct check *t)
{
	struct world *world = t->world;

	world->lazy = true;
}

/* No case of any suite may free a page while a device can still write to it, unless the
 * policy allows that. */
static void look_for_late_writes(struct check *t)
{
	struct world *world = t->world;
	struct tpsim_counters counters;

	tpsim_counters(world->machine, &counters);
	if (counters.freed_in_reach && !world->lazy && !t->failed)
		check_fail(t, __FILE__, __LINE__,
			   "pages were freed in reach of a device", NULL);
}

struct tpsim_machine *check_machine(struct check *t)
{
	struct world *world = t->world;

	return world->machine;
}

bool check_run(const struct check_case *test, const struct tpsim_config *config,
	       char *message, size_t size)
{
	struct world world = { .incoherent = config->caches };
	struct check t = { .world = &world };

	world.machine = tpsim_machine_create(config);
	if (!world.machine) {
		snprintf(message, size, "no machine");
		return false;
	}
	t.system = world.machine;
	test->run(&t);
	look_for_late_writes(&t);
	while (world.memory) {
		struct memory *memory = world.memory;

		world.memory = memory->next;
		free(memory);
	}
	if (t.failed) { /* keep the machine: its ledger would hide the cause */
		snprintf(message, size, "%s", world.message);
		return false;
	}
	tpsim_machine_destroy(world.machine);
	return true;
}
