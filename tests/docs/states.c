// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The tables of docs/states.md, as the code has them: which state may follow which, and
 * what each verb does in each state, found by doing it. states.cmake compares them.
 */

#include <stdio.h>
#include <stdlib.h>

#include <ttmpool/ttmpool.h>

#include "tpsim.h"

#define PAGES 7 /* chunks of 4, of 2 and of 1 */

static struct ttmpool_backend be, other;
static tpos_page_t *pages[PAGES], *other_pages[PAGES];

static int swapout_all(struct ttmpool_backend *backend)
{
	return ttmpool_swapout(backend, TTMPOOL_ALL_PAGES);
}

static int swapout_part(struct ttmpool_backend *backend)
{
	return ttmpool_swapout(backend, 1);
}

static int swapin_all(struct ttmpool_backend *backend)
{
	return ttmpool_swapin(backend, TTMPOOL_ALL_PAGES);
}

static int handover(struct ttmpool_backend *backend)
{
	return ttmpool_handover(backend, &other);
}

static const struct {
	const char *name;
	int (*call)(struct ttmpool_backend *backend);
} verbs[] = {
	{ "populate", ttmpool_populate },
	{ "unpopulate", ttmpool_unpopulate },
	{ "bind", ttmpool_bind },
	{ "unbind", ttmpool_unbind },
	{ "to_anonymous", ttmpool_to_anonymous },
	{ "to_device", ttmpool_to_device },
	{ "handover", handover },
	{ "swapout, a part", swapout_part },
	{ "swapout", swapout_all },
	{ "swapin", swapin_all },
	{ "drop", ttmpool_drop },
};

#define NR_VERBS (sizeof(verbs) / sizeof(*verbs))

static void reset(struct ttmpool_backend *backend)
{
	if (backend->tt.state == TTMPOOL_TT_BOUND)
		ttmpool_unbind(backend);
	if (backend->tt.state != TTMPOOL_TT_EMPTY && ttmpool_drop(backend))
		abort();
}

static void bring_to(enum ttmpool_tt_state state)
{
	reset(&be);
	reset(&other);
	if (state != TTMPOOL_TT_EMPTY && ttmpool_populate(&be))
		abort();
	if (state == TTMPOOL_TT_BOUND && ttmpool_bind(&be))
		abort();
	if (state == TTMPOOL_TT_ANONYMOUS && ttmpool_to_anonymous(&be))
		abort();
	if (state == TTMPOOL_TT_SWAPPED)
		swapout_all(&be);
	if (state == TTMPOOL_TT_PARTIAL)
		swapout_part(&be);
	if (be.tt.state != state)
		abort();
}

static void print_head(const char *corner)
{
	printf("| %s |", corner);
	for (int i = 0; i < TTMPOOL_TT_STATE_COUNT; i++)
		printf(" %s |",
		       ttmpool_tt_state_name((enum ttmpool_tt_state)i));
	printf("\n|---|");
	for (int i = 0; i < TTMPOOL_TT_STATE_COUNT; i++)
		printf("---|");
	putchar('\n');
}

static void print_states(void)
{
	print_head("from \\ to");
	for (int i = 0; i < TTMPOOL_TT_STATE_COUNT; i++) {
		enum ttmpool_tt_state from = (enum ttmpool_tt_state)i;

		printf("| %s |", ttmpool_tt_state_name(from));
		for (int j = 0; j < TTMPOOL_TT_STATE_COUNT; j++)
			printf("%s |", ttmpool_tt_may_become(
					       from, (enum ttmpool_tt_state)j)
					       ? " x"
					       : "");
		putchar('\n');
	}
}

static void print_verbs(void)
{
	print_head("verb \\ in");
	for (size_t v = 0; v < NR_VERBS; v++) {
		printf("| %s |", verbs[v].name);
		for (int i = 0; i < TTMPOOL_TT_STATE_COUNT; i++) {
			int err;

			bring_to((enum ttmpool_tt_state)i);
			err = verbs[v].call(&be);
			if (err && err != -EINVAL)
				abort();
			printf(" %s |",
			       err ? "-" : ttmpool_tt_state_name(be.tt.state));
		}
		putchar('\n');
	}
}

int main(void)
{
	struct tpsim_machine *machine =
		tpsim_machine_create(&(struct tpsim_config){ 0 });
	struct ttmpool_manager_config mgr_config = { machine, TTMPOOL_NO_LIMIT,
						     TTMPOOL_NO_LIMIT };
	struct ttmpool_pool_config pool_config = { .node = TTMPOOL_NODE_ANY };
	struct ttmpool_backend_config config = { .num_pages = PAGES };
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;

	pool_config.dev = tpsim_device_create(
		machine, &(struct tpsim_device_config){ 0 });
	config.pool = &pool;
	config.pages = pages;
	if (ttmpool_manager_init(&mgr, &mgr_config) ||
	    ttmpool_pool_init(&pool, &mgr, &pool_config) ||
	    ttmpool_backend_init(&be, &config))
		return 1;
	config.pages = other_pages;
	if (ttmpool_backend_init(&other, &config))
		return 1;
	print_states();
	putchar('\n');
	print_verbs();
	reset(&be);
	reset(&other);
	if (ttmpool_pool_fini(&pool) || ttmpool_manager_fini(&mgr))
		return 1;
	tpsim_machine_destroy(machine);
	return 0;
}
