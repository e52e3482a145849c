// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred work (kernel/workqueue.c): a queue, and one who empties it: a
 * thread, or whoever calls tpsim_work_run(), so that a test can choose the
 * moment. Queueing what is queued does nothing; queueing what runs makes it run
 * again.
 */

#include "machine.h"

void tpos_work_queue(tpos_system_t *system, struct tpos_work *work)
{
	lock_assert_none_spins("tpos_work_queue");
	machine_lock(system);
	if (!work->queued) {
		work->queued = true;
		work->next = NULL;
		*system->work_last = work;
		system->work_last = &work->next;
		pthread_cond_broadcast(&system->work_changed);
	}
	machine_unlock(system);
}

static void work_unlink(tpos_system_t *system, struct tpos_work *work)
{
	struct tpos_work **link = &system->work_first;

	while (*link != work)
		link = &(*link)->next;
	*link = work->next;
	if (system->work_last == &work->next)
		system->work_last = link;
	work->queued = false;
}

void tpos_work_cancel(tpos_system_t *system, struct tpos_work *work)
{
	lock_assert_none_spins("tpos_work_cancel");
	machine_lock(system);
	if (work->queued)
		work_unlink(system, work);
	while (system->work_running == work) /* cancel_work_sync() */
		pthread_cond_wait(&system->work_changed, &system->mutex);
	machine_unlock(system);
}

/* Run the first of the queue, if there is one; under the lock but for that. */
static bool work_step(struct tpsim_machine *machine)
{
	struct tpos_work *work = machine->work_first;

	if (!work)
		return false;
	work_unlink(machine, work);
	machine->work_running = work;
	machine_unlock(machine);
	work->run(work);
	machine_lock(machine);
	machine->work_running = NULL;
	pthread_cond_broadcast(&machine->work_changed);
	return true;
}

/* With a worker, wait until it has nothing to do (flush_workqueue()): one work
 * is never run by two at once. */
size_t tpsim_work_run(struct tpsim_machine *machine)
{
	size_t n = 0;

	machine_lock(machine);
	while (machine->work_first || machine->work_running) {
		if (machine->config.threads || machine->work_running)
			pthread_cond_wait(&machine->work_changed,
					  &machine->mutex);
		else
			n += work_step(machine);
	}
	machine_unlock(machine);
	return n;
}

static void *worker(void *arg)
{
	struct tpsim_machine *machine = arg;

	machine_lock(machine);
	while (!machine->stopping)
		if (!work_step(machine))
			pthread_cond_wait(&machine->work_changed,
					  &machine->mutex);
	machine_unlock(machine);
	return NULL;
}

int work_start(struct tpsim_machine *machine)
{
	machine->work_last = &machine->work_first;
	if (!machine->config.threads)
		return 0;
	return -pthread_create(&machine->worker, NULL, worker, machine);
}

void work_stop(struct tpsim_machine *machine)
{
	if (!machine->config.threads)
		return;
	machine_lock(machine);
	machine->stopping = true;
	pthread_cond_broadcast(&machine->work_changed);
	machine_unlock(machine);
	pthread_join(machine->worker, NULL);
}
