/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Up to 6.12, a timer gets its function after it is initialized. */
static inline void
bochs_timer_setup(struct hrtimer *timer,
		  enum hrtimer_restart (*function)(struct hrtimer *))
{
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
}
