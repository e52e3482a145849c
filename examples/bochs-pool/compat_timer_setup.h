/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Since 6.13, a timer is set up with its function. */
static inline void
bochs_timer_setup(struct hrtimer *timer,
		  enum hrtimer_restart (*function)(struct hrtimer *))
{
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
}
