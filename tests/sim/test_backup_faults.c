// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Backup when calls into the system fail: the contents of the pages are kept, and all
 * pages can be given up.
 */

#include <limits.h>
#include <stdio.h>

#include <ttmpool/backup.h>

#include "check_cmocka.h"
#include "rig.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 0x35

/* The pages that are backed up, and how far that has come. */
struct scene {
	struct check *t;
	struct rig *rig;
	struct pages *some;
	size_t gone;
	int strip;
	int ready;
	long part;
};

static bool scene_open(struct scene *scene, struct check *t)
{
	const struct pages_config config = {
		.num_pages = N, .caching = TTMPOOL_WRITE_COMBINED
	};

	*scene =
		(struct scene){ .t = t,
				.rig = rig_open(t, &(struct rig_config){ 0 }) };
	scene->some = scene->rig ? pages_open(t, scene->rig, &config) : NULL;
	return scene->some && !pages_take(scene->some) &&
	       pages_fill(t, scene->some, SEED);
}

/* Strip the pages, make them ready again, strip them again, and give up five pages of the
 * first chunk. */
static void scene_play(struct scene *scene)
{
	struct pages *some = scene->some;

	scene->strip = ttmpool_pool_strip(some->pool, some->pages, N, 0);
	scene->ready = ttmpool_pool_ready(some->pool, &some->req, some->pages,
					  some->dma_addr);
	check_any(ttmpool_pool_strip(some->pool, some->pages, N, 0));
	scene->part =
		ttmpool_pool_give_up_part(some->pool, some->pages, 16, 5, 0);
	scene->gone = scene->part > 0 ? (size_t)scene->part : 0;
}

/* Does each page that is still here hold what was written to it? */
static bool scene_is_whole(const struct scene *scene)
{
	struct tpsim_machine *machine = check_machine(scene->t);

	for (size_t i = scene->gone; i < N; i++) {
		const unsigned char *bytes =
			tpsim_page_address(machine, scene->some->pages[i]);

		if (bytes[0] != SEED || bytes[4095] != SEED)
			return false;
	}
	return rig_is_quiet(scene->t, scene->rig);
}

/* Give up all pages that are left. Those that cannot leave are in quarantine. */
static bool scene_close(struct scene *scene)
{
	struct pages *some = scene->some;

	return !ttmpool_pool_give_up(some->pool, some->pages + scene->gone,
				     N - scene->gone, 0) &&
	       !rig_stats(scene->rig).pages_pooled &&
	       !ttmpool_manager_purge_quarantine(&scene->rig->mgr) &&
	       rig_close(scene->t, scene->rig) &&
	       tpsim_ledger_is_empty(check_machine(scene->t));
}

static bool point_is_survived(struct check *t, const struct tpsim_fault *fault,
			      unsigned long *happened)
{
	struct scene scene;
	bool good;

	if (!scene_open(&scene, t))
		return false;
	tpsim_fault_plan(check_machine(t), fault);
	scene_play(&scene);
	good = scene_is_whole(&scene);
	*happened = tpsim_fault_clear(check_machine(t));
	return good && scene_close(&scene);
}

/* Whatever call fails, once or for good, in the middle of a batch or at its beginning, no
 * byte is lost, all counters agree, and every page can be given up. */
static void s11_every_failure_of_a_backup_is_survived(struct check *t)
{
	static const enum tpsim_call calls[] = { TPSIM_CALL_CACHING_SET,
						 TPSIM_CALL_CACHING_RESET,
						 TPSIM_CALL_DMA_MAP,
						 TPSIM_CALL_ZALLOC };
	unsigned long points = 0, happened;

	for (size_t i = 0; i < 4; i++)
		for (unsigned int how = 0; how < 4; how++) {
			struct tpsim_fault fault = {
				.call = calls[i],
				.times = how & 1 ? UINT_MAX : 1,
				.after = how & 2 ? 2 : 0,
			};

			do {
				fault.nth++;
				CHECK(t,
				      point_is_survived(t, &fault, &happened));
				points += happened > 0;
			} while (happened);
		}
	printf("# %lu points\n", points);
	CHECK(t, points > 20);
}

static struct tpsim_fault no_memory(unsigned int nth)
{
	return (struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC,
				     .nth = nth,
				     .times = UINT_MAX };
}

/* If the memory for descriptors runs out half way, the pages that could be split off are
 * given up: of five, four after the second halving. */
static void s11_a_smaller_part_goes_for_want_of_memory(struct check *t)
{
	static const long parts[] = { -ENOMEM, -ENOMEM, 4, 4, 5 };

	for (unsigned int i = 0; i < 5; i++) {
		struct tpsim_fault fault = no_memory(i + 1);
		struct scene scene;

		CHECK(t, scene_open(&scene, t));
		tpsim_fault_plan(check_machine(t), &fault);
		scene_play(&scene);
		tpsim_fault_clear(check_machine(t));
		CHECK_EQ(t, scene.part, parts[i]);
		CHECK_EQ(t, rig_stats(scene.rig).splits, i);
		CHECK(t, scene_is_whole(&scene));
		CHECK(t, scene_close(&scene));
	}
}

