/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef WORLD_H
#define WORLD_H

/*
 * A random model test. What a buffer is, by the reference: a number, from which
 * all its bytes follow, and whether it has any. Everything else (which pages,
 * which state, what is out) is the library's own account, and must add up with
 * the machine's after each step.
 *
 * A step is a function of a seed and of its number alone, so any part of a run
 * can be played again without the rest: that is how a failure is made short.
 */

#include <ttmpool/ttmpool.h>

#include "tpsim.h"

#define NR_BUFFERS 8
#define MAX_PAGES  12
#define NR_POOLS   2

/* The reference: this is all that a buffer is. */
struct item {
	struct ttmpool_backend be;
	tpos_page_t *pages[MAX_PAGES];
	tpos_dma_addr_t dma_addr[MAX_PAGES];
	bool locked; /* by the step that works on it */
	bool has_bytes;
	uint64_t bytes; /* all its bytes follow from this */
};

struct world {
	struct tpsim_machine *machine;
	struct tpsim_device *dev[NR_POOLS];
	struct ttmpool_manager mgr;
	struct ttmpool_iova iova;
	struct ttmpool_pool pool[NR_POOLS];
	struct ttmpool_owner owner[NR_POOLS];
	struct item items[NR_BUFFERS];
	bool disturbed; /* a failure or a signal may have struck in this step */
	int err;        /* of the last step */
	const char *wrong;
};

/** mix() - a number from a number (splitmix64). */
uint64_t mix(uint64_t x);

/** world_open(), world_close() - build it, and take it down; what is left then
 * is a reason for the machine to abort. */
void world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);

/** is_resident() - has the buffer all its bytes in pages? */
bool is_resident(const struct item *item);

/** write_bytes() - the CPU writes what follows from @bytes. */
void write_bytes(struct world *w, struct item *item, uint64_t bytes);

/** check_bytes() - is every byte what the reference says? Notes w->wrong. */
void check_bytes(struct world *w, const struct item *item);

/** check_sums() - do all accounts agree, with the machine's, too? */
void check_sums(struct world *w);

/** make_step() - one operation, that follows from @r alone; prints it if
 * @verbose. */
void make_step(struct world *w, uint64_t r, bool verbose);

#endif
