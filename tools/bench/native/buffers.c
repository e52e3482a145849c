// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whole buffers, in nanoseconds per buffer: ours compared with a program without a pool,
 * which calls the C library or the system each time.
 *
 *     populate    from pooled and cleared pages, compared with mmap()
 *     unpopulate  of these, compared with munmap()
 *     dirty       both, if ours has to clear the pooled pages, compared with malloc(),
 *                 memset() and free()
 *     cold        both, if ours has nothing pooled, compared with mmap() and munmap()
 *
 * Our pages come with the device's addresses, and are memory of this process all the
 * time; mmap() makes page tables, which ours does not. With huge pages there are few of
 * these: a buffer that is large enough is compared with huge pages, too.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "native.h"

#define HUGE_PAGES 512
#define ARENA      ((size_t)3 << 17) /* pages: 1.5 GiB */

/* @n buffers of @pages each, ours and the other's. */
struct site {
	size_t pages;
	size_t n;
	struct native_system *system;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	struct ttmpool_backend *be;
	tpos_page_t **page;
	tpos_dma_addr_t *addr;
	void **memory;
	bool huge;
};

static size_t bytes_of(const struct site *site)
{
	return site->pages << NATIVE_PAGE_SHIFT;
}

static int pool_open(struct site *site)
{
	struct ttmpool_manager_config mgr = { .page_budget = TTMPOOL_NO_LIMIT,
					      .pool_limit = ARENA };
	struct ttmpool_pool_config config = { .name = "buffers",
					      .node = TTMPOOL_NODE_ANY };

	site->system = native_open(ARENA);
	if (!site->system)
		return -ENOMEM;
	mgr.system = site->system;
	config.dev = native_device(site->system);
	if (ttmpool_manager_init(&site->mgr, &mgr) ||
	    ttmpool_pool_init(&site->pool, &site->mgr, &config))
		return -ENOMEM;
	return 0;
}

static void pool_close(struct site *site)
{
	ttmpool_pool_fini(&site->pool);
	if (ttmpool_manager_fini(&site->mgr))
		abort();
	native_close(site->system);
}

/* As many buffers as fit into 8 MiB, but not thousands, and at least one. */
static int buffers_open(struct site *site)
{
	size_t n = 2048 / site->pages;

	site->n = n > 1024 ? 1024 : n ? n : 1;
	site->be = calloc(site->n, sizeof(*site->be));
	site->page = calloc(site->n * site->pages, sizeof(*site->page));
	site->addr = calloc(site->n * site->pages, sizeof(*site->addr));
	site->memory = calloc(site->n, sizeof(*site->memory));
	if (!site->be || !site->page || !site->addr || !site->memory)
		return -ENOMEM;
	for (size_t i = 0; i < site->n; i++) {
		struct ttmpool_backend_config config = {
			.pool = &site->pool,
			.pages = site->page + i * site->pages,
			.dma_addr = site->addr + i * site->pages,
			.num_pages = site->pages,
			.caching = TTMPOOL_WRITE_COMBINED,
		};

		if (ttmpool_backend_init(&site->be[i], &config))
			return -EINVAL;
	}
	return 0;
}

static void buffers_close(struct site *site)
{
	for (size_t i = 0; i < site->n; i++)
		if (ttmpool_backend_fini(&site->be[i]))
			abort();
	free(site->be);
	free(site->page);
	free(site->addr);
	free(site->memory);
}

static void populate_all(struct site *site)
{
	for (size_t i = 0; i < site->n; i++)
		if (ttmpool_populate(&site->be[i]))
			abort();
}

static void unpopulate_all(struct site *site)
{
	for (size_t i = 0; i < site->n; i++)
		if (ttmpool_unpopulate(&site->be[i]))
			abort();
}

static void map_all(struct site *site)
{
	size_t bytes = bytes_of(site);
	int flags = MAP_PRIVATE | MAP_ANONYMOUS |
		    (site->huge ? 0 : MAP_POPULATE);

	for (size_t i = 0; i < site->n; i++) {
		void *at =
			mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);

		if (at == MAP_FAILED)
			abort();
		if (site->huge) {
			madvise(at, bytes, MADV_HUGEPAGE);
			madvise(at, bytes, MADV_POPULATE_WRITE);
		}
		site->memory[i] = at;
	}
}

static void unmap_all(struct site *site)
{
	for (size_t i = 0; i < site->n; i++)
		munmap(site->memory[i], bytes_of(site));
}

static double since(uint64_t began, const struct site *site)
{
	return (double)(now_ns() - began) / (double)site->n;
}

