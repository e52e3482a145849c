// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TTM has no trace events, so its functions are probed: the input is in the arguments and
 * in the structures to which they point, and the result in the return value.
 *
 *     ttm_pool_alloc(pool, tt, ctx)          alloc; restores if tt is swapped out
 *     ttm_pool_free(pool, tt)                free
 *     ttm_tt_swapout(bdev, tt, gfp)          swapout; calls ttm_pool_free()
 *     ttm_pool_backup(pool, tt, flags)       swapout and free, or free if it purges
 *     ttm_pool_restore_and_alloc(pool, tt,)  alloc, restores
 *     ttm_tt_fini(tt)                        forget
 *
 * ttm_tt_swapin() has no probe: the compiler may have inlined it into its only caller.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "layout.h"
#include "probes.h"

/* TTM_TT_FLAG_SWAPPED, and TTM_ALLOCATION_POOL_USE_DMA_ALLOC. */
#define FLAG_SWAPPED       1
#define FLAG_USE_DMA_ALLOC 256

/* How many calls of one function may be in progress at the same time. */
#define RETURNS_MAX 512

enum function {
	FUNCTION_ALLOC,
	FUNCTION_FREE,
	FUNCTION_SWAPOUT,
	FUNCTION_BACKUP,
	FUNCTION_RESTORE,
	FUNCTION_FINI,
	FUNCTION_COUNT,
};

/**
 * struct probed - a function that is probed
 * @event: the name of the event at its entry; that of its return has "_ret" added
 * @symbol: the function
 * @op: what it does
 * @tt: which argument is the struct ttm_tt
 * @pool: argument 1 is the struct ttm_pool
 * @counts: on success it returns the number of pages instead of 0
 * @optional: not all kernels have it
 */
static const struct probed {
	const char *event;
	const char *symbol;
	enum call_op op;
	int tt;
	bool pool;
	bool counts;
	bool optional;
} functions[FUNCTION_COUNT] = {
	[FUNCTION_ALLOC] = { .event = "ttm_alloc",
			     .symbol = "ttm_pool_alloc",
			     .op = CALL_ALLOC,
			     .tt = 2,
			     .pool = true },
	[FUNCTION_FREE] = { .event = "ttm_free",
			    .symbol = "ttm_pool_free",
			    .op = CALL_FREE,
			    .tt = 2,
			    .pool = true },
	[FUNCTION_SWAPOUT] = { .event = "ttm_swapout",
			       .symbol = "ttm_tt_swapout",
			       .op = CALL_SWAPOUT,
			       .tt = 2,
			       .counts = true },
	[FUNCTION_BACKUP] = { .event = "ttm_backup",
			      .symbol = "ttm_pool_backup",
			      .op = CALL_SWAPOUT,
			      .tt = 2,
			      .pool = true,
			      .counts = true,
			      .optional = true },
	[FUNCTION_RESTORE] = { .event = "ttm_restore",
			       .symbol = "ttm_pool_restore_and_alloc",
			       .op = CALL_ALLOC,
			       .tt = 2,
			       .pool = true,
			       .optional = true },
	[FUNCTION_FINI] = { .event = "ttm_fini",
			    .symbol = "ttm_tt_fini",
			    .op = CALL_FORGET,
			    .tt = 1 },
};

static bool has_symbol(const char *symbol)
{
	FILE *file = fopen("/proc/kallsyms", "r");
	char line[512];
	char name[256];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%*s %*s %255s", name) == 1 &&
			!strcmp(name, symbol);
	fclose(file);
	return found;
}

bool probes_possible(void)
{
	return has_symbol(functions[FUNCTION_ALLOC].symbol);
}

/* The arguments of an entry, for kprobe_events. */
static void write_arguments(const struct probed *f, const struct layout *at,
			    char *text, size_t size)
{
	int n = snprintf(text, size,
			 "tt=$arg%d:x64 pages=+%u($arg%d):u32 "
			 "flags=+%u($arg%d):u32 caching=+%u($arg%d):u32",
			 f->tt, at->tt_pages, f->tt, at->tt_flags, f->tt,
			 at->tt_caching, f->tt);

	if (f->pool)
		n += snprintf(
			text + n, size - (size_t)n,
			" pool=+%u($arg1):%s dev=+0(+%u(+%u($arg1))):string",
			at->pool_flags, at->pool_has_flags ? "u32" : "u8",
			at->dev_name, at->pool_dev);
	if (f == &functions[FUNCTION_BACKUP])
		snprintf(text + n, size - (size_t)n, " purge=+0($arg3):u32");
}

/*
 * One line of kprobe_events makes a probe. libtracefs has functions for this, but its
 * version 1.6 writes a line that the kernel refuses if RETURNS_MAX is given.
 */
