// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Work that must not grow with the contents of a pool, counted on the simulated machine:
 * steps along lists under a spinlock, locks, and calls. Each line is a name and a count.
 *
 *     T17           the longest hold of a spinlock, in steps, while 1 GiB of single
 *                   pages in random order is populated, given back and drained
 *     T18           of 1,000,000 pages that are drained, how many are stripped before
 *                   the first one is freed, in pages
 *     growth-NAME   the cost of an operation beside ten times as many others, in percent
 *                   of its cost beside some: 100 is no growth
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ttmpool/ttmpool.h>

#include "tpsim.h"

#define MOST 1000000 /* pages */
#define TEN  10

/* A machine, a manager, and @nr_pools pools. */
struct bed {
	struct tpsim_machine *machine;
	struct tpsim_device *dev;
	struct ttmpool_manager mgr;
	struct ttmpool_pool *pool;
	int nr_pools;
};

static tpos_page_t *pages[MOST];
static tpos_dma_addr_t addr[MOST];

static void check(int err)
{
	if (!err)
		return;
	fprintf(stderr, "ttmpool-steps: %s\n", strerror(-err));
	exit(1);
}

static void *zalloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		check(-ENOMEM);
	return memory;
}

static void bed_open(struct bed *bed, size_t ram_pages, int nr_pools)
{
	struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
				       .ram_pages = ram_pages };
	struct ttmpool_manager_config mgr = { .page_budget = TTMPOOL_NO_LIMIT,
					      .pool_limit = TTMPOOL_NO_LIMIT };
	struct ttmpool_pool_config pool = { .name = "steps",
					    .node = TTMPOOL_NODE_ANY };
	struct ttmpool_policy policy;
	struct tpos_device_info info;

	bed->machine = tpsim_machine_create(&config);
	bed->dev = bed->machine ? tpsim_device_create(
					  bed->machine,
					  &(struct tpsim_device_config){
						  .node = TTMPOOL_NODE_ANY })
				: NULL;
	if (!bed->dev)
		check(-ENOMEM);
	mgr.system = bed->machine;
	check(ttmpool_manager_init(&bed->mgr, &mgr));
	tpos_device_query(bed->dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.refill = false;
	policy.max_order = 0;
	pool.dev = bed->dev;
	pool.policy = &policy;
	bed->pool = zalloc((size_t)nr_pools * sizeof(*bed->pool));
	for (bed->nr_pools = 0; bed->nr_pools < nr_pools; bed->nr_pools++)
		check(ttmpool_pool_init(&bed->pool[bed->nr_pools], &bed->mgr,
					&pool));
}

static void bed_close(struct bed *bed)
{
	while (bed->nr_pools)
		check((int)ttmpool_pool_fini(&bed->pool[--bed->nr_pools]));
	check(ttmpool_manager_fini(&bed->mgr));
	free(bed->pool);
	tpsim_device_destroy(bed->dev);
	tpsim_machine_destroy(bed->machine);
}

static struct tpsim_counters counters(const struct bed *bed)
{
	struct tpsim_counters now;

	tpsim_counters(bed->machine, &now);
	return now;
}

/* The same order each time. */
static void shuffle(size_t n)
{
	uint64_t r = 42;

	for (size_t i = n - 1; i > 0; i--) {
		tpos_page_t *page = pages[i];
		size_t j;

		r = r * 6364136223846793005u + 1442695040888963407u;
		j = (size_t)(r >> 33) % (i + 1);
		pages[i] = pages[j];
		pages[j] = page;
	}
}

static struct ttmpool_request wc(size_t n)
{
	return (struct ttmpool_request){ .caching = TTMPOOL_WRITE_COMBINED,
					 .num_pages = n };
}

static void take(struct bed *bed, size_t n)
{
	struct ttmpool_request req = wc(n);

	check(ttmpool_pool_take(&bed->pool[0], &req, pages, addr));
}

