// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Objects end while others have to do with them: a swap-out in the same thread, or the end of
 * their device. Each case has a device of its own, and a thread that should wait for nobody
 * gets two minutes.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include <ttmpool_module.h>

#include "cases.h"

#define LONG_MS 120000
#define STEP_MS 10
#define THREADS 4
#define SHARE   4 /* objects of a thread */

struct thread {
	struct task_struct *task;
	void (*run)(void *arg);
	void *arg;
	struct completion done;
};

static int thread_main(void *data)
{
	struct thread *thread = data;

	thread->run(thread->arg);
	complete(&thread->done);
	return 0;
}

static bool thread_start(struct thread *thread, void (*run)(void *arg),
			 void *arg)
{
	thread->run = run;
	thread->arg = arg;
	init_completion(&thread->done);
	thread->task = kthread_create(thread_main, thread, "ttmpool-case");
	if (IS_ERR(thread->task))
		return false;
	get_task_struct(thread->task);
	wake_up_process(thread->task);
	return true;
}

static bool thread_ends(struct thread *thread)
{
	if (!wait_for_completion_timeout(&thread->done,
					 msecs_to_jiffies(LONG_MS)))
		return false;
	kthread_stop_put(thread->task);
	return true;
}

static void unplug(void *arg)
{
	device_unplug(1);
}

static void end_it(void *arg)
{
	end(arg);
}

/* Returns whether the store soon has nothing any more. */
static bool nothing_is_swapped(void)
{
	struct ttmpool_manager_stats stats;

	for (int ms = 0; ms < LONG_MS; ms += STEP_MS) {
		ttmpool_manager_stats(ttmpool_module_manager(), &stats);
		if (!stats.pages_swapped)
			return true;
		msleep(STEP_MS);
	}
	return false;
}

/* What the swapper calls between taking the object's lock and storing its contents. */
static struct ttmpool_backend_funcs hooked;
static void (*vacate)(struct ttmpool_backend *be);

/* As a driver's shrinker does, if the store lacks memory then. */
static void drop_in_reclaim(struct ttmpool_backend *be)
{
	unsigned int flags;

	vacate(be);
	flags = memalloc_noreclaim_save();
	end(container_of(be, struct drm_gem_ttmpool_object, be));
	memalloc_noreclaim_restore(flags);
}

/* The last reference to an object may be dropped in reclaim, also by the thread that is
 * swapping it out: the object ends when that is done. */
bool an_object_may_end_in_reclaim(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_device *dev = device_plug(1);
	struct drm_gem_ttmpool_object *obj;

	CHECK(dev);
	obj = make_of(dev, true);
	CHECK(obj && fill(obj, 13));
	hooked = *obj->be.funcs;
	vacate = hooked.vacate;
	hooked.vacate = drop_in_reclaim;
	obj->be.funcs = &hooked;
	CHECK(ttmpool_manager_swapout(mgr, PAGES) == PAGES);
	CHECK(nothing_is_swapped());
	device_unplug(1);
	return true;
}

/* Returns whether the device's end soon has a reference to the object. */
static bool is_waited_for(struct drm_gem_ttmpool_object *obj)
{
	for (int ms = 0; ms < LONG_MS; ms += STEP_MS) {
		if (kref_read(&obj->base.refcount) == 2)
			return true;
		msleep(STEP_MS);
	}
	return false;
}

/* A thread that has the lock of an object for which the device's end waits may drop the last
 * reference to another object of the device. */
bool who_has_one_object_may_end_another(void)
{
	struct drm_device *dev = device_plug(1);
	struct drm_gem_ttmpool_object *a, *b;
	struct thread unplugger;

	CHECK(dev);
	b = make_of(dev, false);
	a = make_of(dev, true);
	CHECK(a && b && fill(a, 14) && fill(b, 15));
	drm_dev_get(dev);
	lock(a);
	CHECK(thread_start(&unplugger, unplug, NULL));
	CHECK(is_waited_for(a));
	end(b);
	unlock(a);
	CHECK(thread_ends(&unplugger));
	CHECK(holds(a, 14));
	end(a);
	drm_dev_put(dev);
	return true;
}

