// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The manager that all users of a module share, and its limits, which are the module's
 * parameters. A user must get the manager first and put it last. The last user ends it.
 *
 * A driver that uses the module cannot outlast it, because it needs the module's symbols.
 * So when the module's own use ends, which is the last, there is no pool, unless a driver went
 * without ending its own. The quarantine may be left: pages that were in use when their pool
 * ended. Their users are gone, with their modules, so these pages are freed then. Whatever is
 * left after that is reported and never freed: a leak is better than a page that two users
 * believe to be theirs.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>

#include "ttmpool_module.h"
#include "ttmpool_system.h"

static struct ttmpool_system module_system = { .name = KBUILD_MODNAME };
static struct ttmpool_manager module_manager;
static unsigned int module_users;

/*
 * Protects the limits, too: a parameter is set before the manager exists, when the
 * module is loaded, and at any time later through sysfs.
 */
static DEFINE_MUTEX(module_lock);
static unsigned long page_pool_size;
static unsigned long page_budget = TTMPOOL_NO_LIMIT;

struct ttmpool_manager *ttmpool_module_manager(void)
{
	return &module_manager;
}

const struct ttmpool_counters *ttmpool_module_counters(void)
{
	return &ttmpool_counters;
}

unsigned long ttmpool_module_pool_limit(void)
{
	return READ_ONCE(page_pool_size);
}

static void apply_limit(const struct kernel_param *kp)
{
	if (kp->arg == &page_pool_size)
		ttmpool_manager_set_pool_limit(&module_manager, page_pool_size);
	else
		ttmpool_manager_set_page_budget(&module_manager, page_budget);
}

static int set_limit(const char *val, const struct kernel_param *kp)
{
	int err;

	mutex_lock(&module_lock);
	err = param_set_ulong(val, kp);
	if (!err && module_users)
		apply_limit(kp);
	mutex_unlock(&module_lock);
	return err;
}

/* The same limit in another unit: with 128 GiB of memory, nobody counts pages. */
static int set_pool_mib(const char *val, const struct kernel_param *kp)
{
	unsigned long mib;
	int err = kstrtoul(val, 0, &mib);

	if (err)
		return err;
	if (mib > ULONG_MAX >> (20 - PAGE_SHIFT))
		return -ERANGE;
	mutex_lock(&module_lock);
	page_pool_size = mib << (20 - PAGE_SHIFT);
	if (module_users)
		apply_limit(kp);
	mutex_unlock(&module_lock);
	return 0;
}

static int get_pool_mib(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%lu\n", page_pool_size >> (20 - PAGE_SHIFT));
}

static const struct kernel_param_ops pool_mib_ops = { .set = set_pool_mib,
						      .get = get_pool_mib };
static const struct kernel_param_ops limit_ops = { .set = set_limit,
						   .get = param_get_ulong };

module_param_cb(page_pool_size, &limit_ops, &page_pool_size, 0644);
MODULE_PARM_DESC(page_pool_size,
		 "Pages that may lie pooled (default: half of memory)");
module_param_cb(page_pool_mib, &pool_mib_ops, &page_pool_size, 0644);
MODULE_PARM_DESC(page_pool_mib, "The same in MiB; what was set last counts");
module_param_cb(page_budget, &limit_ops, &page_budget, 0644);
MODULE_PARM_DESC(page_budget,
		 "Pages that pools may have in all (default: no limit)");

static int start_manager(void)
{
	struct ttmpool_manager_config config = { .system = &module_system };

	if (!page_pool_size)
		page_pool_size = totalram_pages() / 2;
	config.pool_limit = page_pool_size;
	config.page_budget = page_budget;
	return ttmpool_manager_init(&module_manager, &config);
}

/*
 * The shrinker may have had a quarantined page in its hands while the quarantine was purged.
 * So a manager that is busy is purged again when the shrinker is gone. The descriptors are
 * held meanwhile: they go after the pages. (There are some, so holding them cannot fail.)
 */
static void end_busy_manager(void)
{
	WARN_ON(ttmpool_descriptors_get());
	tpos_shrinker_unregister(&module_system, &module_manager.shrinker);
	ttmpool_manager_purge_quarantine(&module_manager);
	ttmpool_descriptors_put();
	if (tpos_atomic_read(&module_manager.pages) ||
	    !ttmpool_list_empty(&module_manager.pools))
		pr_err("ended with pools or unusable pages left\n");
}

static void end_manager(void)
{
	long left;

	ttmpool_manager_purge_quarantine(&module_manager);
	if (ttmpool_manager_fini(&module_manager))
		end_busy_manager();
	left = atomic_long_read(&ttmpool_counters.pages_out);
	if (left)
		pr_err("%ld pages are lost\n", left);
}

int ttmpool_module_get(void)
{
	int err = 0;

	mutex_lock(&module_lock);
	if (!module_users)
		err = start_manager();
	if (!err)
		module_users++;
	mutex_unlock(&module_lock);
	return err;
}

void ttmpool_module_put(void)
{
	mutex_lock(&module_lock);
	if (!--module_users)
		end_manager();
	mutex_unlock(&module_lock);
}
