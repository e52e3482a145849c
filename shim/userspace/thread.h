/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef THREAD_H
#define THREAD_H

/*
 * What the machine knows of the thread that calls it, as Linux does by
 * task_struct: the locks that it holds, whether it is reclaiming, and which
 * machine it works on. lock.c has it.
 */

#include <ttmpool_port.h>

/* Does this thread run a shrinker, and may that wait for a store? */
enum reclaims {
	RECLAIMS_NOT,
	RECLAIMS,
	RECLAIMS_AND_SWAPS,
};

/* Whose turn it was before another's, in the same thread. */
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
