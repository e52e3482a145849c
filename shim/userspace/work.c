// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred work: one queue, in order, like that of alloc_ordered_workqueue().
 *
 * A machine with a worker thread runs work there, soon. A machine without one runs it
 * when tpsim_work_run() is called, so that a test decides when. In both cases one work
 * item runs at a time, and without the guard.
 */

#include "machine.h"

/* Runs the first work item of the queue. Guarded before and after. */
static void run_first(struct tpsim_machine *machine)
{
	struct tpos_work *work = machine->queue;

	machine->queue = work->next;
	if (!machine->queue)
		machine->queue_end = &machine->queue;
	work->queued = false;
	machine->out.work_queued--;
	machine->running = work;
	machine->runner = pthread_self();
	tpsim_machine_unlock(machine);
	work->run(work);
	/* kernel/workqueue.c, process_one_work(): "leaked lock or atomic" */
	if (tpsim_thread_locks())
		tpsim_complain("work returned with a lock held", "%p",
			       (void *)work);
	tpsim_machine_lock(machine);
	machine->running = NULL;
	pthread_cond_broadcast(&machine->changed);
}

/*
 * Runs each work item that is queued now once, unless another one is running: there
 * is only one queue.
 */
void tpsim_work_run_once(struct tpsim_machine *machine)
{
	size_t queued;

	tpsim_machine_lock(machine);
	queued = machine->out.work_queued;
	while (queued-- && machine->queue && !machine->running)
		run_first(machine);
	tpsim_machine_unlock(machine);
}

static void *worker_main(void *arg)
{
	struct tpsim_machine *machine = arg;

	tpsim_machine_lock(machine);
	while (!machine->stopping) {
		if (machine->queue)
			run_first(machine);
		else
			pthread_cond_wait(&machine->changed, &machine->guard);
	}
	tpsim_machine_unlock(machine);
	return NULL;
}

int tpsim_work_start(struct tpsim_machine *machine)
{
	machine->queue_end = &machine->queue;
	if (!machine->config.threads)
		return 0;
	return -pthread_create(&machine->worker, NULL, worker_main, machine);
}

void tpsim_work_stop(struct tpsim_machine *machine)
{
	if (!machine->config.threads)
		return;
	tpsim_machine_lock(machine);
	machine->stopping = true;
	pthread_cond_broadcast(&machine->changed);
	tpsim_machine_unlock(machine);
	pthread_join(machine->worker, NULL);
}

void tpos_work_queue(tpos_system_t *system, struct tpos_work *work)
{
	tpsim_machine_enter(system, __func__);
	if (!work->queued) {
		work->queued = true;
		work->next = NULL;
		*system->queue_end = work;
		system->queue_end = &work->next;
		system->out.work_queued++;
		pthread_cond_broadcast(&system->changed);
	}
	tpsim_machine_unlock(system);
}

static void dequeue(struct tpsim_machine *machine, struct tpos_work *work)
{
	struct tpos_work **link = &machine->queue;

	if (!work->queued)
		return;
	while (*link != work)
		link = &(*link)->next;
	*link = work->next;
	if (!*link)
		machine->queue_end = link;
	work->queued = false;
	machine->out.work_queued--;
}

/*
 * Returns whether the work item runs in this very thread. Waiting for it would
 * never end.
 */
static bool is_self(const struct tpsim_machine *machine,
		    const struct tpos_work *work)
{
	return machine->running == work &&
	       pthread_equal(machine->runner, pthread_self());
}

void tpos_work_cancel(tpos_system_t *system, struct tpos_work *work)
{
	tpsim_machine_enter(system, __func__);
	if (is_self(system, work))
		tpsim_complain("deadlock", "work cancels itself");
	do {
		dequeue(system, work);
		if (system->running == work)
			pthread_cond_wait(&system->changed, &system->guard);
	} while (work->queued || system->running == work);
	tpsim_machine_unlock(system);
}

/*
 * Returns when nothing is queued and nothing runs. If there is a worker, or another
 * thread is here already, that thread runs the work (flush_workqueue()).
 */
size_t tpsim_work_run(struct tpsim_machine *machine)
{
	size_t ran = 0;

	tpsim_machine_lock(machine);
	if (machine->running && is_self(machine, machine->running))
		tpsim_complain("deadlock", "work waits for itself");
	while (machine->queue || machine->running) {
		if (machine->config.threads || machine->running) {
			pthread_cond_wait(&machine->changed, &machine->guard);
			continue;
		}
		run_first(machine);
		ran++;
	}
	tpsim_machine_unlock(machine);
	return ran;
}
