/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BED_H
#define BED_H

/*
 * The test bed of the simulated machine: batches of chunks made by hand,
 * without the library, and rules whose breach ends the program.
 */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <tpsim.h>

#define BATCH_MOST 1100
#define ANY_NODE   TTMPOOL_NODE_ANY

/**
 * struct batch - chunks, and the list that they are on
 * @list: what tpos_* functions take
 * @n: how many
 * @chunk: they
 */
struct batch {
	struct ttmpool_list list;
	size_t n;
	struct ttmpool_chunk chunk[BATCH_MOST];
};

/** machine_with() - a machine; the test fails if there is none. */
struct tpsim_machine *machine_with(const struct tpsim_config *config);

/** device_with() - a device of any node; the test fails if there is none. */
struct tpsim_device *device_with(struct tpsim_machine *machine, uint64_t mask);

/** batch_init() - no chunks yet. */
void batch_init(struct batch *batch);

/** batch_add() - one chunk more of fresh pages; what tpos_pages_alloc() said.
 */
int batch_add(struct batch *batch, struct tpsim_device *dev,
	      const struct tpos_alloc *req);

/** batch_plain() - @n chunks more, plain ones of @order, which must be there.
 */
void batch_plain(struct batch *batch, struct tpsim_device *dev, size_t n,
		 unsigned int order);

/** batch_free() - all its pages back, and it is empty again. */
void batch_free(struct batch *batch, struct tpsim_device *dev);

/** counters_of() and ledger_of() - by value. */
struct tpsim_counters counters_of(struct tpsim_machine *machine);
struct tpsim_ledger ledger_of(struct tpsim_machine *machine);

/** plan() - the @nth call from now fails, after @after chunks of a batch. */
void plan(struct tpsim_machine *machine, enum tpsim_call call,
	  unsigned long nth, size_t after);

/** batch_coherent() - one chunk more, of order @order, of the coherent
 * allocator, which must be there. */
void batch_coherent(struct batch *batch, struct tpsim_device *dev,
		    unsigned int order);

/** span_of() - @pages pages of a chunk, from the @first on. */
struct tpos_span span_of(const struct ttmpool_chunk *chunk, size_t first,
			 size_t pages);

/** page_fill() - the CPU writes @byte all over a page, as its caching has it.
 */
void page_fill(struct tpsim_machine *machine, tpos_page_t *page,
	       unsigned char byte);

/** page_is() - does the CPU read @byte all over it? */
bool page_is(struct tpsim_machine *machine, tpos_page_t *page,
	     unsigned char byte);

/** under_valgrind() - is somebody watching every byte? */
bool under_valgrind(void);

/** bytes_are() - is each of @len bytes @byte? */
bool bytes_are(const void *bytes, size_t len, unsigned char byte);

/**
 * assert_complains() - a rule is broken, and that ends the program
 * @rule: words of the line that tells so
 * @breach: what breaks it; runs in a process of its own
 * @arg: for @breach
 */
void assert_complains(const char *rule, void (*breach)(void *arg), void *arg);

#endif
