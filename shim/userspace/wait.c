// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting, and signals, as in kernel/sched/wait.c: a thread that may have to wait notes how
 * often the queue was woken, checks whether it has to wait, and sleeps only if the count
 * is still the same. So no wake-up is lost in between. A signal ends the sleep
 * (prepare_to_wait_event(), -ERESTARTSYS there). A wake-up takes precedence over a signal.
 *
 *     with threads      a sleep is a real one, by the host's monotonic clock
 *     without           there is only one thread: the others have one go each, and then
 *                       the clock moves to the end of the time-out. If there is no
 *                       time-out, nobody is left to wake the thread (hung_task.c)
 *
 * A wait queue belongs to no machine. The thread that waits works on a machine, and gets
 * the signals of that machine.
 */

#include <time.h>

#include "machine.h"

#define NS_OF_MS 1000000
#define NS_OF_S  1000000000
#define PS_OF_MS 1000000000ull
#define MS_OF_S  1000

/* A thread that sleeps, in the machine's list. */
struct sleeper {
	struct sleeper *next;
	struct tpos_wait *wait;
	bool killable;  /* only a signal that kills ends the sleep */
	bool signalled; /* protected by the mutex of the wait queue */
};

void tpos_wait_init(struct tpos_wait *wait)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&wait->mutex, NULL);
	pthread_cond_init(&wait->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	wait->count = 0;
	wait->sleepers = 0;
}

void tpos_wait_fini(struct tpos_wait *wait)
{
	pthread_mutex_lock(&wait->mutex);
	if (wait->sleepers)
		tpsim_complain("end of a wait", "%u sleep there",
			       wait->sleepers);
	pthread_mutex_unlock(&wait->mutex);
	pthread_cond_destroy(&wait->woken);
	pthread_mutex_destroy(&wait->mutex);
}

long tpos_wait_count(struct tpos_wait *wait)
{
	return __atomic_load_n(&wait->count, __ATOMIC_SEQ_CST);
}

void tpos_wake(struct tpos_wait *wait)
{
	tpsim_thread_may_sleep(__func__);
	pthread_mutex_lock(&wait->mutex);
	__atomic_add_fetch(&wait->count, 1, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&wait->woken);
	pthread_mutex_unlock(&wait->mutex);
}

/* Returns whether the signal that comes or is pending counts for the thread. Guarded. */
static bool signal_counts(const struct tpsim_machine *machine, bool killable)
{
	return !killable || machine->signal_kills;
}

/* Delivers the signal to all threads that sleep. Guarded. */
static void signal_deliver(struct tpsim_machine *machine)
{
	for (struct sleeper *s = machine->sleepers; s; s = s->next) {
		pthread_mutex_lock(&s->wait->mutex);
		s->signalled |= signal_counts(machine, s->killable);
		pthread_cond_broadcast(&s->wait->woken);
		pthread_mutex_unlock(&s->wait->mutex);
	}
}

/* Counts one question whether a signal is pending, and answers it. Guarded. */
static bool signal_ask(struct tpsim_machine *machine)
{
	if (!machine->signal_in)
		return false;
	if (machine->signal_in > 1) {
		machine->signal_in--;
		return false;
	}
	signal_deliver(machine);
	return true;
}

bool tpos_signal_pending(void)
{
	struct tpsim_machine *machine = tpsim_thread_machine();
	bool pending;

	if (!machine)
		return false;
	tpsim_machine_lock(machine);
	pending = signal_ask(machine);
	tpsim_machine_unlock(machine);
	return pending;
}

/* fatal_signal_pending() (include/linux/sched/signal.h): a signal that kills. */
bool tpos_fatal_signal_pending(void)
{
	struct tpsim_machine *machine = tpsim_thread_machine();
	bool pending;

	if (!machine)
		return false;
	tpsim_machine_lock(machine);
	pending = signal_counts(machine, true) && signal_ask(machine);
	tpsim_machine_unlock(machine);
	return pending;
}

static void signal_plan(struct tpsim_machine *machine, unsigned long n,
			bool kills)
{
	if (!n)
		tpsim_complain("signal", "questions are counted from 1");
	tpsim_machine_lock(machine);
	machine->signal_in = n;
	machine->signal_kills = kills;
	if (n == 1)
		signal_deliver(machine);
	tpsim_machine_unlock(machine);
}

void tpsim_signal_after(struct tpsim_machine *machine, unsigned long n)
{
	signal_plan(machine, n, false);
}

void tpsim_kill_after(struct tpsim_machine *machine, unsigned long n)
{
	signal_plan(machine, n, true);
}

