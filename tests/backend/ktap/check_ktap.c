// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The facade in a kernel: the cases run when the module is loaded, on the real machine,
 * and print KTAP.
 *
 * A case that failed leaves its manager, pools and buffers as they are. Their memory is
 * then never freed, and the modules stay loaded, since the shrinker still uses it.
 */

#define pr_fmt(fmt) fmt

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>

#include "check_ktap.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

static char *mode = "none";
module_param(mode, charp, 0);
MODULE_PARM_DESC(mode, "How the machine was booted");

static char *only = "";
module_param(only, charp, 0);
MODULE_PARM_DESC(only, "Run this suite alone");

struct memory {
	struct list_head link;
	void *bytes;
	struct page *page;
};

struct world {
	struct list_head memory;
	long pages_out; /* before the case */
	const char *skipped;
};

const char *check_mode(void)
{
	return mode;
}

void check_skip(struct check *t, const char *why)
{
	struct world *world = t->world;

	world->skipped = why;
}

void check_provoke(struct device *dev, dma_addr_t addr)
{
	pr_info("# provokes: %s %#llx\n", dev_name(dev),
		(unsigned long long)addr);
}

void check_fail(struct check *t, const char *file, int line, const char *what,
		const long long *values)
{
	t->failed = true;
	if (values)
		pr_info("    # %s:%d: %s (%lld, %lld)\n", file, line, what,
			values[0], values[1]);
	else
		pr_info("    # %s:%d: %s\n", file, line, what);
}

/* If everything is bounced, the slots must be below the mask, but they may lie anywhere
 * below 4 GiB: otherwise the kernel warns (kernel/dma/swiotlb.c, swiotlb_map()). */
bool check_set_mask(struct check *t, tpos_device_t *dev, unsigned int mask_bits)
{
	if (mask_bits < 32 && is_swiotlb_force_bounce(dev))
		return false;
	return !dma_set_mask_and_coherent(dev, DMA_BIT_MASK(mask_bits));
}

tpos_device_t *check_device(struct check *t, int which, unsigned int mask_bits)
{
	struct device *dev;

	if (!edu_get(which))
		edu_plug();
	if (!edu_get(which))
		return NULL;
	dev = edu_dev(edu_get(which));
	if (dma_set_mask_and_coherent(dev, DMA_BIT_MASK(mask_bits)))
		return NULL;
	return dev;
}

unsigned int check_mask_bits(struct check *t, unsigned int bits)
{
	struct device *dev = check_device(t, 0, 64);

	while (dev && bits < 64 &&
	       dma_set_mask_and_coherent(dev, DMA_BIT_MASK(bits)))
		bits++;
	check_device(t, 0, 64);
	return bits;
}

void check_unplug(struct check *t, int which)
{
	edu_unplug(edu_get(which));
}

static struct memory *world_note(struct world *world)
{
	struct memory *memory = kzalloc(sizeof(*memory), GFP_KERNEL);

	if (memory)
		list_add(&memory->link, &world->memory);
	return memory;
}

void *check_zalloc(struct check *t, size_t size)
{
	struct memory *memory = world_note(t->world);

	if (!memory)
		return NULL;
	memory->bytes = kvzalloc(size, GFP_KERNEL);
	return memory->bytes;
}

tpos_page_t *check_page_of_system(struct check *t)
{
	struct memory *memory = world_note(t->world);

	if (!memory)
		return NULL;
	memory->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return memory->page;
}

static void world_free(struct world *world)
{
	struct memory *memory, *after;

	list_for_each_entry_safe(memory, after, &world->memory, link)
	{
		kvfree(memory->bytes);
		if (memory->page)
			__free_page(memory->page);
		kfree(memory);
	}
}

bool check_fill(struct check *t, tpos_page_t *page,
		enum ttmpool_caching caching, unsigned char byte)
{
	if (page_caching(page) != caching)
		return false;
	memset(page_address(page), byte, PAGE_SIZE);
	wmb(); /* before the device reads */
	return true;
}

bool check_holds(struct check *t, tpos_page_t *page,
		 enum ttmpool_caching caching, unsigned char byte)
{
	return page_caching(page) == caching &&
	       !memchr_inv(page_address(page), byte, PAGE_SIZE);
}

/* A sync is for streaming mappings, and this may be a coherent one; those never need a
 * sync. */
static void sync_for_device(struct device *dev, dma_addr_t addr)
{
	if (dma_need_sync(dev, addr))
		dma_sync_single_for_device(dev, addr, PAGE_SIZE,
					   DMA_BIDIRECTIONAL);
}

