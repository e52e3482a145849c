/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef _LINUX_FAULT_INJECT_H /* instead of the kernel's */
#define _LINUX_FAULT_INJECT_H

/*
 * For a ttm.ko that is compiled with this header first (tools/ttm/build.sh): TTM's own
 * points of failure, which Debian's kernels are built without. Each of them has a module
 * parameter of its name: with N, every Nth time that it is reached it fails; with 0,
 * never.
 *
 * Headers whose structures depend on the kernel's configuration are included before this
 * one makes that configuration look different.
 */

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/sched.h>

#define CONFIG_FAULT_INJECTION 1

struct fault_attr {
	unsigned long interval;
	atomic_long_t reached;
};

#define DECLARE_FAULT_ATTR(name) \
	struct fault_attr name;  \
	module_param_named(name, name.interval, ulong, 0644)

static inline bool should_fail(struct fault_attr *attr, ssize_t size)
{
	unsigned long interval = READ_ONCE(attr->interval);

	return interval &&
	       !(atomic_long_inc_return(&attr->reached) % (long)interval);
}

static inline struct dentry *fault_create_debugfs_attr(const char *name,
						       struct dentry *parent,
						       struct fault_attr *attr)
{
	debugfs_create_ulong(name, 0600, parent, &attr->interval);
	return NULL;
}

#endif
