// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks, which may be read after they were freed.
 *
 * They behave as objects of a slab cache with SLAB_TYPESAFE_BY_RCU (include/linux/slab.h): a
 * descriptor that is freed may describe another chunk at once, and its memory stays a
 * descriptor until all readers that may have found it before are done. A machine with
 * threads hands out the newest free descriptor first, as slab does. So a late reader sees
 * another chunk in its place, and not the one it looked for. While no thread is between
 * tpos_read_lock() and tpos_read_unlock(), free descriptors are closed, because no reader
 * may use them any more. A machine without threads has no late readers, and frees the
 * memory at once, so that heap checkers see it.
 *
 * A new descriptor contains what an earlier chunk left there, or rubbish.
 */

#include <stdlib.h>

#include "machine.h"

/**
 * struct descriptor - a chunk, and what links it while it is free
 * @next: outside of @chunk, because readers may look at free descriptors
 *	(mm/slub.c, calculate_sizes())
 * @named: it is a struct ttmpool_named_chunk, which have a cache of their own
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

/* Returns the newest free descriptor, or a new one. Guarded. */
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

/*
 * A slab cache gets its memory from the page allocator. So a thread that allocates
 * when no page is free reclaims (mm/slub.c, allocate_slab()), unless it was told
 * not to.
 */
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

/* Frees all descriptors at power-off, when no thread reads any more. */
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
