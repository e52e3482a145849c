// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A machine from power-on to power-off.
 *
 * Power-off is a check. Anything that was allocated and not freed, mapped and not
 * unmapped, or converted and not converted back, is a leak, which a kernel would show
 * only much later. Here it ends the program, and the ledger is printed.
 *
 * Creating a machine of 16 GiB takes about a millisecond. The machine uses only as much
 * of the host's memory as is touched.
 */

#include <stdlib.h>

#include "machine.h"

void tpsim_machine_lock(struct tpsim_machine *machine)
{
	tpsim_thread_work_on(machine);
	pthread_mutex_lock(&machine->guard);
}

void tpsim_machine_unlock(struct tpsim_machine *machine)
{
	pthread_mutex_unlock(&machine->guard);
}

/* Begins every tpos_* function that may sleep, as might_sleep() does in Linux. */
void tpsim_machine_enter(struct tpsim_machine *machine, const char *call)
{
	tpsim_thread_may_sleep(call);
	tpsim_machine_lock(machine);
}

/*
 * Fills in what the caller left at its default. Returns whether the result is
 * possible.
 */
static bool config_complete(struct tpsim_config *config)
{
	config->page_shift = config->page_shift ? config->page_shift : 12;
	config->nr_nodes = config->nr_nodes ? config->nr_nodes : 1;
	config->ram_pages = config->ram_pages ? config->ram_pages : 16384;
	config->max_order = config->max_order ? config->max_order : 10;
	config->swiotlb_slots = config->swiotlb_slots ? config->swiotlb_slots
						      : 32768;
	if (config->page_shift != 12 && config->page_shift != 14 &&
	    config->page_shift != 16)
		return false;
	return config->nr_nodes <= TPSIM_MAX_NODES &&
	       config->max_order <= ORDER_LIMIT &&
	       config->ram_pages <= SIZE_MAX >> (config->page_shift + 1) &&
	       config->swiotlb_slots <= SIZE_MAX / (2 * SLOT_BYTES);
}

struct tpsim_machine *tpsim_machine_create(const struct tpsim_config *config)
{
	struct tpsim_machine *machine = calloc(1, sizeof(*machine));

	if (!machine)
		return NULL;
	machine->config = *config;
	if (!config_complete(&machine->config))
		goto free_machine;
	machine->page_bytes = (size_t)1 << machine->config.page_shift;
	pthread_mutex_init(&machine->guard, NULL);
	pthread_cond_init(&machine->changed, NULL);
	if (tpsim_ram_create(machine))
		goto destroy_guard;
	if (tpsim_cache_create(machine))
		goto destroy_ram;
	if (tpsim_swiotlb_create(machine))
		goto destroy_cache;
	if (tpsim_work_start(machine))
		goto destroy_swiotlb;
	return machine;

destroy_swiotlb:
	tpsim_swiotlb_destroy(machine);
destroy_cache:
	tpsim_cache_destroy(machine);
destroy_ram:
	tpsim_ram_destroy(machine);
destroy_guard:
	pthread_cond_destroy(&machine->changed);
	pthread_mutex_destroy(&machine->guard);
free_machine:
	free(machine);
	return NULL;
}

void tpsim_machine_destroy(struct tpsim_machine *machine)
{
	tpsim_work_stop(machine);
	if (!tpsim_ledger_is_empty(machine)) {
		tpsim_ledger_print(machine);
		tpsim_complain("machine destroyed", "something is still out");
	}
	if (machine->sleepers)
		tpsim_complain("machine destroyed", "somebody sleeps there");
	tpsim_devices_bury(machine);
	tpsim_swapfile_close(machine);
	tpsim_descriptors_destroy(machine);
	tpsim_swiotlb_destroy(machine);
	tpsim_cache_destroy(machine);
	tpsim_ram_destroy(machine);
	pthread_cond_destroy(&machine->changed);
	pthread_mutex_destroy(&machine->guard);
	tpsim_thread_work_on(NULL);
	free(machine);
}

void *tpos_zalloc(tpos_system_t *system, size_t size)
{
	struct strike strike;
	void *ptr = NULL;

	tpsim_machine_enter(system, __func__);
	strike = tpsim_fault_strike(system, TPSIM_CALL_ZALLOC, -ENOMEM);
	if (!strike.error)
		ptr = calloc(1, size);
	if (ptr)
		system->out.descriptors++;
	tpsim_cost_spend(system, COST_ZALLOC, 1);
	tpsim_machine_unlock(system);
	return ptr;
}

void tpos_free(tpos_system_t *system, void *ptr)
{
	tpsim_machine_enter(system, __func__);
	if (ptr && !system->out.descriptors--)
		tpsim_complain("bad free",
			       "tpos_free() of what is no descriptor");
	tpsim_machine_unlock(system);
	free(ptr);
}

size_t tpsim_page_size(const struct tpsim_machine *machine)
{
	return machine->page_bytes;
}

void tpsim_watch(struct tpsim_machine *machine, const struct tpsim_watch *watch)
{
	tpsim_machine_lock(machine);
	machine->watch = watch;
	tpsim_machine_unlock(machine);
}