static DECLARE_COMPLETION(free_begins);
static DECLARE_COMPLETION(free_goes_on);

static void free_slowly(struct drm_gem_object *obj)
{
	complete(&free_begins);
	wait_for_completion(&free_goes_on);
	drm_gem_ttmpool_object_free(obj);
}

/* The parent of a device does not go before the pages of an object that has no references any
 * more are back. */
bool a_device_waits_for_who_ends_an_object(void)
{
	struct drm_device *dev = device_plug(1);
	struct drm_gem_ttmpool_object *obj;
	struct thread ender, unplugger;
	struct drm_gem_object_funcs funcs;

	CHECK(dev);
	obj = make_of(dev, true);
	CHECK(obj && fill(obj, 16));
	funcs = *obj->base.funcs;
	funcs.free = free_slowly;
	obj->base.funcs = &funcs;
	drm_dev_get(dev);
	CHECK(thread_start(&ender, end_it, obj));
	wait_for_completion(&free_begins);
	CHECK(thread_start(&unplugger, unplug, NULL));
	msleep(500);
	CHECK(!completion_done(&unplugger.done));
	complete(&free_goes_on);
	CHECK(thread_ends(&ender) && thread_ends(&unplugger));
	drm_dev_put(dev);
	return true;
}

static struct drm_gem_ttmpool_object *shares[THREADS][SHARE];
static bool may_end;

/* End all objects of a share but the last. */
static void end_share(void *arg)
{
	struct drm_gem_ttmpool_object **share = arg;

	while (!READ_ONCE(may_end))
		cpu_relax();
	for (int i = 0; i < SHARE - 1; i++)
		end(share[i]);
}

static bool make_shares(struct drm_device *dev)
{
	for (int i = 0; i < SHARE; i++)
		for (int j = 0; j < THREADS; j++) {
			shares[j][i] = make_of(dev, (i + j) & 1);
			CHECK(shares[j][i] && fill(shares[j][i], 17 + j));
		}
	return true;
}

/* Several threads may drop the last references to objects while the device goes. The objects
 * that are left keep their contents. */
bool objects_may_end_while_the_device_goes(void)
{
	struct drm_device *dev = device_plug(1);
	struct thread thread[THREADS];

	CHECK(dev && make_shares(dev));
	drm_dev_get(dev);
	for (int j = 0; j < THREADS; j++)
		CHECK(thread_start(&thread[j], end_share, shares[j]));
	WRITE_ONCE(may_end, true);
	device_unplug(1);
	for (int j = 0; j < THREADS; j++)
		CHECK(thread_ends(&thread[j]));
	for (int j = 0; j < THREADS; j++) {
		CHECK(holds(shares[j][SHARE - 1], 17 + j));
		end(shares[j][SHARE - 1]);
	}
	drm_dev_put(dev);
	return true;
}

/* Unplug the device by a thread that has been killed. */
static void unplug_killed(void *arg)
{
	bool *killed = arg;

	allow_signal(SIGKILL);
	send_sig(SIGKILL, current, 1);
	*killed = fatal_signal_pending(current);
	device_unplug(1);
}

/* If whoever unbinds the driver is killed, contents of which a part is in the store stay, as
 * do all others. */
bool a_kill_costs_no_contents(void)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	struct drm_device *dev = device_plug(1);
	struct drm_gem_ttmpool_object *part, *whole;
	struct thread unplugger;
	bool killed = false;

	CHECK(dev);
	part = make_of(dev, true);
	whole = make_of(dev, true);
	CHECK(part && whole && fill(part, 21) && fill(whole, 22));
	CHECK(ttmpool_manager_swapout(mgr, 1));
	CHECK(part->be.tt.state == TTMPOOL_TT_PARTIAL);
	drm_dev_get(dev);
	CHECK(thread_start(&unplugger, unplug_killed, &killed));
	CHECK(thread_ends(&unplugger) && killed);
	CHECK(part->be.tt.state == TTMPOOL_TT_SWAPPED);
	CHECK(holds(part, 21) && holds(whole, 22));
	end(part);
	end(whole);
	drm_dev_put(dev);
	return true;
}
