// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks, and who reads them when they have ended.
 *
 * As a slab cache with SLAB_TYPESAFE_BY_RCU (include/linux/slab.h): what is freed
 * may be the next chunk's at once, and stays a descriptor until those that may have
 * found it before are through. On a machine with threads the newest is handed out
 * first, as slab does, so that a reader who is late sees another chunk in its place
 * and not what he looked for. While nobody is between tpos_read_lock() and
 * tpos_read_unlock(), what is free is closed: no reader may come any more. A machine
 * without threads has none who could be late, and gives the memory back at once,
 * to whatever watches the heap.
 *
 * Memory is had with all that an earlier chunk left there, or with nonsense.
 */

#include <stdlib.h>

#include "machine.h"

/**
 * struct descriptor - a chunk, and what links it while it is free
 * @next: beside it, since readers may look at what is free
 *	(mm/slub.c, calculate_sizes())
 * @named: a struct ttmpool_named_chunk, of a cache of their own
 * @chunk: the descriptor itself, and a name if it is a named one
 */
struct descriptor {
	struct descriptor *next;
	bool named;
	struct ttmpool_chunk chunk;
};

static struct descriptor *descriptor_of(struct ttmpool_chunk *chunk)
{
	return (struct descriptor *)((char *)chunk -
				     offsetof(struct descriptor, chunk));
}

static size_t chunk_size(bool named)
{
	return named ? sizeof(struct ttmpool_named_chunk)
		     : sizeof(struct ttmpool_chunk);
}

/* The newest that is free, or a new one. Guarded. */
static struct descriptor *descriptor_get(struct tpsim_machine *machine,
					 bool named)
{
	struct descriptor *descriptor = machine->free_descriptors[named];

	if (descriptor) {
		machine->free_descriptors[named] = descriptor->next;
		annotate_open_forever((char *)&descriptor->chunk,
				      chunk_size(named));
		return descriptor;
	}
	descriptor =
		malloc(offsetof(struct descriptor, chunk) + chunk_size(named));
	if (!descriptor)
		return NULL;
	descriptor->named = named;
	memset(&descriptor->chunk, 0xa5, chunk_size(named));
	return descriptor;
}

/* A slab cache gets its memory from the page allocator, so who allocates when no page is
 * free reclaims (mm/slub.c, allocate_slab()), unless told not to. */
static bool reclaims_first(const struct tpsim_machine *machine,
			   unsigned int flags)
{
	return !machine->out.free_pages && !tpsim_thread_reclaims() &&
	       !(flags & (TPOS_ALLOC_NO_RECLAIM | TPOS_ALLOC_NO_WAIT));
}

struct ttmpool_chunk *tpos_chunk_alloc(tpos_system_t *system, bool named,
				       unsigned int flags)
{
	struct descriptor *descriptor = NULL;
	struct strike strike;

	tpsim_machine_enter(system, __func__);
	if (reclaims_first(system, flags))
		tpsim_shortage(system, TTMPOOL_NODE_ANY, 1);
	strike = tpsim_fault_strike(system, TPSIM_CALL_ZALLOC, -ENOMEM);
	if (!strike.error)
		descriptor = descriptor_get(system, named);
	if (descriptor)
		system->out.descriptors++;
	tpsim_cost_spend(system, COST_ZALLOC, 1);
	tpsim_machine_unlock(system);
	return descriptor ? &descriptor->chunk : NULL;
}

void tpos_chunk_free(tpos_system_t *system, struct ttmpool_chunk *chunk)
{
	struct descriptor *descriptor = descriptor_of(chunk);
	bool named = descriptor->named;

	tpsim_machine_enter(system, __func__);
	if (!system->out.descriptors--)
		tpsim_complain("bad free", "%s of what is no descriptor",
			       __func__);
	if (named != !!(chunk->flags & TTMPOOL_CHUNK_NAMED))
		tpsim_complain("bad free", "a descriptor was had %s name",
			       named ? "with a" : "without");
	if (system->config.threads) {
		descriptor->next = system->free_descriptors[named];
		system->free_descriptors[named] = descriptor;
		if (!tpsim_readers())
			annotate_close_forever((char *)chunk,
					       chunk_size(named));
		descriptor = NULL;
	}
	tpsim_machine_unlock(system);
	free(descriptor);
}

/* Power-off: nobody reads any more. */
void tpsim_descriptors_destroy(struct tpsim_machine *machine)
{
	struct descriptor *descriptor;

	for (int named = 0; named < 2; named++)
		while ((descriptor = machine->free_descriptors[named])) {
			machine->free_descriptors[named] = descriptor->next;
			annotate_open_forever((char *)&descriptor->chunk,
					      chunk_size(named));
			free(descriptor);
		}
}
