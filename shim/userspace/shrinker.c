// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Shrinkers, and their callers.
 *
 * As in mm/shrinker.c, do_shrink_slab(): count() comes first, and nothing else happens if it
 * returns 0. Then scan() is called for 128 pages at a time (SHRINK_BATCH), until enough
 * was asked for, or a scan returns nothing. If a scan gives more than it was asked for, the
 * surplus counts as asked for: do_shrink_slab() subtracts sc->nr_scanned, which the
 * shrinker raises in this case. A callback allocates at its own risk: it runs as with
 * PF_MEMALLOC in Linux, and its allocations call no shrinker.
 *
 * A thread that is short of pages may wait for a store, because all of the library's
 * requests have __GFP_FS. The machine says so to the shrinkers only if a store has room
 * (can_reclaim_anon_pages()).
 *
 * A shrinker that runs cannot go: unregister_shrinker() waits.
 */

#include "machine.h"

#define SHRINK_BATCH 128ul

/* What a thread that is short of pages asks for. */
struct need {
	int node; /* or TTMPOOL_NODE_ANY */
	unsigned long pages;
	bool swap;
};

static unsigned long ask_count(struct tpos_shrinker *shrinker,
			       const struct need *need)
{
	return shrinker->count_node && need->node >= 0
		       ? shrinker->count_node(shrinker, need->node, need->swap)
		       : shrinker->count(shrinker, need->swap);
}

static unsigned long ask_scan(struct tpos_shrinker *shrinker,
			      const struct need *need, unsigned long pages)
{
	return shrinker->scan_node && need->node >= 0
		       ? shrinker->scan_node(shrinker, need->node, pages,
					     need->swap)
		       : shrinker->scan(shrinker, pages, need->swap);
}

/* A callback must return with the same locks with which it was called. */
static unsigned long ask(struct tpos_shrinker *shrinker,
			 const struct need *need)
{
	const struct tpsim_lock *locks = tpsim_thread_locks();
	unsigned long freeable = ask_count(shrinker, need);
	unsigned long pages = need->pages;
	unsigned long freed = 0;

	if (pages > freeable)
		pages = freeable;
	while (pages) {
		unsigned long nr = pages < SHRINK_BATCH ? pages : SHRINK_BATCH;
		unsigned long got = ask_scan(shrinker, need, nr);

		freed += got;
		if (got > nr)
			nr = got;
		pages -= nr < pages ? nr : pages;
		if (!got)
			break;
	}
	if (tpsim_thread_locks() != locks)
		tpsim_complain("shrinker returned with a lock held", "%p",
			       (void *)shrinker);
	return freed;
}

/*
 * Asks each shrinker for the wanted number of pages, as shrink_slab() does for a node.
 * Shrinkers that know nodes (SHRINKER_NUMA_AWARE) are told the node.
 */
static unsigned long ask_all(struct tpsim_machine *machine,
			     const struct need *need)
{
	enum reclaims before = tpsim_thread_reclaims();
	struct tpos_shrinker *shrinker;
	unsigned long freed = 0;

	tpsim_thread_set_reclaims(need->swap ? RECLAIMS_AND_SWAPS : RECLAIMS);
	tpsim_machine_lock(machine);
	shrinker = machine->shrinkers;
	while (shrinker) {
		shrinker->running++;
		tpsim_machine_unlock(machine);
		freed += ask(shrinker, need);
		tpsim_machine_lock(machine);
		if (!--shrinker->running)
			pthread_cond_broadcast(&machine->changed);
		shrinker = shrinker->next;
	}
	tpsim_machine_unlock(machine);
	tpsim_thread_set_reclaims(before);
	return freed;
}

/*
 * Asks the shrinkers for pages that a thread lacks; only for pages of @node if no
 * others will do (shrink_zones() visits the nodes that the request admits).
 */
unsigned long tpsim_shortage(struct tpsim_machine *machine, int node,
			     unsigned long pages)
{
	struct need need = { .node = node,
			     .pages = pages,
			     .swap = tpsim_swapfile_has_room(machine) };
	unsigned long got;

	machine->counters.shrinks++;
	tpsim_machine_unlock(machine);
	got = ask_all(machine, &need);
	tpsim_machine_lock(machine);
	return got;
}

unsigned long tpsim_shrink(struct tpsim_machine *machine, unsigned long pages)
{
	return tpsim_shrink_node(machine, TTMPOOL_NODE_ANY, pages);
}

unsigned long tpsim_shrink_node(struct tpsim_machine *machine, int node,
				unsigned long pages)
{
	struct need need = { .node = node, .pages = pages };

	return ask_all(machine, &need);
}

unsigned long tpsim_shrink_swap(struct tpsim_machine *machine,
				unsigned long pages)
{
	struct need need = { .node = TTMPOOL_NODE_ANY, .pages = pages };

	tpsim_machine_lock(machine);
	need.swap = tpsim_swapfile_has_room(machine);
	tpsim_machine_unlock(machine);
	return ask_all(machine, &need);
}

int tpos_shrinker_register(tpos_system_t *system,
			   struct tpos_shrinker *shrinker)
{
	struct strike strike;

	tpsim_machine_enter(system, __func__);
	strike = tpsim_fault_strike(system, TPSIM_CALL_SHRINKER_REGISTER,
				    -ENOMEM);
	if (!strike.error) {
		shrinker->running = 0;
		shrinker->next = system->shrinkers;
		system->shrinkers = shrinker;
		system->out.shrinkers++;
	}
	tpsim_machine_unlock(system);
	return strike.error;
}

void tpos_shrinker_unregister(tpos_system_t *system,
			      struct tpos_shrinker *shrinker)
{
	struct tpos_shrinker **link = &system->shrinkers;

	tpsim_machine_enter(system, __func__);
	if (tpsim_thread_reclaims())
		tpsim_complain("deadlock", "a shrinker unregisters");
	while (shrinker->running)
		pthread_cond_wait(&system->changed, &system->guard);
	while (*link && *link != shrinker)
		link = &(*link)->next;
	if (!*link)
		tpsim_complain("unregister", "a shrinker that is not there");
	*link = shrinker->next;
	system->out.shrinkers--;
	tpsim_machine_unlock(system);
}
