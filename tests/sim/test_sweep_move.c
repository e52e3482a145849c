// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fault sweep of what moves contents (S7, S12): see sweep.h. After each
 * failure, and after the operation has succeeded in the end, the buffer goes
 * back to its device, and every byte must be there.
 */

#include <limits.h>

#include "sweep.h"

#define SEED 0x42

static bool prepare_kind(struct stage *stage, bool coherent)
{
	stage->buf = sweep_buffer(stage, SWEEP_PAGES, coherent);
	return stage->buf && !ttmpool_populate(&stage->buf->be) &&
	       buffer_stamp(stage->t, stage->buf, SEED);
}

static bool prepare_plain(struct stage *stage)
{
	return prepare_kind(stage, false);
}

static bool prepare_coherent(struct stage *stage)
{
	return prepare_kind(stage, true);
}

static bool prepare_anonymous(struct stage *stage)
{
	return prepare_plain(stage) && !ttmpool_to_anonymous(&stage->buf->be);
}

static bool prepare_copied(struct stage *stage)
{
	return prepare_coherent(stage) &&
	       !ttmpool_to_anonymous(&stage->buf->be);
}

static bool prepare_swapped(struct stage *stage)
{
	return prepare_plain(stage) &&
	       !ttmpool_swapout(&stage->buf->be, TTMPOOL_ALL_PAGES);
}

static bool prepare_partial(struct stage *stage)
{
	return prepare_plain(stage) && !ttmpool_swapout(&stage->buf->be, 65);
}

static bool prepare_coherent_swapped(struct stage *stage)
{
	return prepare_coherent(stage) &&
	       !ttmpool_swapout(&stage->buf->be, TTMPOOL_ALL_PAGES);
}

