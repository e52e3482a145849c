// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Planned failures: the k-th call of a kind fails, once or from there on, and a batch may
 * fail half way through. /proc/self/fail-nth does this in a kernel with
 * CONFIG_FAULT_INJECTION (lib/fault-inject.c, should_fail_ex()). Here calls are counted in
 * place of allocations, so that a sweep also covers calls that fail for other reasons.
 */

#include "machine.h"

static const char *const names[TPSIM_CALL_COUNT] = {
	[TPSIM_CALL_PAGES_ALLOC] = "pages-alloc",
	[TPSIM_CALL_COHERENT_ALLOC] = "coherent-alloc",
	[TPSIM_CALL_CACHING_SET] = "caching-set",
	[TPSIM_CALL_CACHING_RESET] = "caching-reset",
	[TPSIM_CALL_DMA_MAP] = "dma-map",
	[TPSIM_CALL_ZALLOC] = "zalloc",
	[TPSIM_CALL_SHRINKER_REGISTER] = "shrinker-register",
	[TPSIM_CALL_STORE_CREATE] = "store-create",
	[TPSIM_CALL_STORE_WRITE] = "store-write",
	[TPSIM_CALL_STORE_READ] = "store-read",
	[TPSIM_CALL_WAIT] = "wait",
};

const char *tpsim_call_name(enum tpsim_call call)
{
	return (unsigned int)call < TPSIM_CALL_COUNT ? names[call] : "unknown";
}

/* A place for a breakpoint: the call stack shows which call is about to fail. */
__attribute__((noinline)) void tpsim_fault_hit(enum tpsim_call call)
{
	__asm__ volatile("" : : "r"(call));
}

/* Returns whether this call, the latest since the plan was made, is to fail. */
static bool is_due(const struct planned_fault *planned)
{
	unsigned int times = planned->fault.times ? planned->fault.times : 1;

	if (planned->calls < planned->fault.nth)
		return false;
	return times == UINT_MAX || planned->calls - planned->fault.nth < times;
}

struct strike tpsim_fault_strike(struct tpsim_machine *machine,
				 enum tpsim_call call, int usual)
{
	struct strike strike = { 0 };

	machine->calls[call]++;
	for (size_t i = 0; i < machine->planned; i++) {
		struct planned_fault *planned = &machine->plan[i];

		if (planned->fault.call != call)
			continue;
		planned->calls++;
		if (strike.error || !is_due(planned))
			continue;
		strike.error = planned->fault.error ? planned->fault.error
						    : usual;
		strike.after = planned->fault.after;
	}
	if (strike.error) {
		machine->struck++;
		tpsim_fault_hit(call);
	}
	return strike;
}

void tpsim_fault_plan(struct tpsim_machine *machine,
		      const struct tpsim_fault *fault)
{
	tpsim_machine_lock(machine);
	if (machine->planned == FAULT_LIMIT)
		tpsim_complain("fault plan", "more than %d failures",
			       FAULT_LIMIT);
	if ((unsigned int)fault->call >= TPSIM_CALL_COUNT || !fault->nth)
		tpsim_complain("fault plan", "call %d, nth %lu",
			       (int)fault->call, fault->nth);
	machine->plan[machine->planned++] =
		(struct planned_fault){ .fault = *fault };
	tpsim_machine_unlock(machine);
}

unsigned long tpsim_fault_clear(struct tpsim_machine *machine)
{
	unsigned long struck;

	tpsim_machine_lock(machine);
	struck = machine->struck;
	machine->struck = 0;
	machine->planned = 0;
	tpsim_machine_unlock(machine);
	return struck;
}

unsigned long tpsim_fault_calls(struct tpsim_machine *machine,
				enum tpsim_call call)
{
	unsigned long calls;

	tpsim_machine_lock(machine);
	calls = machine->calls[call];
	tpsim_machine_unlock(machine);
	return calls;
}
