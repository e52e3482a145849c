/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef WORLD_H
#define WORLD_H

/*
 * A random model test. The reference of a buffer is a number, from which all its bytes
 * follow, and whether it has any bytes. Everything else (which pages, which state, what
 * is allocated) is the library's own account, and must agree with the machine's after
 * each step.
 *
 * A step follows from a seed, from its number, and from the state of the buffer that it
 * finds, so any part of a run can be played again without the rest: that is how a failure
 * is shortened.
 */

#include <ttmpool/ttmpool.h>

#include "tpsim.h"

#define NR_BUFFERS   8
#define NR_RAW       2
#define MAX_PAGES    12
#define NR_POOLS     2
#define MOST_RAM     4096
#define MAPPED_LIMIT 200 /* pages of the device's budget */
#define POOL_LIMIT_B 160 /* of the second pool's own */
#define MAX_ORDER    4
#define MOST_POISON  8

/* A buffer, and its reference: @has_bytes and @bytes. */
struct item {
	struct ttmpool_backend be;
	tpos_page_t *pages[MAX_PAGES];
	tpos_dma_addr_t dma_addr[MAX_PAGES];
	tpos_page_t *old[MAX_PAGES]; /* its array when it was last populated */
	bool locked;                 /* by the step that works on it */
	bool has_bytes;
	uint64_t bytes; /* all its bytes follow from this */
};

/* Pages that were taken from a pool without a buffer, as a drop-in does. */
struct raw {
	struct ttmpool_pool *pool;
	tpos_page_t *pages[MAX_PAGES];
	tpos_dma_addr_t dma_addr[MAX_PAGES];
	size_t n; /* 0: none */
	enum ttmpool_caching caching;
	bool mapped;
};

/* A page that the hardware has poisoned, and the array that it was in then: that owner
 * may keep it until it gives the page back; after that no owner may get it. */
struct poison {
	tpos_page_t *page;
	tpos_page_t *const *of; /* NULL: no owner may have it */
};

/*
 * struct tally - counts of a run, for its last line
 * @did: operations that did what they are for
 * @refused: operations that were not legal, and were refused
 * @failed: operations that were legal, and failed for a reason
 * @struck: planned failures that happened
 * @stale: accesses to addresses that belonged to no buffer any more, and faulted
 */
struct tally {
	uint64_t steps;
	uint64_t did;
	uint64_t refused;
	uint64_t failed;
	uint64_t struck;
	uint64_t stale;
};

/*
 * struct watch - the state before a step; see swapper.c
 * @was, @stored: the state of each buffer, and how much of it was in its store
 * @listed: the buffers that the swapper could have, the oldest first
 * @touches: changes of caching, and mappings that ended
 * @shrinks: how often the machine has asked the shrinkers for memory
 * @full: there was no room in the store, and nothing to give up except buffers
 * @one_round: the step made the swapper do exactly one round
 */
struct watch {
	enum ttmpool_tt_state was[NR_BUFFERS];
	size_t stored[NR_BUFFERS];
	int listed[NR_BUFFERS];
	int nr_listed;
	uint64_t touches, shrinks;
	bool full;
	bool one_round;
};

/*
 * struct had - the state before a request, or after it
 * @pooled: in each pool
 * @fresh, @fallbacks: counters of its own pool
 */
struct had {
	unsigned long pooled[NR_POOLS];
	unsigned long swapped;
	uint64_t unmaps;
	uint64_t flushes;
	uint64_t fresh;
	uint64_t fallbacks;
};

/*
 * struct room - what is known of a request before it is made: see room.c
 * @hopeless: it can never be served
 * @fits: it must be served
 * @pooled: even if the machine has no memory
 * @few: no page has to go for it, and no mapping for the sake of a budget
 * @free: nor does a mapping have to end because there are few addresses
 * @sound: nothing has to be repaired for it, chunk by chunk
 * @alone: no other thread did anything meanwhile: see meanwhile() in steps.c
 * @lacks: pages have to be allocated
 */
struct room {
	bool hopeless;
	bool fits;
	bool pooled;
	bool few;
	bool free;
	bool sound;
	bool alone;
	bool lacks;
	uint64_t start_ms;
	struct had had;
};

