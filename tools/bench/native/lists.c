// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Three contenders that are simple to write: a list with a lock that is taken for each
 * object; once with a spinlock and a counter, as TTM's page pool keeps its pages
 * (ttm_pool_type_take(), ttm_pool_type_give()), once with a mutex. The third is the first
 * one that also clears each page that comes back, as TTM's pool does.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <ttmpool/list.h>

#include "bench.h"

#define OBJECTS   8192
#define PAGE_SIZE 4096

struct object {
	struct ttmpool_list link;
	char rest[48];
};

static struct object *objects;
static char *pages; /* one for each object */
static struct ttmpool_list list;
static pthread_spinlock_t spin;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_long allocated;

static int lists_open(void)
{
	objects = calloc(OBJECTS, sizeof(*objects));
	pages = aligned_alloc(PAGE_SIZE, (size_t)OBJECTS * PAGE_SIZE);
	if (!objects || !pages)
		return -ENOMEM;
	ttmpool_list_init(&list);
	for (size_t i = 0; i < OBJECTS; i++)
		ttmpool_list_add(&objects[i].link, &list);
	pthread_spin_init(&spin, 0);
	return 0;
}

static void *lists_enter(int thread)
{
	(void)thread;
	return calloc(MOST_BULK, sizeof(struct ttmpool_list *));
}

static void ttm_get(void *at, void *to, size_t bulk)
{
	struct ttmpool_list **out = to;

	(void)at;
	for (size_t i = 0; i < bulk; i++) {
		pthread_spin_lock(&spin);
		out[i] = list.next;
		atomic_fetch_sub(&allocated, 1);
		ttmpool_list_del(out[i]);
		pthread_spin_unlock(&spin);
	}
}

static void ttm_put(void *at, void *from, size_t bulk)
{
	struct ttmpool_list **in = from;

	(void)at;
	for (size_t i = 0; i < bulk; i++) {
		pthread_spin_lock(&spin);
		ttmpool_list_add(in[i], &list);
		pthread_spin_unlock(&spin);
		atomic_fetch_add(&allocated, 1);
	}
}

/* As clear_page() does it on x86. */
static void clear_page_of(const struct ttmpool_list *link)
{
	const struct object *object =
		ttmpool_list_entry(link, struct object, link);
	char *page = pages + (object - objects) * PAGE_SIZE;
	size_t n = PAGE_SIZE;

	__asm__ volatile("rep stosb" : "+D"(page), "+c"(n) : "a"(0) : "memory");
}

static void ttm_clear_and_put(void *at, void *from, size_t bulk)
{
	struct ttmpool_list **in = from;

	for (size_t i = 0; i < bulk; i++) {
		clear_page_of(in[i]);
		ttm_put(at, &in[i], 1);
	}
}

static void ttm_rounds(void *at, size_t bulk, size_t rounds)
{
	while (rounds--) {
		ttm_get(at, at, bulk);
		ttm_put(at, at, bulk);
	}
}

static void mutex_get(void *at, void *to, size_t bulk)
{
	struct ttmpool_list **out = to;

	(void)at;
	for (size_t i = 0; i < bulk; i++) {
		pthread_mutex_lock(&mutex);
		out[i] = list.next;
		ttmpool_list_del(out[i]);
		pthread_mutex_unlock(&mutex);
	}
}

static void mutex_put(void *at, void *from, size_t bulk)
{
	struct ttmpool_list **in = from;

	(void)at;
	for (size_t i = 0; i < bulk; i++) {
		pthread_mutex_lock(&mutex);
		ttmpool_list_add(in[i], &list);
		pthread_mutex_unlock(&mutex);
	}
}

static void mutex_rounds(void *at, size_t bulk, size_t rounds)
{
	while (rounds--) {
		mutex_get(at, at, bulk);
		mutex_put(at, at, bulk);
	}
}

const struct contender contender_ttm = { .name = "ttm",
					 .what = "TTM's pattern",
					 .open = lists_open,
					 .enter = lists_enter,
					 .rounds = ttm_rounds,
					 .get = ttm_get,
					 .put = ttm_put,
					 .leave = free };
/* It uses the same list, so the other contender opens it. */
const struct contender contender_ttm_clears = { .name = "ttm-clears",
						.what = "TTM's, which clears",
						.enter = lists_enter,
						.get = ttm_get,
						.put = ttm_clear_and_put,
						.leave = free };
const struct contender contender_mutex = { .name = "mutex",
					   .what = "a list with a mutex",
					   .enter = lists_enter,
					   .rounds = mutex_rounds,
					   .get = mutex_get,
					   .put = mutex_put,
					   .leave = free };