void tpsim_signal_clear(struct tpsim_machine *machine)
{
	tpsim_machine_lock(machine);
	machine->signal_in = 0;
	tpsim_machine_unlock(machine);
}

void tpsim_while_waiting(struct tpsim_machine *machine, void (*fn)(void *arg),
			 void *arg)
{
	tpsim_machine_lock(machine);
	machine->while_waiting = fn;
	machine->while_waiting_arg = arg;
	tpsim_machine_unlock(machine);
}

/* Returns the host's clock in milliseconds. */
static uint64_t host_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * MS_OF_S +
	       (uint64_t)now.tv_nsec / NS_OF_MS;
}

/*
 * ktime_get(). With threads, this is the host's time. Without, time passes when
 * something costs time, or a thread waits.
 */
uint64_t tpos_now_ms(tpos_system_t *machine)
{
	uint64_t ps;

	if (machine->config.threads)
		return host_ms();
	tpsim_machine_lock(machine);
	ps = machine->ps;
	tpsim_machine_unlock(machine);
	return ps / PS_OF_MS;
}

void tpsim_pass_time(struct tpsim_machine *machine, unsigned int ms)
{
	tpsim_machine_lock(machine);
	machine->ps += ms * PS_OF_MS;
	tpsim_machine_unlock(machine);
}

/* msleep(): nothing ends it early. */
void tpsim_sleep(struct tpsim_machine *machine, unsigned int ms)
{
	struct timespec time = { .tv_nsec = (long)ms * NS_OF_MS };

	if (machine->config.threads)
		nanosleep(&time, NULL);
	else
		tpsim_pass_time(machine, ms);
}

/*
 * Returns an error if something keeps the thread from going to sleep. A planned
 * time-out does so: the time has passed then.
 */
static int wait_begin(struct tpsim_machine *machine, bool killable,
		      unsigned int *timeout_ms)
{
	struct strike strike;
	bool signalled;

	tpsim_machine_lock(machine);
	strike = tpsim_fault_strike(machine, TPSIM_CALL_WAIT, -EINTR);
	signalled = !strike.error && signal_counts(machine, killable) &&
		    signal_ask(machine);
	tpsim_machine_unlock(machine);
	if (strike.error == -ETIMEDOUT) {
		if (*timeout_ms == TTMPOOL_WAIT_FOREVER)
			tpsim_complain("fault plan", "a wait without an end "
						     "cannot time out");
		tpsim_pass_time(machine, *timeout_ms);
		*timeout_ms = 0;
	}
	return signalled ? -EINTR : strike.error;
}

/*
 * Does what other threads would do meanwhile, in this thread, as if it were theirs.
 */
static void let_others(struct tpsim_machine *machine)
{
	struct thread_turn turn;
	void (*others)(void *arg);
	void *arg;

	tpsim_machine_lock(machine);
	others = machine->while_waiting;
	arg = machine->while_waiting_arg;
	tpsim_machine_unlock(machine);
	tpsim_thread_turn_begin(&turn);
	if (others)
		others(arg);
	if (!machine->config.threads)
		tpsim_work_run_once(machine);
	tpsim_thread_turn_end(&turn);
}

/* Without threads: lets the time-out pass, because nobody else will come. */
static int pass_time(struct tpsim_machine *machine, bool killable,
		     unsigned int *timeout_ms)
{
	int err = -ETIMEDOUT;

	if (*timeout_ms == TTMPOOL_WAIT_FOREVER)
		tpsim_complain("deadlock",
			       "a wait without an end, and nobody to wake it");
	tpsim_machine_lock(machine);
	if (machine->signal_in == 1 && signal_counts(machine, killable)) {
		err = -EINTR;
	} else {
		machine->ps += *timeout_ms * PS_OF_MS;
		*timeout_ms = 0;
	}
	tpsim_machine_unlock(machine);
	return err;
}

static struct timespec now_and(unsigned int ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / MS_OF_S;
	at.tv_nsec += (long)(ms % MS_OF_S) * NS_OF_MS;
	if (at.tv_nsec >= NS_OF_S) {
		at.tv_nsec -= NS_OF_S;
		at.tv_sec++;
	}
	return at;
}

/*
 * As in shim/linux/wait.c: each millisecond of the clock is counted once, in
 * whichever sleep it falls.
 */
static unsigned int left_of(unsigned int timeout_ms, uint64_t start)
{
	uint64_t passed = host_ms() - start;

	return passed < timeout_ms ? timeout_ms - (unsigned int)passed : 0;
}

