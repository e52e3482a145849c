// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Shrinkers, as mm/shrinker.c calls them: count first, then scan in batches
 * while that yields something. They are called from the thread that is short of
 * memory, whatever locks of the library's it holds, and that is the point: a
 * library that allocates with a lock held that its shrinker needs is found out
 * at once.
 */

#include "machine.h"

int tpos_shrinker_register(tpos_system_t *system,
			   struct tpos_shrinker *shrinker)
{
	size_t after;
	int err;

	lock_assert_none_spins("tpos_shrinker_register");
	machine_lock(system);
	err = fault_strikes(system, TPSIM_CALL_SHRINKER_REGISTER, &after);
	if (!err) {
		shrinker->next = system->shrinkers;
		system->shrinkers = shrinker;
		system->ledger.shrinkers++;
	}
	machine_unlock(system);
	return err;
}

void tpos_shrinker_unregister(tpos_system_t *system,
			      struct tpos_shrinker *shrinker)
{
	struct tpos_shrinker **link = &system->shrinkers;

	lock_assert_none_spins("tpos_shrinker_unregister");
	machine_lock(system);
	while (system->shrinking) /* synchronize_shrinkers() */
		pthread_cond_wait(&system->shrinking_ended, &system->mutex);
	while (*link && *link != shrinker)
		link = &(*link)->next;
	if (!*link)
		machine_panic("a shrinker is unregistered that is not there");
	*link = shrinker->next;
	system->ledger.shrinkers--;
	machine_unlock(system);
}

/* do_shrink_slab(): count, then scan until enough is gone or none comes. */
static unsigned long shrink_one(struct tpos_shrinker *shrinker,
				unsigned long pages)
{
	unsigned long freeable = shrinker->count(shrinker);
	unsigned long got = 0;

	if (pages > freeable)
		pages = freeable;
	while (got < pages) {
		unsigned long n = shrinker->scan(shrinker, pages - got);

		if (!n)
			break;
		got += n;
	}
	return got;
}

unsigned long shrinkers_scan(struct tpsim_machine *machine, unsigned long pages)
{
	struct tpos_shrinker *shrinker;
	unsigned long got = 0;

	machine_lock(machine);
	machine->shrinking++;
	machine->counters.shrinks++;
	shrinker = machine->shrinkers;
	machine_unlock(machine);
	for (; shrinker && got < pages; shrinker = shrinker->next)
		got += shrink_one(shrinker, pages - got);
	machine_lock(machine);
	if (!--machine->shrinking)
		pthread_cond_broadcast(&machine->shrinking_ended);
	machine_unlock(machine);
	return got;
}

unsigned long tpsim_shrink(struct tpsim_machine *machine, unsigned long pages)
{
	return shrinkers_scan(machine, pages);
}
