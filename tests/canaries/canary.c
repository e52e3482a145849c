// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A driver with a bug, and the same driver without it. This is no test, but its object:
 * each tool that finds nothing in the library must find this bug, or its silence means
 * nothing. Without a tool all of them exit with 0, so a tool that is blind is noticed.
 *
 *     canary BUG          with the bug
 *     canary BUG mended   the same without it: no tool reports anything
 *
 *     uninitialised   a backend is used that was never initialised: memcheck, MSan
 *     pooled          a page is read after it was given back: MSan, memcheck, ASan
 *     leaked          a buffer is forgotten, with its pages: memcheck, LSan (ASan)
 *     misaligned      a backend lies at an odd address: UBSan
 *     unlocked        two threads use one buffer without a lock: TSan, helgrind, DRD
 *
 * Where possible the library makes the wrong access: this shows that the tool watches
 * lib/, and not this file alone.
 *
 * Leaks: memcheck's search for them reports no pages if no block of malloc() is left. The
 * machine's own handle is such a block, and a program that destroys a machine whose pages
 * are still out is stopped by the machine's ledger ("canary ledger").
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ttmpool/ttmpool.h>

#include "tpsim.h"

/* Static, so that the pool and all its memory can still be reached at the end. */
static struct tpsim_machine *machine;
static struct ttmpool_manager mgr;
static struct ttmpool_pool pool;

struct buffer {
	struct ttmpool_backend be;
	tpos_page_t *pages[4];
};

/* Something that depends on @value, and that no compiler can leave out. */
static void look_at(unsigned int value)
{
	if (value == 0x5a)
		puts("a Z");
}

static int buffer_open(struct buffer *buf)
{
	struct ttmpool_backend_config config = { .pool = &pool,
						 .pages = buf->pages,
						 .num_pages = 4,
						 .caching = TTMPOOL_UNCACHED };

	return ttmpool_backend_init(&buf->be, &config);
}

static int buffer_close(struct buffer *buf)
{
	if (buf->be.tt.state != TTMPOOL_TT_EMPTY &&
	    ttmpool_unpopulate(&buf->be))
		return 1;
	return ttmpool_backend_fini(&buf->be);
}

static int play_uninitialised(bool mended)
{
	struct buffer *buf = malloc(sizeof(*buf));
	int err;

	if (!buf || (mended && buffer_open(buf)))
		return 1;
	err = ttmpool_bind(&buf->be); /* refused, whatever is there */
	free(buf);
	return err == -EINVAL ? 0 : 1;
}

static int play_pooled(bool mended)
{
	struct buffer buf;
	unsigned char *bytes;

	if (buffer_open(&buf) || ttmpool_populate(&buf.be))
		return 1;
	bytes = tpsim_page_address(machine, buf.pages[0]);
	if (mended)
		look_at(bytes[7]);
	if (buffer_close(&buf))
		return 1;
	if (!mended)
		look_at(bytes[7]);
	return 0;
}

static int play_leaked(bool mended)
{
	struct buffer *buf = malloc(sizeof(*buf));

	if (!buf || buffer_open(buf) || ttmpool_populate(&buf->be))
		return 1;
	if (mended) {
		if (buffer_close(buf))
			return 1;
		free(buf);
	}
	return 0;
}

static int play_misaligned(bool mended)
{
	char memory[sizeof(struct buffer) + 16] = { 0 };
	uintptr_t at = ((uintptr_t)memory + 15) & ~(uintptr_t)15;

	at += !mended;
	return ttmpool_bind((struct ttmpool_backend *)at) == -EINVAL ? 0 : 1;
}

/* Two threads that share a buffer, and a lock that they take only when mended. */
struct pair {
	struct buffer buf;
	pthread_mutex_t lock;
	bool locks;
};

static void *bind_it(void *arg)
{
	struct pair *pair = arg;

	if (pair->locks)
		pthread_mutex_lock(&pair->lock);
	if (ttmpool_bind(&pair->buf.be))
		abort();
	if (pair->locks)
		pthread_mutex_unlock(&pair->lock);
	return NULL;
}

static void *look(void *arg)
{
	struct pair *pair = arg;

	if (pair->locks)
		pthread_mutex_lock(&pair->lock);
	look_at(ttmpool_tt_is_valid(&pair->buf.be.tt));
	if (pair->locks)
		pthread_mutex_unlock(&pair->lock);
	return NULL;
}

static int play_unlocked(bool mended)
{
	static struct pair pair = { .lock = PTHREAD_MUTEX_INITIALIZER };
	pthread_t threads[2];

	pair.locks = mended;
	if (buffer_open(&pair.buf) || ttmpool_populate(&pair.buf.be) ||
	    pthread_create(&threads[0], NULL, bind_it, &pair) ||
	    pthread_create(&threads[1], NULL, look, &pair))
		return 1;
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	if (ttmpool_unbind(&pair.buf.be))
		return 1;
	return buffer_close(&pair.buf);
}

static int play_ledger(bool mended)
{
	int failed = play_leaked(mended);

	if (!failed && !mended)
		tpsim_machine_destroy(machine);
	return failed;
}

static const struct {
	const char *name;
	int (*play)(bool mended);
} bugs[] = {
	{ "uninitialised", play_uninitialised },
	{ "pooled", play_pooled },
	{ "leaked", play_leaked },
	{ "misaligned", play_misaligned },
	{ "unlocked", play_unlocked },
	{ "ledger", play_ledger },
};

static int open_pool(void)
{
	struct ttmpool_manager_config config = { .page_budget = 1024,
						 .pool_limit = 1024 };
	struct ttmpool_pool_config pool_config = { .name = "canary",
						   .node = TTMPOOL_NODE_ANY };

	machine = tpsim_machine_create(&(struct tpsim_config){ 0 });
	if (!machine)
		return -ENOMEM;
	config.system = machine;
	pool_config.dev = tpsim_device_create(
		machine,
		&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY });
	if (!pool_config.dev || ttmpool_manager_init(&mgr, &config))
		return -ENOMEM;
	return ttmpool_pool_init(&pool, &mgr, &pool_config);
}

int main(int argc, char **argv)
{
	bool mended = argc == 3 && !strcmp(argv[2], "mended");
	int failed = 2;

	if (open_pool())
		return 1;
	for (size_t i = 0; i < sizeof(bugs) / sizeof(*bugs); i++)
		if ((argc == 2 || mended) && !strcmp(argv[1], bugs[i].name))
			failed = bugs[i].play(mended);
	if (failed == 2)
		fputs("usage: canary BUG [mended]\n", stderr);
	if (failed || !mended)
		return failed;
	if (ttmpool_pool_fini(&pool) || ttmpool_manager_fini(&mgr))
		return 1;
	tpsim_machine_destroy(machine);
	return 0;
}