static void sleeper_add(struct tpsim_machine *machine, struct sleeper *sleeper)
{
	tpsim_machine_lock(machine);
	sleeper->signalled = machine->signal_in == 1 &&
			     signal_counts(machine, sleeper->killable);
	sleeper->next = machine->sleepers;
	machine->sleepers = sleeper;
	tpsim_machine_unlock(machine);
}

static void sleeper_remove(struct tpsim_machine *machine,
			   const struct sleeper *sleeper)
{
	struct sleeper **link = &machine->sleepers;

	tpsim_machine_lock(machine);
	while (*link != sleeper)
		link = &(*link)->next;
	*link = sleeper->next;
	tpsim_machine_unlock(machine);
}

static int sleep_until(struct sleeper *sleeper, long seen,
		       const struct timespec *end)
{
	struct tpos_wait *wait = sleeper->wait;
	bool late = false;
	int err;

	pthread_mutex_lock(&wait->mutex);
	wait->sleepers++;
	while (tpos_wait_count(wait) == seen && !sleeper->signalled && !late) {
		if (end)
			late = pthread_cond_timedwait(&wait->woken,
						      &wait->mutex,
						      end) == ETIMEDOUT;
		else
			pthread_cond_wait(&wait->woken, &wait->mutex);
	}
	if (tpos_wait_count(wait) != seen)
		err = 0;
	else
		err = sleeper->signalled ? -EINTR : -ETIMEDOUT;
	wait->sleepers--;
	pthread_mutex_unlock(&wait->mutex);
	return err;
}

/* With threads: sleeps, because another thread may wake this one. */
static int sleep_on(struct tpsim_machine *machine, struct sleeper *sleeper,
		    long seen, unsigned int *timeout_ms)
{
	bool forever = *timeout_ms == TTMPOOL_WAIT_FOREVER;
	struct timespec end = now_and(forever ? 0 : *timeout_ms);
	uint64_t start = host_ms();
	int err;

	sleeper_add(machine, sleeper);
	err = sleep_until(sleeper, seen, forever ? NULL : &end);
	sleeper_remove(machine, sleeper);
	if (err == -ETIMEDOUT)
		*timeout_ms = 0;
	else if (!forever)
		*timeout_ms = left_of(*timeout_ms, start);
	return err;
}

/*
 * wait_event(): a signal does not end it. On a machine without threads, no other
 * thread could wake this one.
 */
static int sleep_until_woken(struct tpsim_machine *machine,
			     struct tpos_wait *wait, long seen)
{
	if (!machine->config.threads)
		tpsim_complain("deadlock", "nobody is left to wake anybody");
	pthread_mutex_lock(&wait->mutex);
	wait->sleepers++;
	while (tpos_wait_count(wait) == seen)
		pthread_cond_wait(&wait->woken, &wait->mutex);
	wait->sleepers--;
	pthread_mutex_unlock(&wait->mutex);
	return 0;
}

static struct tpsim_machine *machine_to_wait_on(const char *function)
{
	struct tpsim_machine *machine = tpsim_thread_machine();

	tpsim_thread_may_sleep(function);
	if (!machine)
		tpsim_complain("wait", "by a thread that works on no machine");
	return machine;
}

static int wait_until(struct tpsim_machine *machine, struct sleeper *sleeper,
		      long seen, unsigned int *timeout_ms)
{
	int err;

	if (tpos_wait_count(sleeper->wait) != seen)
		return 0;
	err = wait_begin(machine, sleeper->killable, timeout_ms);
	if (err)
		return err;
	let_others(machine);
	if (tpos_wait_count(sleeper->wait) != seen)
		return 0;
	if (!machine->config.threads)
		return pass_time(machine, sleeper->killable, timeout_ms);
	return sleep_on(machine, sleeper, seen, timeout_ms);
}

int tpos_wait(struct tpos_wait *wait, long seen, unsigned int *timeout_ms)
{
	struct tpsim_machine *machine = machine_to_wait_on(__func__);
	struct sleeper sleeper = { .wait = wait };

	return timeout_ms ? wait_until(machine, &sleeper, seen, timeout_ms)
			  : sleep_until_woken(machine, wait, seen);
}

/* wait_event_killable_timeout() */
int tpos_wait_killable(struct tpos_wait *wait, long seen,
		       unsigned int *timeout_ms)
{
	struct tpsim_machine *machine = machine_to_wait_on(__func__);
	struct sleeper sleeper = { .wait = wait, .killable = true };

	return wait_until(machine, &sleeper, seen, timeout_ms);
}
