// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From calls to rows. The calls that were seen in a kernel need not form a trace: some
 * buffers have pages before the recording begins, calls fail, and events are lost when a
 * buffer of the kernel's overflows. A trace has none of this, so each buffer is followed
 * here:
 *
 *     not known --alloc--> live --free--> idle --alloc--> live ...
 *                                  `-- with a swapout: out, and an alloc restores it
 *
 * A call that does not fit the state of its buffer has no row.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"

#define FIRST_SLOTS 256 /* a power of two, as every size that follows */

/** struct known - a buffer that has had pages: an entry of a hash table */
struct known {
	uint64_t key; /* 0: the slot is free */
	uint64_t buf;
	uint64_t pages;
	uint32_t caching;
	bool live;
};

static const struct known nobody;

int recording_init(struct recording *recording, FILE *file)
{
	memset(recording, 0, sizeof(*recording));
	rows_init(&recording->rows, file);
	recording->next_buf = 1;
	recording->nr_slots = FIRST_SLOTS;
	recording->known = calloc(FIRST_SLOTS, sizeof(*recording->known));
	return recording->known ? 0 : -ENOMEM;
}

void recording_fini(struct recording *recording)
{
	rows_fini(&recording->rows);
	free(recording->known);
	free(recording->pids);
}

int recording_head(struct recording *recording, const char *format, ...)
{
	FILE *file = recording->rows.file;
	va_list args;
	int n;

	va_start(args, format);
	fputs("# ", file);
	n = vfprintf(file, format, args);
	va_end(args);
	if (n < 0 || fputc('\n', file) == EOF)
		return errno ? -errno : -EIO;
	recording->rows.bytes += (uint64_t)n + 3;
	return 0;
}

/* Addresses in the kernel are multiples of 8 and close to each other. */
static size_t home_slot(const struct recording *recording, uint64_t key)
{
	return (size_t)((key >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32) &
	       (recording->nr_slots - 1);
}

/* The slot of @key, or the free one where it would be. */
static struct known *find(const struct recording *recording, uint64_t key)
{
	size_t slot = home_slot(recording, key);

	while (recording->known[slot].key && recording->known[slot].key != key)
		slot = (slot + 1) & (recording->nr_slots - 1);
	return &recording->known[slot];
}

static int grow(struct recording *recording)
{
	struct recording larger = { .nr_slots = recording->nr_slots * 2 };
	size_t i;

	larger.known = calloc(larger.nr_slots, sizeof(*larger.known));
	if (!larger.known)
		return -ENOMEM;
	for (i = 0; i < recording->nr_slots; i++)
		if (recording->known[i].key)
			*find(&larger, recording->known[i].key) =
				recording->known[i];
	free(recording->known);
	recording->known = larger.known;
	recording->nr_slots = larger.nr_slots;
	return 0;
}

/* A buffer that had no pages before gets the next id. */
static int introduce(struct recording *recording, uint64_t key,
		     struct known **known)
{
	if (recording->nr_known >= recording->nr_slots / 2 && grow(recording))
		return -ENOMEM;
	*known = find(recording, key);
	if ((*known)->key)
		return 0;
	recording->nr_known++;
	**known = (struct known){ .key = key, .buf = recording->next_buf++ };
	return 0;
}

/* Close the gap that @known leaves: move back the entries after it, except those in their
 * home slots. */
static void forget(struct recording *recording, struct known *known)
{
	size_t mask = recording->nr_slots - 1;
	size_t gap = (size_t)(known - recording->known);
	size_t slot = gap;

	recording->nr_known--;
	while (recording->known[slot = (slot + 1) & mask].key) {
		size_t home = home_slot(recording, recording->known[slot].key);

		if (((slot - home) & mask) < ((slot - gap) & mask))
			continue;
		recording->known[gap] = recording->known[slot];
		gap = slot;
	}
	recording->known[gap] = nobody;
}

/* Threads are numbered in the order in which they appear. */
static int number_of(struct recording *recording, int pid, uint32_t *number)
{
	size_t i;

	for (i = 0; i < recording->nr_pids; i++)
		if (recording->pids[i] == pid)
			break;
	if (i == recording->nr_pids) {
		int *pids = realloc(recording->pids, (i + 1) * sizeof(*pids));

		if (!pids)
			return -ENOMEM;
		pids[i] = pid;
		recording->pids = pids;
		recording->nr_pids++;
	}
	*number = (uint32_t)i;
	return 0;
}

static int add_row(struct recording *recording, const struct call *call,
		   const char *op, const struct known *known)
{
	struct row row = { .t_ns = call->t_ns,
			   .op = op,
			   .buf = known->buf,
			   .pages = known->pages,
			   .dur_ns = call->dur_ns,
			   .cpu = (uint32_t)call->cpu,
			   .caching = known->caching,
			   .flags = call->flags };
	int err = number_of(recording, call->pid, &row.pid);

	return err ? err : rows_add(&recording->rows, &row);
}

static void count_live(struct recording *recording, struct known *known,
		       bool live)
{
	known->live = live;
	recording->counts.live += live ? 1 : UINT64_MAX;
	recording->counts.pages += live ? known->pages : -known->pages;
}

/* The first buffer tells what kind of pool it is, as in docs/traces.md. */
static int say_pool(struct recording *recording, const struct call *call)
{
	if (recording->began)
		return 0;
	recording->began = true;
	recording->coherent = call->coherent;
	return recording_head(recording, "ttm_pool: use_dma_alloc=%d device=%s",
			      call->coherent,
			      *call->device ? call->device : "none");
}

/* The contents came back after the pages were there: after the whole alloc. */
static int add_swapin(struct recording *recording, const struct call *call,
		      const struct known *known)
{
	struct call after = *call;

	after.t_ns += call->dur_ns;
	after.dur_ns = 0;
	recording->counts.swapins++;
	return add_row(recording, &after, "swapin", known);
}

static int add_alloc(struct recording *recording, const struct call *call)
{
	struct known *known;
	int err = say_pool(recording, call);

	if (!err)
		err = introduce(recording, call->key, &known);
	if (err)
		return err;
	/* A part of it returned to the rest. */
	if (known->live && call->restores)
		return 0;
	if (known->live) {
		/* Its free was not seen: this is another buffer. */
		recording->counts.odd++;
		count_live(recording, known, false);
		known->buf = recording->next_buf++;
	}
	known->pages = call->pages;
	known->caching = call->caching;
	count_live(recording, known, true);
	recording->counts.allocs++;
	err = add_row(recording, call, "alloc", known);
	if (!err && call->restores)
		err = add_swapin(recording, call, known);
	return err;
}

/* For a buffer that has no row yet, only an alloc is written. */
static struct known *find_known(struct recording *recording,
				const struct call *call)
{
	struct known *known = find(recording, call->key);

	if (known->key)
		return known;
	/* A call that names no device may be of one that is not wanted. */
	if (recording->device && !*call->device)
		recording->counts.others++;
	else
		recording->counts.older++;
	return NULL;
}

static int add_free(struct recording *recording, const struct call *call)
{
	struct known *known = find_known(recording, call);
	int err = 0;

	if (!known)
		return 0;
	if (known->live) {
		count_live(recording, known, false);
		recording->counts.frees++;
		err = add_row(recording, call, "free", known);
	} else {
		recording->counts.odd++;
	}
	if (call->last)
		forget(recording, known);
	return err;
}

/* If the swapout itself called the free, that has been seen by now. */
static int add_swapout(struct recording *recording, const struct call *call)
{
	struct known *known = find_known(recording, call);
	int err;

	if (!known || (call->frees && !known->live))
		return 0;
	recording->counts.swapouts++;
	err = add_row(recording, call, "swapout", known);
	return !err && call->frees ? add_free(recording, call) : err;
}

/* The buffer is destroyed with its contents in the store, or after its free. */
static int add_forget(struct recording *recording, const struct call *call)
{
	struct known *known = find(recording, call->key);

	if (!known->key)
		return 0;
	if (known->live) {
		recording->counts.odd++;
		count_live(recording, known, false);
	}
	forget(recording, known);
	return 0;
}

int recording_add(struct recording *recording, const struct call *call)
{
	if (recording->device && *call->device &&
	    strcmp(recording->device, call->device)) {
		recording->counts.others++;
		return 0;
	}
	if (call->failed) {
		recording->counts.failed++;
		return 0;
	}
	switch (call->op) {
	case CALL_ALLOC:
		return add_alloc(recording, call);
	case CALL_FREE:
		return add_free(recording, call);
	case CALL_SWAPOUT:
		return add_swapout(recording, call);
	default:
		return add_forget(recording, call);
	}
}