/* Give @n pages back, in arrays of @each. */
static void give(struct bed *bed, size_t n, size_t each)
{
	for (size_t i = 0; i < n; i += each)
		check(ttmpool_pool_give(&bed->pool[0], pages + i, each,
					TTMPOOL_WRITE_COMBINED));
}

static void count_longest_hold(void)
{
	const size_t n = 262144;
	struct bed bed;

	bed_open(&bed, 2 * n, 1);
	take(&bed, n);
	shuffle(n);
	give(&bed, n, 1);
	take(&bed, n);
	give(&bed, n, n);
	ttmpool_manager_set_pool_limit(&bed.mgr, n / 2);
	ttmpool_pool_drain(&bed.pool[0]);
	printf("T17 %llu\n", (unsigned long long)counters(&bed).longest_hold);
	bed_close(&bed);
}

/* What the first freed page had to wait for. */
static struct {
	struct bed *bed;
	uint64_t stripped;
	bool over;
} first;

void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	if (first.bed && !first.over) {
		first.stripped = counters(first.bed).caching_pages;
		first.over = true;
	}
	__real_tpos_pages_free(dev, chunks);
}

static void count_first_slice(void)
{
	struct ttmpool_request req = wc(MOST);
	uint64_t before;
	struct bed bed;

	bed_open(&bed, MOST + MOST / 8, 1);
	check(ttmpool_pool_prime(&bed.pool[0], &req, true));
	before = counters(&bed).caching_pages;
	first.bed = &bed;
	ttmpool_pool_drain(&bed.pool[0]);
	printf("T18 %llu\n", (unsigned long long)(first.stripped - before));
	first.bed = NULL;
	bed_close(&bed);
}

/* The work so far: locks, and steps under them. */
static uint64_t effort(const struct bed *bed)
{
	struct tpsim_counters now = counters(bed);

	return now.locks_taken + now.list_steps;
}

static uint64_t effort_of_count(int n)
{
	struct bed bed;
	uint64_t before;

	bed_open(&bed, 1024, n);
	before = effort(&bed);
	ttmpool_manager_shrink_count(&bed.mgr, true);
	before = effort(&bed) - before;
	bed_close(&bed);
	return before;
}

/* A scan for some pages, of which each of @n pools has some. */
static uint64_t effort_of_scan(int n)
{
	struct ttmpool_request req = wc(64);
	struct bed bed;
	uint64_t before;

	bed_open(&bed, 131072, n);
	for (int i = 0; i < n; i++)
		check(ttmpool_pool_prime(&bed.pool[i], &req, true));
	before = effort(&bed);
	if (ttmpool_manager_shrink_scan(&bed.mgr, 32, false) < 32)
		check(-ENOMEM);
	before = effort(&bed) - before;
	bed_close(&bed);
	return before;
}

/* A scan for one page, with @n pages whose caching cannot be repaired: the calls for
 * it. */
static uint64_t effort_of_quarantine(int n)
{
	static const struct tpsim_fault fault = {
		.call = TPSIM_CALL_CACHING_RESET, .nth = 1, .times = 1u << 30
	};
	struct ttmpool_request req = wc((size_t)n);
	struct bed bed;
	uint64_t before;

	bed_open(&bed, 131072, 1);
	check(ttmpool_pool_prime(&bed.pool[0], &req, true));
	tpsim_fault_plan(bed.machine, &fault);
	ttmpool_pool_drain(&bed.pool[0]);
	before = tpsim_fault_calls(bed.machine, fault.call);
	ttmpool_manager_shrink_scan(&bed.mgr, 1, false);
	before = tpsim_fault_calls(bed.machine, fault.call) - before;
	tpsim_fault_clear(bed.machine);
	check(ttmpool_manager_purge_quarantine(&bed.mgr) ? -EBUSY : 0);
	bed_close(&bed);
	return before;
}

