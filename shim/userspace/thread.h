/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef THREAD_H
#define THREAD_H

/*
 * What the machine knows about the calling thread, as Linux does by task_struct: the
 * locks that it holds, whether it is reclaiming, and which machine it works on. The
 * functions are in lock.c.
 */

#include <ttmpool_port.h>

/* Whether this thread runs a shrinker, and whether that may wait for a store. */
enum reclaims {
	RECLAIMS_NOT,
	RECLAIMS,
	RECLAIMS_AND_SWAPS,
};

/* The state of a thread's own turn, saved while the thread plays another one. */
struct thread_turn {
	struct tpsim_lock *held;
	enum reclaims reclaims;
	struct tpsim_machine *machine;
	struct thread_turn *outer;
};

void tpsim_thread_may_sleep(const char *call);
const struct tpsim_lock *tpsim_thread_locks(void);
enum reclaims tpsim_thread_reclaims(void);
void tpsim_thread_set_reclaims(enum reclaims reclaims);
void tpsim_thread_turn_begin(struct thread_turn *turn);
void tpsim_thread_turn_end(struct thread_turn *turn);
void tpsim_thread_work_on(struct tpsim_machine *machine);
struct tpsim_machine *tpsim_thread_machine(void);

#endif
