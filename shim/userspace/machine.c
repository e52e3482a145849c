// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The machine as a whole: built, taken apart, and asked what is out.
 *
 *     +------- machine -----------------------------------------+
 *     | RAM: pages, zones, buddy      faults: what fails next   |
 *     | CPU: a caching per page       counters: what it cost    |
 *     | devices, each behind an IOMMU ledger: what is out       |
 *     | shrinkers, work, reports                                |
 *     +---------------------------------------------------------+
 *
 * Nothing is at file scope: a process can have as many machines as it likes.
 *
 * RAM is reserved, not touched: a machine of many gigabytes costs no more than
 * the pages that are used on it.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "annotate.h"
#include "machine.h"

void machine_lock(struct tpsim_machine *machine)
{
	pthread_mutex_lock(&machine->mutex);
}

void machine_unlock(struct tpsim_machine *machine)
{
	pthread_mutex_unlock(&machine->mutex);
}

void machine_panic(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("tpsim: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

void tpsim_assert_failed(const char *cond, const char *file, int line)
{
	machine_panic("%s:%d: assertion failed: %s", file, line, cond);
}

static bool config_complete(struct tpsim_config *config)
{
	if (!config->page_shift)
		config->page_shift = 12;
	if (!config->nr_nodes)
		config->nr_nodes = 1;
	if (!config->ram_pages)
		config->ram_pages = 16384;
	if (!config->max_order)
		config->max_order = 10;
	return (config->page_shift == 12 || config->page_shift == 14 ||
		config->page_shift == 16) &&
	       config->nr_nodes <= TPSIM_MAX_NODES &&
	       config->max_order <= MAX_ORDER_LIMIT && config->ram_pages >= 2 &&
	       config->ram_pages <= UINT32_MAX / 2;
}

static void *reserve(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static size_t ram_bytes(const struct tpsim_machine *machine)
{
	return machine->config.ram_pages * machine->page_size;
}

static size_t page_array_bytes(const struct tpsim_machine *machine)
{
	return machine->config.ram_pages * sizeof(struct tpsim_page);
}

static void ram_fini(struct tpsim_machine *machine)
{
	if (machine->pages)
		munmap(machine->pages, page_array_bytes(machine));
	if (machine->ram) {
		VALGRIND_DESTROY_MEMPOOL(&machine->mempool);
		__asan_unpoison_memory_region(machine->ram, ram_bytes(machine));
		munmap(machine->ram, ram_bytes(machine));
	}
	swiotlb_fini(machine);
}

static int ram_init(struct tpsim_machine *machine)
{
	machine->page_size = (size_t)1 << machine->config.page_shift;
	machine->pages = reserve(page_array_bytes(machine));
	machine->ram = reserve(ram_bytes(machine));
	if (!machine->pages || !machine->ram)
		return -ENOMEM;
	VALGRIND_CREATE_MEMPOOL(&machine->mempool, 0, 1);
	VALGRIND_MAKE_MEM_NOACCESS(machine->ram, ram_bytes(machine));
	__asan_poison_memory_region(machine->ram, ram_bytes(machine));
	buddy_reserve(machine);
	if (swiotlb_init(machine))
		return -ENOMEM;
	buddy_init(machine);
	return 0;
}

struct tpsim_machine *tpsim_machine_create(const struct tpsim_config *config)
{
	struct tpsim_machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	machine->config = *config;
	if (!config_complete(&machine->config))
		goto free_machine;
	pthread_mutex_init(&machine->mutex, NULL);
	pthread_cond_init(&machine->work_changed, NULL);
	pthread_cond_init(&machine->shrinking_ended, NULL);
	if (ram_init(machine))
		goto free_ram;
	if (work_start(machine))
		goto free_ram;
	return machine;

free_ram:
	ram_fini(machine);
	pthread_cond_destroy(&machine->shrinking_ended);
	pthread_cond_destroy(&machine->work_changed);
	pthread_mutex_destroy(&machine->mutex);
free_machine:
	free(machine);
	return NULL;
}

static void ledger_print(const struct tpsim_ledger *ledger)
{
	fprintf(stderr,
		"tpsim: out: %zu plain and %zu coherent pages, %zu pages not "
		"write-back,\n"
		"tpsim:      %zu mappings (%llu bytes), %zu bounce slots, %zu "
		"descriptors,\n"
		"tpsim:      %zu shrinkers\n",
		ledger->pages_plain, ledger->pages_coherent,
		ledger->pages_not_write_back, ledger->mappings,
		(unsigned long long)ledger->mapped_bytes, ledger->bounce_slots,
		ledger->descriptors, ledger->shrinkers);
}

void tpsim_machine_destroy(struct tpsim_machine *machine)
{
	work_stop(machine);
	if (!tpsim_ledger_is_empty(machine) || machine->work_first) {
		ledger_print(&machine->ledger);
		if (machine->work_first)
			fputs("tpsim:      queued work\n", stderr);
		machine_panic("the machine is taken apart with something out");
	}
	while (machine->devices)
		tpsim_device_destroy(machine->devices);
	lent_return(machine);
	ram_fini(machine);
	pthread_cond_destroy(&machine->shrinking_ended);
	pthread_cond_destroy(&machine->work_changed);
	pthread_mutex_destroy(&machine->mutex);
	free(machine);
}

void tpsim_ledger(struct tpsim_machine *machine, struct tpsim_ledger *ledger)
{
	machine_lock(machine);
	*ledger = machine->ledger;
	machine_unlock(machine);
}

bool tpsim_ledger_is_empty(struct tpsim_machine *machine)
{
	struct tpsim_ledger l;

	tpsim_ledger(machine, &l);
	return !l.pages_plain && !l.pages_coherent && !l.pages_not_write_back &&
	       !l.pages_parked && !l.mappings && !l.mapped_bytes &&
	       !l.bounce_slots && !l.descriptors && !l.shrinkers;
}
