// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Deferred work: when it runs, how often, and how it is stopped. */

#include "bed.h"

/* Work that counts its runs, and may queue itself again. */
struct job {
	struct tpos_work work;
	struct tpsim_machine *machine;
	int again;
	int runs;
	int *turn;
	int at;
	pthread_mutex_t gate;
};

static void job_run(struct tpos_work *work)
{
	struct job *job = ttmpool_list_entry(work, struct job, work);

	pthread_mutex_lock(&job->gate);
	job->runs++;
	if (job->turn)
		job->at = ++*job->turn;
	if (job->again-- > 0)
		tpos_work_queue(job->machine, work);
	pthread_mutex_unlock(&job->gate);
}

static void job_init(struct job *job, struct tpsim_machine *machine)
{
	*job = (struct job){ .machine = machine };
	pthread_mutex_init(&job->gate, NULL);
	tpos_work_init(&job->work, job_run);
}

static void job_fini(struct job *job)
{
	pthread_mutex_destroy(&job->gate);
}

/* Work that is queued twice runs once, when tpsim_work_run() is called. */
static void queued_work_runs_once(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct job job;

	(void)state;
	job_init(&job, m);
	tpos_work_queue(m, &job.work);
	tpos_work_queue(m, &job.work);
	assert_int_equal(ledger_of(m).work_queued, 1);
	assert_int_equal(job.runs, 0);
	assert_int_equal(tpsim_work_run(m), 1);
	assert_int_equal(job.runs, 1);
	assert_int_equal(tpsim_work_run(m), 0);
	job_fini(&job);
	tpsim_machine_destroy(m);
}

/* Work runs in the order in which it was queued. */
static void work_runs_in_order(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct job jobs[3];
	int turn = 0;

	(void)state;
	for (int i = 0; i < 3; i++) {
		job_init(&jobs[i], m);
		jobs[i].turn = &turn;
		tpos_work_queue(m, &jobs[i].work);
	}
	assert_int_equal(tpsim_work_run(m), 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(jobs[i].at, i + 1);
	for (int i = 0; i < 3; i++)
		job_fini(&jobs[i]);
	tpsim_machine_destroy(m);
}

/* Work that is queued while it runs, runs again. */
static void work_can_queue_itself(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct job job;

	(void)state;
	job_init(&job, m);
	job.again = 2;
	tpos_work_queue(m, &job.work);
	assert_int_equal(tpsim_work_run(m), 3);
	assert_int_equal(job.runs, 3);
	job_fini(&job);
	tpsim_machine_destroy(m);
}

/* Cancelled work does not run; other work does, also if it is queued later. */
static void cancelled_work_does_not_run(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct job jobs[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		job_init(&jobs[i], m);
	tpos_work_cancel(m, &jobs[0].work);
	tpos_work_queue(m, &jobs[0].work);
	tpos_work_queue(m, &jobs[1].work);
	tpos_work_cancel(m, &jobs[1].work);
	tpos_work_queue(m, &jobs[2].work);
	assert_int_equal(tpsim_work_run(m), 2);
	assert_int_equal(jobs[0].runs, 1);
	assert_int_equal(jobs[1].runs, 0);
	assert_int_equal(jobs[2].runs, 1);
	for (int i = 0; i < 3; i++)
		job_fini(&jobs[i]);
	tpsim_machine_destroy(m);
}

/* On a machine with threads, work runs by itself, and tpsim_work_run() waits for it. */
static void a_worker_runs_by_itself(void **state)
{
	struct tpsim_machine *m =
		machine_with(&(struct tpsim_config){ .threads = true });
	struct job job;

	(void)state;
	job_init(&job, m);
	job.again = 9;
	tpos_work_queue(m, &job.work);
	tpsim_work_run(m);
	assert_int_equal(job.runs, 10);
	job_fini(&job);
	tpsim_machine_destroy(m);
}

/* A cancel waits for a run in progress, so that the memory of the work can be freed. */
static void cancelling_waits(void **state)
{
	struct tpsim_machine *m =
		machine_with(&(struct tpsim_config){ .threads = true });

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct job *job = malloc(sizeof(*job));

		assert_non_null(job);
		job_init(job, m);
		tpos_work_queue(m, &job->work);
		if (i % 2) /* let it begin */
			sched_yield();
		tpos_work_cancel(m, &job->work);
		assert_true(job->runs <= 1);
		job_fini(job);
		free(job);
	}
	tpsim_machine_destroy(m);
}

static void cancel_itself(struct tpos_work *work)
{
	struct job *job = ttmpool_list_entry(work, struct job, work);

	tpos_work_cancel(job->machine, work);
}

static void wait_for_itself(struct tpos_work *work)
{
	struct job *job = ttmpool_list_entry(work, struct job, work);

	tpsim_work_run(job->machine);
}

static tpos_mutex_t kept;

static void keep_a_lock(struct tpos_work *work)
{
	(void)work;
	tpos_mutex_lock(&kept);
}

static void run_it(void *arg)
{
	struct job *job = arg;

	tpos_work_queue(job->machine, &job->work);
	tpsim_work_run(job->machine);
}

/* Work that waits for itself, or keeps a lock, ends the program. */
static void bad_work_ends_the_program(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct job job;

	(void)state;
	job_init(&job, m);
	tpos_mutex_init(&kept, m, 1);
	tpos_work_init(&job.work, cancel_itself);
	assert_complains("work cancels itself", run_it, &job);
	tpos_work_init(&job.work, wait_for_itself);
	assert_complains("work waits for itself", run_it, &job);
	tpos_work_init(&job.work, keep_a_lock);
	assert_complains("work returned with a lock held", run_it, &job);
	tpos_mutex_fini(&kept);
	job_fini(&job);
	tpsim_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queued_work_runs_once),
		cmocka_unit_test(work_runs_in_order),
		cmocka_unit_test(work_can_queue_itself),
		cmocka_unit_test(cancelled_work_does_not_run),
		cmocka_unit_test(a_worker_runs_by_itself),
		cmocka_unit_test(cancelling_waits),
		cmocka_unit_test(bad_work_ends_the_program),
	};

	return cmocka_run_group_tests_name("machine-work", tests, NULL, NULL);
}