/* If pages do not become write-back, the strip returns an error. They keep their bytes,
 * and become the device's when the next call can convert them. */
static void s11_a_failed_strip_is_told_and_made_good(struct check *t)
{
	struct scene scene;

	CHECK(t, scene_open(&scene, t));
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = UINT_MAX });
	CHECK(t, ttmpool_pool_strip(scene.some->pool, scene.some->pages, N, 0) <
			 0);
	CHECK_EQ(t, rig_stats(scene.rig).bytes_mapped, 0);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, scene_is_whole(&scene));
	CHECK_EQ(t,
		 ttmpool_pool_ready(scene.some->pool, &scene.some->req,
				    scene.some->pages, scene.some->dma_addr),
		 0);
	CHECK(t, pages_hold(t, scene.some, SEED));
	CHECK_EQ(t, pages_give(scene.some), 0);
	CHECK(t, rig_close(t, scene.rig));
}

/* If a mapping or a change of caching fails, the pages stay ordinary, and the array of
 * addresses is as it was. */
static void s11_a_failed_ready_leaves_ordinary_pages(struct check *t)
{
	static const enum tpsim_call calls[] = { TPSIM_CALL_DMA_MAP,
						 TPSIM_CALL_CACHING_SET };

	for (size_t i = 0; i < 2; i++) {
		struct scene scene;
		struct pages *some;

		CHECK(t, scene_open(&scene, t));
		some = scene.some;
		CHECK_EQ(t, ttmpool_pool_strip(some->pool, some->pages, N, 0),
			 0);
		some->dma_addr[0] = 1;
		tpsim_fault_plan(
			check_machine(t),
			&(struct tpsim_fault){ .call = calls[i], .nth = 1 });
		CHECK(t, ttmpool_pool_ready(some->pool, &some->req, some->pages,
					    some->dma_addr) < 0);
		tpsim_fault_clear(check_machine(t));
		CHECK_EQ(t, some->dma_addr[0], 1);
		CHECK(t, pages_are_of(t, some, TTMPOOL_CACHED));
		CHECK_EQ(t, rig_stats(scene.rig).pages_anonymous, N);
		CHECK_EQ(t, rig_stats(scene.rig).bytes_mapped, 0);
		CHECK(t, scene_is_whole(&scene));
		CHECK(t, scene_close(&scene));
	}
}

/* Pages that cannot be made write-back, or are poisoned, are reported and quarantined;
 * the other pages that are given up go to the system. */
static void s11_what_cannot_be_given_up_is_quarantined(struct check *t)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_CACHING_RESET,
				     .nth = 1,
				     .times = UINT_MAX };
	struct scene scene;
	struct pages *some;

	CHECK(t, scene_open(&scene, t));
	some = scene.some;
	CHECK(t, check_poison(t, some->pages[N - 1]));
	CHECK_EQ(t, ttmpool_pool_give_up(some->pool, some->pages + 16, 5, 0),
		 0);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 1);
	CHECK_EQ(t, rig_stats(scene.rig).pages_quarantined, 1);
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, ttmpool_pool_give_up(some->pool, some->pages, 16, 0), 0);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_QUARANTINED), 1);
	CHECK_EQ(t, rig_stats(scene.rig).pages_quarantined, 17);
	CHECK_EQ(t, rig_stats(scene.rig).pages_released, 4);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&scene.rig->mgr), 0);
	CHECK(t, rig_close(t, scene.rig));
}

static unsigned long allocations(struct check *t)
{
	return tpsim_fault_calls(check_machine(t), TPSIM_CALL_ZALLOC) +
	       tpsim_fault_calls(check_machine(t), TPSIM_CALL_PAGES_ALLOC);
}

/* Stripping whole chunks, and giving them up, allocates no memory. */
static void s11_a_backup_of_whole_chunks_allocates_nothing(struct check *t)
{
	struct scene scene;
	unsigned long before;

	CHECK(t, scene_open(&scene, t));
	before = allocations(t);
	CHECK_EQ(t,
		 ttmpool_pool_strip(scene.some->pool, scene.some->pages, N, 0),
		 0);
	CHECK(t, scene_is_whole(&scene));
	CHECK(t, scene_close(&scene));
	CHECK_EQ(t, allocations(t), before);
}

CHECK_SUITE(backup_faults,
	    CHECK_CASE(s11_every_failure_of_a_backup_is_survived),
	    CHECK_CASE(s11_a_smaller_part_goes_for_want_of_memory),
	    CHECK_CASE(s11_a_failed_strip_is_told_and_made_good),
	    CHECK_CASE(s11_a_failed_ready_leaves_ordinary_pages),
	    CHECK_CASE(s11_what_cannot_be_given_up_is_quarantined),
	    CHECK_CASE(s11_a_backup_of_whole_chunks_allocates_nothing));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.ram_pages = 4096, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_backup_faults, &config);
}