/*
 * struct order - which pages were pooled when: see order.c
 * @of: the number of the pool that had the page before the step, from 1; 0: none
 * @seen: the step that first saw it pooled; 0: none
 * @age: the library's age of its chunk then
 * @by: the pool that had it then
 * @was: the age of its chunk before a request; 0: it was not pooled
 * @pools: what left each pool in the step, and what stayed
 */
struct order {
	uint8_t of[MOST_RAM];
	uint32_t seen[MOST_RAM];
	uint64_t age[MOST_RAM];
	const struct ttmpool_pool *by[MOST_RAM];
	uint64_t was[MOST_RAM];
	struct {
		uint32_t
			first_gone; /* pooled after this step, each; UINT32_MAX: none */
		uint32_t
			last_gone; /* pooled after this step, one of them; 0: none */
		uint32_t oldest; /* pooled by this step, one that stayed */
	} pools[NR_POOLS];
};

struct world {
	uint64_t seed;
	unsigned int page_shift;
	size_t page_bytes;
	struct tpsim_config config;
	bool large;       /* there is memory for step_flood() */
	bool one_device;  /* dev[1] is dev[0] */
	bool shares_iova; /* the pools are on @iova */
	struct tpsim_machine *machine;
	struct tpsim_device *dev[NR_POOLS];
	struct ttmpool_manager mgr;
	struct ttmpool_iova iova;
	struct ttmpool_pool pool[NR_POOLS];
	struct ttmpool_owner owner[NR_POOLS];
	struct item items[NR_BUFFERS];
	struct raw raws[NR_RAW];
	struct poison poison[MOST_POISON];
	int poisoned;
	struct tally tally;

	/* what the limits are, and what was had when they last changed */
	unsigned long page_budget;
	unsigned long pages_most;
	unsigned long pool_limit;
	unsigned long reserve[NR_POOLS];
	bool prepared[NR_POOLS];
	unsigned long mapped_in_use[NR_POOLS]; /* after the last step */
	size_t total_pages;

	/* of the last step */
	struct watch watch;
	uint32_t step;
	uint32_t owner_seen[MOST_RAM]; /* by page: the step that saw it owned */
	tpos_dma_addr_t was_at;        /* a former address of a buffer */
	int was_of;                    /* and its device */
	struct room room;              /* before a request */
	struct order order;
	bool disturbed; /* a failure or a signal may have struck in this step */
	int err;
	const char *wrong;
};

/** mix() - a number made from a number (splitmix64). */
uint64_t mix(uint64_t x);

/** world_open(), world_close() - build it, and take it down; if something is left then,
 * the machine aborts. @page_shift: 0 for 12. */
void world_open(struct world *w, uint64_t seed, unsigned int page_shift);
void world_close(struct world *w);

/** is_resident() - are all bytes of the buffer in pages? */
bool is_resident(const struct item *item);

/** write_bytes() - the CPU writes the bytes that follow from @bytes. */
void write_bytes(struct world *w, struct item *item, uint64_t bytes);

/** word_of() - the word that is at every place of a page. */
uint64_t word_of(const struct item *item, size_t page);

/** check_bytes() - is every byte what the reference says? Notes w->wrong. */
void check_bytes(struct world *w, const struct item *item);

/** check_zero() - are pages that nobody has written to zero? */
void check_zero(struct world *w, tpos_page_t *const *pages, size_t n,
		enum ttmpool_caching caching);

/** has_poison() - has the hardware poisoned a page of the buffer? Then perhaps it cannot
 * be stored, and is passed over. */
bool has_poison(const struct world *w, const struct item *item);

/** room_before(), room_after() - called before and after a request for pages: was it
 * served or refused as it has to be, and at what cost to others? */
void room_before(struct world *w, const struct ttmpool_request *req,
		 bool mapped, const struct ttmpool_pool *of);
void room_after(struct world *w, const struct ttmpool_request *req, int err,
		const struct ttmpool_pool *of, tpos_page_t *const *pages);

