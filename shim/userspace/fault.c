// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fault plan: which calls fail, by kind and ordinal, as the kernel's
 * fail-nth does (lib/fault-inject.c). It lives in the machine's handle, so that
 * it dies with it and no other machine has part in it.
 */

#include "machine.h"

static const char *const names[TPSIM_CALL_COUNT] = {
	[TPSIM_CALL_PAGES_ALLOC] = "pages_alloc",
	[TPSIM_CALL_COHERENT_ALLOC] = "coherent_alloc",
	[TPSIM_CALL_CACHING_SET] = "caching_set",
	[TPSIM_CALL_CACHING_RESET] = "caching_reset",
	[TPSIM_CALL_DMA_MAP] = "dma_map",
	[TPSIM_CALL_ZALLOC] = "zalloc",
	[TPSIM_CALL_SHRINKER_REGISTER] = "shrinker_register",
};

const char *tpsim_call_name(enum tpsim_call call)
{
	return names[call];
}

void tpsim_fault_hit(enum tpsim_call call)
{
	(void)call; /* a place for a breakpoint */
}

void tpsim_fault_plan(struct tpsim_machine *machine,
		      const struct tpsim_fault *fault)
{
	machine_lock(machine);
	for (int i = 0; i < MAX_FAULTS; i++) {
		struct fault_slot *slot = &machine->faults[i];

		if (slot->used)
			continue;
		*slot = (struct fault_slot){ .fault = *fault, .used = true };
		if (!slot->fault.times)
			slot->fault.times = 1;
		machine_unlock(machine);
		return;
	}
	machine_panic("more than %d faults are planned", MAX_FAULTS);
}

unsigned long tpsim_fault_clear(struct tpsim_machine *machine)
{
	unsigned long struck;

	machine_lock(machine);
	memset(machine->faults, 0, sizeof(machine->faults));
	struck = machine->faults_struck;
	machine->faults_struck = 0;
	machine_unlock(machine);
	return struck;
}

unsigned long tpsim_fault_calls(struct tpsim_machine *machine,
				enum tpsim_call call)
{
	unsigned long calls;

	machine_lock(machine);
	calls = machine->fault_calls[call];
	machine_unlock(machine);
	return calls;
}

static int usual_error(enum tpsim_call call)
{
	return call == TPSIM_CALL_DMA_MAP ? -ENOSPC : -ENOMEM;
}

/* Count a call; a negative errno if it is planned to fail. Under the lock. */
int fault_strikes(struct tpsim_machine *machine, enum tpsim_call call,
		  size_t *after)
{
	int err = 0;

	machine->fault_calls[call]++;
	for (int i = 0; i < MAX_FAULTS; i++) {
		struct fault_slot *slot = &machine->faults[i];

		if (!slot->used || slot->fault.call != call)
			continue;
		slot->seen++;
		if (err || slot->seen < slot->fault.nth ||
		    slot->seen - slot->fault.nth >= slot->fault.times)
			continue;
		err = slot->fault.error ? slot->fault.error : usual_error(call);
		*after = slot->fault.after;
		machine->faults_struck++;
		tpsim_fault_hit(call);
	}
	return err;
}