static double ours_populate(void *arg)
{
	struct site *site = arg;
	uint64_t began;
	double ns;

	populate_all(site);
	unpopulate_all(site);
	ttmpool_pool_scrub(&site->pool, SIZE_MAX);
	began = now_ns();
	populate_all(site);
	ns = since(began, site);
	unpopulate_all(site);
	return ns;
}

static double ours_unpopulate(void *arg)
{
	struct site *site = arg;
	uint64_t began;

	populate_all(site);
	began = now_ns();
	unpopulate_all(site);
	return since(began, site);
}

static double ours_dirty(void *arg)
{
	struct site *site = arg;
	uint64_t began;

	populate_all(site);
	unpopulate_all(site);
	began = now_ns();
	populate_all(site);
	unpopulate_all(site);
	return since(began, site);
}

static double ours_cold(void *arg)
{
	struct site *site = arg;
	uint64_t began;

	while (ttmpool_manager_shrink_scan(&site->mgr, ULONG_MAX, false))
		;
	began = now_ns();
	populate_all(site);
	unpopulate_all(site);
	return since(began, site);
}

static double system_map(void *arg)
{
	uint64_t began = now_ns();
	double ns;

	map_all(arg);
	ns = since(began, arg);
	unmap_all(arg);
	return ns;
}

static double system_unmap(void *arg)
{
	uint64_t began;

	map_all(arg);
	began = now_ns();
	unmap_all(arg);
	return since(began, arg);
}

static double system_both(void *arg)
{
	uint64_t began = now_ns();

	map_all(arg);
	unmap_all(arg);
	return since(began, arg);
}

/* The compiler must not see that the cleared bytes are never read. */
static double library_both(void *arg)
{
	struct site *site = arg;
	uint64_t began = now_ns();

	for (size_t i = 0; i < site->n; i++) {
		site->memory[i] = malloc(bytes_of(site));
		if (!site->memory[i])
			abort();
		memset(site->memory[i], 0, bytes_of(site));
		__asm__ volatile("" : : "r"(site->memory[i]) : "memory");
	}
	for (size_t i = 0; i < site->n; i++)
		free(site->memory[i]);
	return since(began, site);
}

static const struct {
	const char *step;
	const char *other;
	const char *what;
	double (*ours)(void *site);
	double (*theirs)(void *site);
	bool huge;
} races[] = {
	{ "populate", "mmap", "populate %s, cleared before, beside mmap()",
	  ours_populate, system_map, false },
	{ "unpopulate", "munmap", "unpopulate %s, beside munmap()",
	  ours_unpopulate, system_unmap, false },
	{ "dirty", "malloc", "both, %s, clearing, beside malloc() and memset()",
	  ours_dirty, library_both, false },
	{ "cold", "mmap", "both, %s, nothing pooled, beside mmap()", ours_cold,
	  system_both, false },
	{ "populate", "huge", "populate %s, beside mmap() in huge pages",
	  ours_populate, system_map, true },
	{ "cold", "huge", "both, %s, nothing pooled, beside huge pages",
	  ours_cold, system_both, true },
};

static const struct {
	size_t pages;
	const char *name;
	const char *what;
	size_t pairs;
} sizes[] = {
	{ 1, "4k", "4 KiB", PAIRS },   { 16, "64k", "64 KiB", PAIRS },
	{ 512, "2m", "2 MiB", PAIRS }, { 16384, "64m", "64 MiB", PAIRS },
	{ 262144, "1g", "1 GiB", 5 },
};

static int race(struct rows *rows, struct site *site, size_t size, size_t i)
{
	char what[72];
	struct row *row;
	struct pairs pairs;
	int err;

	snprintf(what, sizeof(what), races[i].what, sizes[size].what);
	row = rows_add(rows, what, "buffer-%s-%s-%s", sizes[size].name,
		       races[i].step, races[i].other);
	site->huge = races[i].huge;
	err = pairs_take(&pairs, sizes[size].pairs,
			 &(struct side){ races[i].ours, site },
			 &(struct side){ races[i].theirs, site });
	if (!err)
		pairs_row(&pairs, row);
	return err;
}

static int race_size(struct rows *rows, struct site *site, size_t size)
{
	int err;

	site->pages = sizes[size].pages;
	err = buffers_open(site);
	for (size_t i = 0; !err && i < sizeof(races) / sizeof(*races); i++)
		if (!races[i].huge || site->pages >= HUGE_PAGES)
			err = race(rows, site, size, i);
	if (!err)
		buffers_close(site);
	return err;
}

int bench_buffers(struct rows *rows)
{
	static struct site site;
	int err = pool_open(&site);

	for (size_t i = 0; !err && i < sizeof(sizes) / sizeof(*sizes); i++)
		err = race_size(rows, &site, i);
	if (!err)
		pool_close(&site);
	return err;
}
