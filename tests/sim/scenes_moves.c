// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The scenes of the fault sweep in which contents move (S7, S12): see sweep.h. After each
 * failure, and after the operation has succeeded in the end, the sweep moves the buffer
 * back to its device, and checks every byte.
 */

#include <limits.h>

#include "sweep.h"

#define SEED 0x42

static bool prepare_kind(struct stage *stage, bool coherent)
{
	stage->buf = sweep_buffer(stage, sweep_pages, coherent);
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
	return prepare_plain(stage) &&
	       !ttmpool_swapout(&stage->buf->be, sweep_pages / 2);
}

static bool prepare_coherent_swapped(struct stage *stage)
{
	return prepare_coherent(stage) &&
	       !ttmpool_swapout(&stage->buf->be, TTMPOOL_ALL_PAGES);
}

/* A full budget, and a buffer that could be swapped out to make room. */
static bool prepare_crowd(struct stage *stage)
{
	stage->buf = buffer_open(
		stage->t, stage->rig,
		&(struct buffer_config){ .num_pages = sweep_pages,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	stage->other = sweep_buffer(stage, sweep_pages, false);
	ttmpool_manager_set_page_budget(&stage->rig->mgr, sweep_pages);
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

/* A failure may leave the buffer PARTIAL; then only a swap-in leads back. */
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

bool sweep_is_somewhere(struct stage *stage)
{
	return ttmpool_backend_is_valid(&stage->buf->be) &&
	       stage->buf->be.tt.state != TTMPOOL_TT_EMPTY;
}

static bool is_still_anonymous(struct stage *stage)
{
	return sweep_is_somewhere(stage) &&
	       stage->buf->be.tt.state == TTMPOOL_TT_ANONYMOUS;
}

/* Bring the buffer back to its device, wherever its contents are, and check them. */
bool sweep_is_whole(struct stage *stage)
{
	struct ttmpool_backend *be = &stage->buf->be;

	if (be->tt.state == TTMPOOL_TT_SWAPPED ||
	    be->tt.state == TTMPOOL_TT_PARTIAL)
		check_any(ttmpool_swapin(be, TTMPOOL_ALL_PAGES));
	if (be->tt.state == TTMPOOL_TT_ANONYMOUS)
		check_any(ttmpool_to_device(be));
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
	return sweep_is_whole(stage) && good;
}

/* The shrinker or a driver asks for a swap-out. */
static int play_shrink(struct stage *stage)
{
	ttmpool_manager_shrink_scan(&stage->rig->mgr, ULONG_MAX, true);
	return 0;
}

static int play_hibernate(struct stage *stage)
{
	ttmpool_manager_swapout(&stage->rig->mgr, ULONG_MAX);
	return 0;
}

static bool is_whole_listed(struct stage *stage)
{
	ttmpool_lru_remove(&stage->buf->be);
	return sweep_is_whole(stage);
}

static bool free_budget(struct stage *stage)
{
	ttmpool_manager_set_page_budget(&stage->rig->mgr, TTMPOOL_NO_LIMIT);
	return true;
}

static bool prepare_listed(struct stage *stage)
{
	return prepare_crowd(stage) && free_budget(stage);
}

/* Drop the contents, wherever they are. */
static int play_drop(struct stage *stage)
{
	struct ttmpool_backend *be = &stage->buf->be;

	return be->tt.state == TTMPOOL_TT_EMPTY ? 0 : ttmpool_drop(be);
}

/* Hand the buffer over to another backend, whose pages are coherent, and to its
 * device. */
static bool prepare_handover(struct stage *stage)
{
	struct buffer *from;

	if (!prepare_anonymous(stage))
		return false;
	from = stage->buf;
	stage->buf = sweep_buffer(stage, sweep_pages, true);
	stage->other = from;
	return stage->buf;
}

static int play_handover(struct stage *stage)
{
	int err = 0;

	if (stage->buf->be.tt.state == TTMPOOL_TT_EMPTY)
		err = ttmpool_handover(&stage->other->be, &stage->buf->be);
	return err ? err : ttmpool_to_device(&stage->buf->be);
}

#define SCENE(named, prepares, plays, promised, whole, with)             \
	{                                                                \
		.name = (named), .prepare = (prepares), .play = (plays), \
		.is_as_promised = (promised), .is_whole = (whole), with  \
	}
#define MOVE(named, prepares, plays, with) \
	SCENE(named, prepares, plays, sweep_is_somewhere, sweep_is_whole, with)
#define PLAIN .refill = false

const struct scene sweep_moves_scenes[] = {
	MOVE("swapout", prepare_plain, play_swapout, PLAIN),
	MOVE("swapout-coherent", prepare_coherent, play_swapout, PLAIN),
	MOVE("swapout-anonymous", prepare_anonymous, play_swapout, PLAIN),
	MOVE("swapout-rest", prepare_partial, play_swapout, PLAIN),
	MOVE("swapin", prepare_swapped, play_swapin, PLAIN),
	MOVE("swapin-coherent", prepare_coherent_swapped, play_swapin, PLAIN),
	MOVE("swapin-rest", prepare_partial, play_swapin, PLAIN),
	MOVE("swapout-careful", prepare_plain, play_swapout, .careful = true),
	MOVE("swapin-careful", prepare_swapped, play_swapin, .careful = true),
	MOVE("to-anonymous", prepare_plain, play_to_anonymous, PLAIN),
	MOVE("to-anonymous-copy", prepare_coherent, play_to_anonymous, PLAIN),
	SCENE("to-device", prepare_anonymous, play_to_device,
	      is_still_anonymous, sweep_is_whole, PLAIN),
	SCENE("to-device-copy", prepare_copied, play_to_device,
	      is_still_anonymous, sweep_is_whole, PLAIN),
	SCENE("handover", prepare_handover, play_handover, is_still_anonymous,
	      sweep_is_whole, PLAIN),
	SCENE("drop", prepare_plain, play_drop, sweep_is_somewhere, NULL,
	      PLAIN),
	SCENE("drop-partial", prepare_partial, play_drop, sweep_is_somewhere,
	      NULL, PLAIN),
	SCENE("shrink-swap", prepare_listed, play_shrink, sweep_is_somewhere,
	      is_whole_listed, PLAIN),
	SCENE("hibernate", prepare_listed, play_hibernate, sweep_is_somewhere,
	      is_whole_listed, PLAIN),
	SCENE("crowding", prepare_crowd, play_crowding, sweep_is_somewhere,
	      is_whole_crowd, .keeps_budget = true),
};

const size_t sweep_moves_nr =
	sizeof(sweep_moves_scenes) / sizeof(*sweep_moves_scenes);