/*
 * What a driver does before the device reads a page that was written through another
 * mapping: a sync, which copies the page to its bounce slot if it has one.
 */
bool check_device_holds(struct check *t, tpos_device_t *dev,
			tpos_dma_addr_t addr, unsigned char byte)
{
	sync_for_device(dev, addr);
	return edu_reads(edu_of(dev), addr, byte);
}

/* The kernel's log must show a fault if the IOMMU's driver logs them: it logs only a few
 * in five seconds (dmar_fault(), drivers/iommu/intel/dmar.c). */
bool check_cut_off(struct check *t, tpos_device_t *dev, tpos_dma_addr_t addr,
		   unsigned char byte)
{
	msleep(2500);
	check_provoke(dev, addr);
	return !edu_reads(edu_of(dev), addr, byte);
}

void check_sync(struct check *t, tpos_device_t *dev, tpos_page_t *page,
		tpos_dma_addr_t addr)
{
	sync_for_device(dev, addr);
}

enum ttmpool_caching check_caching(struct check *t, tpos_page_t *page)
{
	return page_caching(page);
}

/* As for a real error. For a driver's page the kernel can only set its mark and count the
 * error. */
#ifdef CONFIG_MEMORY_FAILURE
bool check_poison(struct check *t, tpos_page_t *page)
{
	memory_failure(page_to_pfn(page), MF_SW_SIMULATED);
	return PageHWPoison(page);
}
#else
bool check_poison(struct check *t, tpos_page_t *page)
{
	return false;
}
#endif

void check_log(struct check *t, const char *format, ...)
{
	struct va_format vaf = { .fmt = format };
	va_list args;

	va_start(args, format);
	vaf.va = &args;
	pr_info("# log: %pV\n", &vaf);
	va_end(args);
}

static long pages_out(void)
{
	return atomic_long_read(&ttmpool_module_counters()->pages_out);
}

size_t check_pages_out(struct check *t)
{
	struct world *world = t->world;

	return pages_out() - world->pages_out;
}

size_t check_reports(struct check *t, enum ttmpool_report_kind kind)
{
	return atomic_long_read(&t->system->reports[kind]);
}

static bool run_case(const struct check_case *c, int number)
{
	struct world world = { .pages_out = pages_out() };
	struct check t = { .world = &world };
	bool good;

	INIT_LIST_HEAD(&world.memory);
	t.system = check_zalloc(&t, sizeof(*t.system));
	if (!t.system)
		return false;
	t.system->name = "ttmpool_ktap";
	c->run(&t);
	if (pages_out() != world.pages_out)
		pr_info("    # %ld pages are not back\n",
			pages_out() - world.pages_out);
	good = !t.failed && pages_out() == world.pages_out;
	pr_info("    %s %d %s%s%s\n", good ? "ok" : "not ok", number, c->name,
		world.skipped ? " # SKIP " : "", world.skipped ?: "");
	if (good)
		world_free(&world);
	else
		__module_get(THIS_MODULE);
	return good;
}

static bool run_suite(const struct check_suite *suite, int number)
{
	bool good = true;
	int n = 0;

	while (suite->cases[n].name)
		n++;
	pr_info("    KTAP version 1\n    # Subtest: %s\n    1..%d\n",
		suite->name, n);
	for (int i = 0; i < n; i++)
		good &= run_case(&suite->cases[i], i + 1);
	pr_info("%s %d %s\n", good ? "ok" : "not ok", number, suite->name);
	return good;
}

static bool is_wanted(const struct check_suite *suite)
{
	return !*only || !strcmp(only, suite->name);
}

static void run_suites(void)
{
	const struct check_suite *const *suite;
	int n = 0;

	for (suite = check_suites; *suite; suite++)
		n += is_wanted(*suite);
	pr_info("KTAP version 1\n1..%d\n", n);
	n = 0;
	for (suite = check_suites; *suite; suite++)
		if (is_wanted(*suite))
			run_suite(*suite, ++n);
}

static int __init check_init(void)
{
	int err = edu_register();

	if (err)
		return err;
	for (int i = 0; i < NR_EDU; i++) {
		if (edu_get(i))
			continue;
		pr_info("Bail out! The machine has no %d edu devices\n",
			NR_EDU);
		edu_unregister();
		return -ENODEV;
	}
	run_suites();
	edu_plug(); /* plug in what a case has unplugged */
	return 0;
}

static void __exit check_exit(void)
{
	edu_unregister();
}

module_init(check_init);
module_exit(check_exit);
MODULE_DESCRIPTION("ttmpool's test cases, as KTAP");
MODULE_LICENSE("Dual MIT/GPL");