static int attach(struct probes *probes, const struct probed *f, bool on_return,
		  const char *arguments)
{
	char *name = probes->events[probes->nr];
	char kind[8] = "p";
	char line[512];

	if (on_return)
		snprintf(kind, sizeof(kind), "r%d", RETURNS_MAX);
	snprintf(name, sizeof(probes->events[0]), "%s%s", f->event,
		 on_return ? "_ret" : "");
	snprintf(line, sizeof(line), "%s:%s/%s %s %s\n", kind, probes->group,
		 name, f->symbol, arguments);
	if (tracefs_instance_file_append(NULL, "kprobe_events", line) < 0) {
		int err = errno ? -errno : -EINVAL;
		char *reason = tracefs_error_last(NULL);

		fprintf(stderr, "ttmpool-record: cannot probe %s(): %s\n%s%s",
			f->symbol, strerror(-err), reason ? reason : "",
			reason ? "\n" : "");
		free(reason);
		return err;
	}
	probes->nr++;
	return 0;
}

static int attach_function(struct probes *probes, const struct probed *f,
			   const struct layout *layout)
{
	char arguments[320];
	int err;

	if (f->optional && !has_symbol(f->symbol))
		return 0;
	write_arguments(f, layout, arguments, sizeof(arguments));
	err = attach(probes, f, false, arguments);
	if (err || f->op == CALL_FORGET)
		return err;
	/* The kernel refuses to fetch the return value of a function that has none. */
	return attach(probes, f, true,
		      f->op == CALL_FREE ? "" : "ret=$retval:s64");
}

int probes_attach(struct probes *probes)
{
	struct layout layout;
	int err;
	int i;

	memset(probes, 0, sizeof(*probes));
	snprintf(probes->group, sizeof(probes->group), "ttmpool_record_%d",
		 (int)getpid());
	err = layout_read(&layout);
	if (!err)
		probes->pool_has_flags = layout.pool_has_flags;
	for (i = 0; i < FUNCTION_COUNT && !err; i++)
		err = attach_function(probes, &functions[i], &layout);
	if (err)
		probes_detach(probes);
	return err;
}

void probes_detach(struct probes *probes)
{
	char line[64];

	while (probes->nr) {
		snprintf(line, sizeof(line), "-:%s/%s\n", probes->group,
			 probes->events[--probes->nr]);
		tracefs_instance_file_append(NULL, "kprobe_events", line);
	}
	pending_fini(&probes->pending);
}

static int enter(struct probes *probes, int function, struct tep_event *event,
		 struct tep_record *record, struct call *call)
{
	const struct probed *f = &functions[function];
	uint64_t pool = field_number(event, record, "pool");

	call->op = f->op;
	call->key = field_number(event, record, "tt");
	call->pages = field_number(event, record, "pages");
	call->flags = (uint32_t)field_number(event, record, "flags");
	call->caching = (uint32_t)field_number(event, record, "caching");
	call->restores =
		function == FUNCTION_RESTORE ||
		(function == FUNCTION_ALLOC && call->flags & FLAG_SWAPPED);
	call->coherent = pool &
			 (probes->pool_has_flags ? FLAG_USE_DMA_ALLOC : 1);
	if (f->pool)
		field_device(event, record, call);
	call->frees = function == FUNCTION_BACKUP;
	if (field_number(event, record, "purge") & 1)
		call->op = CALL_FREE;
	if (call->op == CALL_FORGET)
		return 1;
	return pending_enter(&probes->pending, function, call);
}

static int leave(struct probes *probes, int function, struct tep_event *event,
		 struct tep_record *record, struct call *call)
{
	const struct probed *f = &functions[function];
	uint64_t now = call->t_ns;
	int cpu = call->cpu;
	uint64_t value = field_number(event, record, "ret");
	int64_t ret = function == FUNCTION_BACKUP ? (int64_t)value
						  : (int32_t)value;

	if (!pending_return(&probes->pending, function, call->pid, call))
		return 0;
	call->cpu = cpu;
	call->dur_ns = now - call->t_ns;
	if (f->op != CALL_FREE)
		call->failed = f->counts ? ret <= 0 : ret != 0;
	return 1;
}

int probes_decode(struct probes *probes, struct tep_event *event,
		  struct tep_record *record, struct call *call)
{
	int i;

	for (i = 0; i < FUNCTION_COUNT; i++) {
		size_t len = strlen(functions[i].event);

		if (strncmp(event->name, functions[i].event, len))
			continue;
		if (!event->name[len])
			return enter(probes, i, event, record, call);
		if (!strcmp(event->name + len, "_ret"))
			return leave(probes, i, event, record, call);
	}
	return 0;
}