/** room_time() - did a call that began at that time wait as long as it should? */
void room_time(struct world *w, unsigned int wait_ms, int err,
	       uint64_t start_ms);

/** room_waited() - was a call for @pages refused though it could wait? */
void room_waited(struct world *w, size_t pages, unsigned int wait_ms, int err);

/** holds_addresses() - do batches share addresses? Then a page in use holds the addresses
 * of others. */
bool holds_addresses(const struct world *w);

/** is_poison_pooled() - is a page in a bin that cannot leave? */
bool is_poison_pooled(struct world *w);

/** poison_pooled() - the number of pooled pages in chunks that cannot leave. */
unsigned long poison_pooled(struct world *w, int pool);

/** sound_can_go() - like can_go(), but only pages that can go to the system. */
unsigned long sound_can_go(struct world *w, int pool);

/** can_go() - the number of pages of a pool that may go for others. */
unsigned long can_go(struct world *w, int pool);

/** mapped_pages() - by the budgets of the devices. */
unsigned long mapped_pages(struct world *w);

/** order_before(), order_after(), order_across() - around a step that gives up pooled
 * pages: did the oldest go first? */
void order_before(struct world *w);
void order_after(struct world *w);
void order_across(struct world *w);

/** order_note(), order_kept() - around a request that failed: are pooled pages as old as
 * before? */
void order_note(struct world *w);
void order_kept(struct world *w);

/** asked_in_vain - the swapper has locked a buffer that has no pages to give. */
extern bool asked_in_vain;

/** check_step() - check what must be true after each step; see checks.c. */
void check_step(struct world *w);

/** watch_swapper(), check_swapper() - before and after each step; see swapper.c. */
void watch_swapper(struct world *w);
void check_swapper(struct world *w);

/** check_all() - check everything that can be checked: walk all lists, read every
 * byte. */
void check_all(struct world *w);

/** step_other() - make one of the steps that are not an operation on one buffer; if @run
 * is false, only return its name. */
#define NR_VERBS  11
#define NR_OTHERS 29
#define NR_STEPS  (NR_VERBS + NR_OTHERS)
const char *step_other(struct world *w, struct item *item, int which,
		       uint64_t r, bool run);

/** request_of() - a random request, for the pool of @of. */
struct ttmpool_request request_of(struct world *w, const struct item *of,
				  uint64_t r);

/** step_scan() and others - see limits.c, flood.c and backup.c. */
void step_scan(struct world *w, struct item *item, uint64_t r);
void step_shrink(struct world *w, struct item *item, uint64_t r);
void step_drain(struct world *w, struct item *item, uint64_t r);
void step_pool_limit(struct world *w, struct item *item, uint64_t r);
void step_budget(struct world *w, struct item *item, uint64_t r);
void step_reserve(struct world *w, struct item *item, uint64_t r);
void step_flood(struct world *w, struct item *item, uint64_t r);
void step_broken(struct world *w, struct item *item, uint64_t r);
void step_backup(struct world *w, struct item *item, uint64_t r);

/**
 * struct step - one operation
 * @which: verbs first, then the others
 * @buffer: the buffer
 * @pages: the number of pages, for a swapout or swapin of a part
 * @r: random bits for further choices, from bit 32 on
 * @fails: @fault is planned
 * @signal: the number of the check that finds a signal; 0: none
 * @others: if the step waits, another thread gives address space back meanwhile
 * @thorough: everything is checked afterwards, not only what check_step() checks
 */
struct step {
	unsigned int which;
	unsigned int buffer;
	size_t pages;
	uint64_t r;
	bool fails;
	struct tpsim_fault fault;
	unsigned long signal;
	bool others;
	bool thorough;
};

/** random_step() - the step that follows from @r, and from the state of its buffer. */
void random_step(const struct world *w, uint64_t r, struct step *step);

/** play_step() - make the step, and check what must be true afterwards: w->wrong. */
void play_step(struct world *w, const struct step *step);

const char *step_name(struct world *w, const struct step *step);

/** log_step() - print one line about the state of the world, the same on every machine
 * that this runs on. */
void log_step(struct world *w);

#endif
