// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory for descriptors: the process's own, counted. Valgrind and ASan see
 * each of them as a block of its own, so that one that is lost is found, and so
 * that there is always a live block from malloc() while a pool is up: without
 * any, memcheck's search for leaks returns early and is silent about lost
 * pages.
 */

#include <stdlib.h>

#include "machine.h"

void *tpos_zalloc(tpos_system_t *system, size_t size)
{
	size_t after;
	void *ptr;
	int err;

	lock_assert_none_spins("tpos_zalloc");
	machine_lock(system);
	err = fault_strikes(system, TPSIM_CALL_ZALLOC, &after);
	machine_unlock(system);
	if (err)
		return NULL;
	ptr = calloc(1, size);
	if (!ptr)
		return NULL;
	machine_lock(system);
	system->ledger.descriptors++;
	cost_add(system, COST_DESCRIPTOR, 1);
	machine_unlock(system);
	return ptr;
}

void tpos_free(tpos_system_t *system, void *ptr)
{
	lock_assert_none_spins("tpos_free");
	if (!ptr)
		return;
	free(ptr);
	machine_lock(system);
	system->ledger.descriptors--;
	machine_unlock(system);
}
