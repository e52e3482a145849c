// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Two that everybody would write first: a list with a lock that is taken for each
 * object; once with a spinlock and a counter beside it, as TTM's page pool keeps
 * its pages (ttm_pool_type_take(), ttm_pool_type_give()), once with a mutex.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <ttmpool/list.h>

#include "bench.h"

#define OBJECTS 8192
#define BULK    512

struct object {
	struct ttmpool_list link;
	char rest[48];
};

static struct object *objects;
static struct ttmpool_list list;
static pthread_spinlock_t spin;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_long allocated;

static int lists_open(int threads)
{
	(void)threads;
	objects = calloc(OBJECTS, sizeof(*objects));
	if (!objects)
		return -ENOMEM;
	ttmpool_list_init(&list);
	for (size_t i = 0; i < OBJECTS; i++)
		ttmpool_list_add(&objects[i].link, &list);
	pthread_spin_init(&spin, 0);
	return 0;
}

static void lists_close(void)
{
	pthread_spin_destroy(&spin);
	free(objects);
}

static void *lists_enter(int thread)
{
	(void)thread;
	return calloc(BULK, sizeof(struct ttmpool_list *));
}

static void ttm_rounds(void *at, size_t bulk, size_t rounds)
{
	struct ttmpool_list **out = at;

	while (rounds--) {
		for (size_t i = 0; i < bulk; i++) {
			pthread_spin_lock(&spin);
			out[i] = list.next;
			atomic_fetch_sub(&allocated, 1);
			ttmpool_list_del(out[i]);
			pthread_spin_unlock(&spin);
		}
		for (size_t i = 0; i < bulk; i++) {
			pthread_spin_lock(&spin);
			ttmpool_list_add(out[i], &list);
			pthread_spin_unlock(&spin);
			atomic_fetch_add(&allocated, 1);
		}
	}
}

static void mutex_rounds(void *at, size_t bulk, size_t rounds)
{
	struct ttmpool_list **out = at;

	while (rounds--) {
		for (size_t i = 0; i < bulk; i++) {
			pthread_mutex_lock(&mutex);
			out[i] = list.next;
			ttmpool_list_del(out[i]);
			pthread_mutex_unlock(&mutex);
		}
		for (size_t i = 0; i < bulk; i++) {
			pthread_mutex_lock(&mutex);
			ttmpool_list_add(out[i], &list);
			pthread_mutex_unlock(&mutex);
		}
	}
}

const struct contender contender_ttm = { .name = "TTM's pattern",
					 .open = lists_open,
					 .enter = lists_enter,
					 .rounds = ttm_rounds,
					 .leave = free,
					 .close = lists_close };
const struct contender contender_mutex = { .name = "mutex and list",
					   .open = lists_open,
					   .enter = lists_enter,
					   .rounds = mutex_rounds,
					   .leave = free,
					   .close = lists_close };