/* A full budget, and one who could make room. */
static bool prepare_crowd(struct stage *stage)
{
	stage->buf = buffer_open(
		stage->t, stage->rig,
		&(struct buffer_config){ .num_pages = SWEEP_PAGES,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	stage->other = sweep_buffer(stage, SWEEP_PAGES, false);
	ttmpool_manager_set_page_budget(&stage->rig->mgr, SWEEP_PAGES);
	return stage->buf && stage->other &&
	       !ttmpool_populate(&stage->buf->be) &&
	       buffer_stamp(stage->t, stage->buf, SEED) &&
	       !ttmpool_lru_add(&stage->buf->be);
}

static int play_swapout(struct stage *stage)
{
	return ttmpool_swapout(&stage->buf->be, TTMPOOL_ALL_PAGES);
}

static int play_swapin(struct stage *stage)
{
	return ttmpool_swapin(&stage->buf->be, TTMPOOL_ALL_PAGES);
}

/* From PARTIAL, which a failure may leave, swapping in is the way back. */
static int play_to_anonymous(struct stage *stage)
{
	struct ttmpool_backend *be = &stage->buf->be;
	int err = 0;

	if (be->tt.state == TTMPOOL_TT_PARTIAL)
		err = ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
	return err ? err : ttmpool_to_anonymous(be);
}

static int play_to_device(struct stage *stage)
{
	return ttmpool_to_device(&stage->buf->be);
}

static int play_crowding(struct stage *stage)
{
	return ttmpool_populate(&stage->other->be);
}

static bool is_somewhere(struct stage *stage)
{
	return ttmpool_backend_is_valid(&stage->buf->be) &&
	       stage->buf->be.tt.state != TTMPOOL_TT_EMPTY;
}

static bool is_still_anonymous(struct stage *stage)
{
	return is_somewhere(stage) &&
	       stage->buf->be.tt.state == TTMPOOL_TT_ANONYMOUS;
}

/* Bring it back to its device, wherever it is, and look. */
static bool is_whole(struct stage *stage)
{
	struct ttmpool_backend *be = &stage->buf->be;

	if (be->tt.state == TTMPOOL_TT_SWAPPED ||
	    be->tt.state == TTMPOOL_TT_PARTIAL)
		ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
	if (be->tt.state == TTMPOOL_TT_ANONYMOUS)
		ttmpool_to_device(be);
	return be->tt.state == TTMPOOL_TT_POPULATED &&
	       ttmpool_backend_is_valid(be) &&
	       rig_is_quiet(stage->t, stage->rig) &&
	       buffer_is_of(stage->t, stage->buf, TTMPOOL_WRITE_COMBINED) &&
	       buffer_is_stamped(stage->t, stage->buf, SEED);
}

static bool is_whole_crowd(struct stage *stage)
{
	bool good = !ttmpool_unpopulate(&stage->other->be);

	ttmpool_lru_remove(&stage->buf->be);
	return is_whole(stage) && good;
}

static const struct scene scenes[] = {
	{ "swapout", prepare_plain, play_swapout, is_somewhere, is_whole,
	  false },
	{ "swapout-coherent", prepare_coherent, play_swapout, is_somewhere,
	  is_whole, false },
	{ "swapout-anonymous", prepare_anonymous, play_swapout, is_somewhere,
	  is_whole, false },
	{ "swapout-rest", prepare_partial, play_swapout, is_somewhere, is_whole,
	  false },
	{ "swapin", prepare_swapped, play_swapin, is_somewhere, is_whole,
	  false },
	{ "swapin-coherent", prepare_coherent_swapped, play_swapin,
	  is_somewhere, is_whole, false },
	{ "swapin-rest", prepare_partial, play_swapin, is_somewhere, is_whole,
	  false },
	{ "to-anonymous", prepare_plain, play_to_anonymous, is_somewhere,
	  is_whole, false },
	{ "to-anonymous-copy", prepare_coherent, play_to_anonymous,
	  is_somewhere, is_whole, false },
	{ "to-device", prepare_anonymous, play_to_device, is_still_anonymous,
	  is_whole, false },
	{ "to-device-copy", prepare_copied, play_to_device, is_still_anonymous,
	  is_whole, false },
	{ "crowding", prepare_crowd, play_crowding, is_somewhere,
	  is_whole_crowd, false },
};

#define CALLS                                                             \
	(1u << TPSIM_CALL_PAGES_ALLOC | 1u << TPSIM_CALL_COHERENT_ALLOC | \
	 1u << TPSIM_CALL_CACHING_SET | 1u << TPSIM_CALL_CACHING_RESET |  \
	 1u << TPSIM_CALL_DMA_MAP | 1u << TPSIM_CALL_ZALLOC |             \
	 1u << TPSIM_CALL_STORE_CREATE | 1u << TPSIM_CALL_STORE_WRITE |   \
	 1u << TPSIM_CALL_STORE_READ)

/* Whatever fails while contents move, and whenever, none are lost. */
static void s07_every_failure_of_every_move_is_survived(struct check *t)
{
	CHECK(t,
	      sweep_scenes(t, scenes, sizeof(scenes) / sizeof(*scenes), CALLS));
}

/* Interrupt a move at its n-th look for a signal, until there is none left. */
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
		if (err && (err != -EINTR || !is_somewhere(&stage) ||
			    !rig_is_quiet(t, stage.rig)))
			return false;
		*interrupted += !!err;
		if (err && scene->play(&stage))
			return false;
		if (!is_whole(&stage) || !sweep_close(&stage))
			return false;
		if (!err)
			return true;
	}
}

/* A signal at every page, in both directions: the move stops, and goes on from
 * there when it is asked to. */
static void s07_a_signal_at_every_page_is_survived(struct check *t)
{
	unsigned long interrupted = 0;

	for (size_t i = 0; i < 7; i++)
		CHECK(t, is_resumable(t, &scenes[i], &interrupted));
	CHECK(t, interrupted > 5 * SWEEP_PAGES);
}

CHECK_SUITE(sweep_move, CHECK_CASE(s07_every_failure_of_every_move_is_survived),
	    CHECK_CASE(s07_a_signal_at_every_page_is_survived));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_sweep_move, &config);
}