/* Buffers that could be swapped out; the locks of the busy ones cannot be taken. */
struct crowd {
	struct ttmpool_backend be;
	tpos_page_t *pages[16];
	tpos_dma_addr_t addr[16];
};

static uint64_t locks_tried;
static bool is_busy;

static bool crowd_trylock(struct ttmpool_backend *be)
{
	(void)be;
	locks_tried++;
	return !is_busy;
}

static void crowd_unlock(struct ttmpool_backend *be)
{
	(void)be;
}

static struct crowd *crowd_open(struct bed *bed, int n)
{
	static struct ttmpool_backend_funcs funcs;
	struct crowd *crowd = zalloc((size_t)n * sizeof(*crowd));

	funcs = ttmpool_backend_plain;
	funcs.trylock = crowd_trylock;
	funcs.unlock = crowd_unlock;
	for (int i = 0; i < n; i++) {
		struct ttmpool_backend_config config = {
			.pool = &bed->pool[0],
			.funcs = &funcs,
			.pages = crowd[i].pages,
			.dma_addr = crowd[i].addr,
			.num_pages = 16,
			.caching = TTMPOOL_WRITE_COMBINED,
		};

		check(ttmpool_backend_init(&crowd[i].be, &config));
		check(ttmpool_lru_add(&crowd[i].be));
		check(ttmpool_populate(&crowd[i].be));
	}
	return crowd;
}

static void crowd_close(struct crowd *crowd, int n)
{
	for (int i = 0; i < n; i++) {
		ttmpool_lru_remove(&crowd[i].be);
		check(ttmpool_drop(&crowd[i].be));
		check(ttmpool_backend_fini(&crowd[i].be));
	}
	free(crowd);
}

/* A populate without any page, since all buffers are busy: the locks that are tried for
 * each buffer, in percent. */
static uint64_t effort_of_failure(int n)
{
	struct ttmpool_request req = wc(100);
	struct crowd *crowd;
	struct bed bed;

	bed_open(&bed, 131072, 1);
	crowd = crowd_open(&bed, n);
	ttmpool_manager_set_page_budget(&bed.mgr, (unsigned long)n * 16 + 50);
	is_busy = true;
	locks_tried = 0;
	if (ttmpool_pool_take(&bed.pool[0], &req, pages, addr) != -ENOMEM)
		check(-EINVAL);
	is_busy = false;
	crowd_close(crowd, n);
	bed_close(&bed);
	return locks_tried * 100 / (uint64_t)n;
}

/* Swap out one buffer beside @n that stay. */
static uint64_t effort_of_swapout(int n)
{
	struct crowd *crowd;
	struct bed bed;
	uint64_t before;

	bed_open(&bed, 131072, 1);
	crowd = crowd_open(&bed, n);
	before = effort(&bed);
	if (ttmpool_manager_swapout(&bed.mgr, 16) != 16)
		check(-EINVAL);
	before = effort(&bed) - before;
	crowd_close(crowd, n);
	bed_close(&bed);
	return before;
}

static const struct growth {
	const char *name;
	int n;
	uint64_t (*effort)(int n);
} growths[] = {
	{ "count", 20, effort_of_count },
	{ "scan", 20, effort_of_scan },
	{ "failing-populate", 100, effort_of_failure },
	{ "swapout", 100, effort_of_swapout },
	{ "quarantine", 100, effort_of_quarantine },
};

int main(void)
{
	count_longest_hold();
	count_first_slice();
	for (size_t i = 0; i < sizeof(growths) / sizeof(*growths); i++) {
		const struct growth *of = &growths[i];
		uint64_t few = of->effort(of->n);
		uint64_t many = of->effort(TEN * of->n);

		/* An operation that costs nothing does not grow. */
		printf("growth-%s %llu\n", of->name,
		       (unsigned long long)(few || many
						    ? many * 100 /
							      (few ? few : 1)
						    : 100));
	}
	return 0;
}
