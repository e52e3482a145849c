// SPDX-License-Identifier: GPL-2.0 OR MIT
/* DPDK's rte_mempool, with a cache of 512 for each thread, as its users have it. */

#include <errno.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "bench.h"

#define OBJECTS 16383

static struct rte_mempool *mempool;

static int rte_start(void)
{
	char *args[] = { (char *)"bench",       (char *)"-l",
			 (char *)"0",           (char *)"--no-huge",
			 (char *)"--no-shconf", (char *)"-m",
			 (char *)"256",         (char *)"--no-pci",
			 (char *)"--log-level", (char *)"1" };

	return rte_eal_init(sizeof(args) / sizeof(*args), args) < 0 ? -EIO : 0;
}

static int rte_open(void)
{
	int err = rte_start();

	if (err)
		return err;
	mempool = rte_mempool_create("bench", OBJECTS, 64, MOST_BULK, 0, NULL,
				     NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	return mempool ? 0 : -ENOMEM;
}

/* A registered thread has a cache of its own. */
static void *rte_enter(int thread)
{
	if (thread && rte_thread_register())
		return NULL;
	return calloc(MOST_BULK, sizeof(void *));
}

static void rte_get(void *at, void *to, size_t bulk)
{
	(void)at;
	if (rte_mempool_get_bulk(mempool, to, (unsigned int)bulk))
		abort();
}

static void rte_put(void *at, void *from, size_t bulk)
{
	(void)at;
	rte_mempool_put_bulk(mempool, from, (unsigned int)bulk);
}

static void rte_rounds(void *at, size_t bulk, size_t rounds)
{
	while (rounds--) {
		rte_get(at, at, bulk);
		rte_put(at, at, bulk);
	}
}

/* The number of thread ids is limited; the next thread gets this one's id, with its
 * cache. */
static void rte_leave(void *at)
{
	if (rte_lcore_id() != rte_get_main_lcore())
		rte_thread_unregister();
	free(at);
}

const struct contender contender_rte = { .name = "rte",
					 .what = "rte_mempool",
					 .open = rte_open,
					 .enter = rte_enter,
					 .rounds = rte_rounds,
					 .get = rte_get,
					 .put = rte_put,
					 .leave = rte_leave };
