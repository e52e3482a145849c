// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fault sweep of the operations that move contents (S7, S12): see sweep.h. After each
 * failure, and after the operation has succeeded in the end, the sweep moves the buffer
 * back to its device, and checks every byte.
 */

#include <limits.h>

#include "sweep.h"

#define CALLS                                                             \
	(1u << TPSIM_CALL_PAGES_ALLOC | 1u << TPSIM_CALL_COHERENT_ALLOC | \
	 1u << TPSIM_CALL_CACHING_SET | 1u << TPSIM_CALL_CACHING_RESET |  \
	 1u << TPSIM_CALL_DMA_MAP | 1u << TPSIM_CALL_ZALLOC |             \
	 1u << TPSIM_CALL_STORE_CREATE | 1u << TPSIM_CALL_STORE_WRITE |   \
	 1u << TPSIM_CALL_STORE_READ)

/* Whatever call fails while contents move, and at any moment, no contents are lost. */
static void s07_every_failure_of_every_move_is_survived(struct check *t)
{
	CHECK(t, sweep_scenes(t, sweep_moves_scenes, sweep_moves_nr, CALLS));
}

/* Interrupt a move at its n-th check for a signal, for every n. */
static bool is_resumable(struct check *t, const struct scene *scene,
			 unsigned long *interrupted)
{
	for (unsigned long n = 1;; n++) {
		struct stage stage;
		int err;

		if (!sweep_open(&stage, t, scene))
			return false;
		tpsim_signal_after(check_machine(t), n);
		err = scene->play(&stage);
		tpsim_signal_clear(check_machine(t));
		if (err && (err != -EINTR || !sweep_is_somewhere(&stage) ||
			    !rig_is_quiet(t, stage.rig)))
			return false;
		*interrupted += !!err;
		if (err && scene->play(&stage))
			return false;
		if (!sweep_is_whole(&stage) || !sweep_close(&stage))
			return false;
		if (!err)
			return true;
	}
}

/* A signal at every page, in both directions: the move stops, and the next call continues
 * it. */
static void s07_a_signal_at_every_page_is_survived(struct check *t)
{
	unsigned long interrupted = 0;

	for (size_t i = 0; i < 7; i++)
		CHECK(t, is_resumable(t, &sweep_moves_scenes[i], &interrupted));
	CHECK(t, interrupted > 5 * sweep_pages);
}

CHECK_SUITE(sweep_move, CHECK_CASE(s07_every_failure_of_every_move_is_survived),
	    CHECK_CASE(s07_a_signal_at_every_page_is_survived));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_sweep_move, &config);
}
