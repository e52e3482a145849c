/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BED_H
#define BED_H

/*
 * The test bed of the simulated machine: batches of chunks that are made by hand, without
 * the library, and a check that the breach of a rule ends the program.
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
 * @list: the argument of tpos_* functions
 * @n: the number of chunks
 * @chunk: the chunks
 */
struct batch {
	struct ttmpool_list list;
	size_t n;
	struct ttmpool_chunk chunk[BATCH_MOST];
};

/** machine_with() - create a machine; the test fails if there is none. */
struct tpsim_machine *machine_with(const struct tpsim_config *config);

/** device_with() - create a device of any node; the test fails if there is none. */
struct tpsim_device *device_with(struct tpsim_machine *machine, uint64_t mask);

/** batch_init() - make the batch empty. */
void batch_init(struct batch *batch);

/** batch_add() - add one chunk of fresh pages; returns what tpos_pages_alloc()
 * returned. */
int batch_add(struct batch *batch, struct tpsim_device *dev,
	      const struct tpos_alloc *req);

/** batch_plain() - add @n plain chunks of @order; the test fails if there are none. */
void batch_plain(struct batch *batch, struct tpsim_device *dev, size_t n,
		 unsigned int order);

/** batch_free() - free all pages of the batch, and make it empty. */
void batch_free(struct batch *batch, struct tpsim_device *dev);

/** counters_of() and ledger_of() - read them by value. */
struct tpsim_counters counters_of(struct tpsim_machine *machine);
struct tpsim_ledger ledger_of(struct tpsim_machine *machine);

/** plan() - the @nth call from now fails, after @after chunks of a batch. */
void plan(struct tpsim_machine *machine, enum tpsim_call call,
	  unsigned long nth, size_t after);

/** batch_coherent() - add one coherent chunk of @order; the test fails if there is
 * none. */
void batch_coherent(struct batch *batch, struct tpsim_device *dev,
		    unsigned int order);

/** span_of() - @pages pages of a chunk, starting with page @first. */
struct tpos_span span_of(const struct ttmpool_chunk *chunk, size_t first,
			 size_t pages);

/** page_fill() - the CPU writes @byte all over a page, with the caching that the page
 * has. */
void page_fill(struct tpsim_machine *machine, tpos_page_t *page,
	       unsigned char byte);

/** page_is() - does the CPU read @byte all over the page? */
bool page_is(struct tpsim_machine *machine, tpos_page_t *page,
	     unsigned char byte);

/** under_valgrind() - does the test run under Valgrind? */
bool under_valgrind(void);

/** bytes_are() - is each of @len bytes @byte? */
bool bytes_are(const void *bytes, size_t len, unsigned char byte);

/**
 * assert_complains() - check that breaking a rule ends the program
 * @rule: words of the line that names the rule
 * @breach: breaks the rule; runs in a process of its own
 * @arg: for @breach
 */
void assert_complains(const char *rule, void (*breach)(void *arg), void *arg);

#endif
