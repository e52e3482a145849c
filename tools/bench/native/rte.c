// SPDX-License-Identifier: GPL-2.0 OR MIT
/* DPDK's rte_mempool, with a cache of 512 for each thread, as its users have it. */

#include <errno.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "bench.h"

#define OBJECTS 16383
#define BULK    512

static struct rte_mempool *mempool;
static bool started;

static int rte_start(void)
{
	char *args[] = { (char *)"bench",       (char *)"-l",
			 (char *)"0",           (char *)"--no-huge",
			 (char *)"--no-shconf", (char *)"-m",
			 (char *)"256",         (char *)"--no-pci",
			 (char *)"--log-level", (char *)"1" };

	if (started)
		return 0;
	started = true;
	return rte_eal_init(sizeof(args) / sizeof(*args), args) < 0 ? -EIO : 0;
}

static int rte_open(int threads)
{
	int err = rte_start();

	(void)threads;
	if (err)
		return err;
	mempool = rte_mempool_create("bench", OBJECTS, 64, BULK, 0, NULL, NULL,
				     NULL, NULL, SOCKET_ID_ANY, 0);
	return mempool ? 0 : -ENOMEM;
}

static void rte_close(void)
{
	rte_mempool_free(mempool);
}

/* A thread has a cache of its own once it is known. */
static void *rte_enter(int thread)
{
	if (thread && rte_thread_register())
		return NULL;
	return calloc(BULK, sizeof(void *));
}

static void rte_rounds(void *at, size_t bulk, size_t rounds)
{
	void **out = at;

	while (rounds--) {
		if (rte_mempool_get_bulk(mempool, out, (unsigned int)bulk))
			abort();
		rte_mempool_put_bulk(mempool, out, (unsigned int)bulk);
	}
}

static void rte_leave(void *at)
{
	free(at);
}

const struct contender contender_rte = { .name = "rte_mempool",
					 .open = rte_open,
					 .enter = rte_enter,
					 .rounds = rte_rounds,
					 .leave = rte_leave,
					 .close = rte_close };
