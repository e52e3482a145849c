// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whose bytes are in a page? Each page of a buffer is stamped, at both ends, with a word
 * that no other page has:
 *
 *     populate     both ends must be zero: no other user's bytes are left
 *                  both ends get the stamp of (buffer, index)
 *     unpopulate   both ends must still have it: no other user has the page
 *                  the device reads it, too, through its own address
 *
 * So a page that was not cleared, or only in part, is found when it is handed out, and a
 * page that two buffers had at once when the first of them gives it back. The CPU's
 * accesses use a mapping with the buffer's caching, and the machine counts an access that
 * does not match the page.
 */
#include <string.h>

#include "content.h"

#define WORD      sizeof(uint64_t)
#define LAST_WORD (RIG_PAGE_SIZE - WORD)
#define BATCH     64 /* pages that are checked together */

static uint64_t stamp_of(const struct buffer *buffer, size_t page)
{
	uint64_t stamp = (buffer->id + 1) * UINT64_C(0x9e3779b97f4a7c15);

	/* Odd, so that it is never zero. */
	return (stamp ^ (uint64_t)page << 1) | 1;
}

/** struct batch - both ends of some pages of a buffer */
struct batch {
	size_t first;
	size_t pages;
	uint64_t head[BATCH];
	uint64_t tail[BATCH];
};

static struct tpsim_access access_of(const struct buffer *buffer,
				     const struct batch *batch, size_t offset)
{
	return (struct tpsim_access){ .pages = buffer->pages + batch->first,
				      .num_pages = batch->pages,
				      .offset = offset,
				      .len = WORD,
				      .caching = buffer->be.tt.caching };
}

/* Read both ends of the pages from @first on. Returns how many pages were read before an
 * access was refused. */
static size_t read_ends(struct rig *rig, const struct buffer *buffer,
			struct batch *batch, size_t first)
{
	size_t left = buffer->num_pages - first;
	struct tpsim_access at;

	batch->first = first;
	batch->pages = left < BATCH ? left : BATCH;
	at = access_of(buffer, batch, 0);
	at.num_pages = tpsim_cpu_read_each(rig->machine, &at, batch->head);
	at.offset = LAST_WORD;
	return tpsim_cpu_read_each(rig->machine, &at, batch->tail);
}

/* Stamp both ends. Returns how many pages were stamped before an access was refused. */
static size_t stamp_ends(struct rig *rig, const struct buffer *buffer,
			 struct batch *batch)
{
	struct tpsim_access at = access_of(buffer, batch, 0);

	for (size_t i = 0; i < batch->pages; i++)
		batch->head[i] = stamp_of(buffer, batch->first + i);
	at.num_pages = tpsim_cpu_write_each(rig->machine, &at, batch->head);
	at.offset = LAST_WORD;
	return tpsim_cpu_write_each(rig->machine, &at, batch->head);
}

const char *content_write(struct rig *rig, struct buffer *buffer, size_t *page)
{
	struct batch batch;
	size_t done, i;

	for (*page = 0; *page < buffer->num_pages; *page += batch.pages) {
		done = read_ends(rig, buffer, &batch, *page);
		for (i = 0; i < done && !batch.head[i] && !batch.tail[i]; i++)
			;
		*page += i;
		if (i < done)
			return "is not zero when it is handed out";
		if (done < batch.pages)
			return "cannot be read with the caching that it has";
		*page = batch.first + stamp_ends(rig, buffer, &batch);
		if (*page < batch.first + batch.pages)
			return "cannot be written with the caching that it has";
		*page = batch.first;
	}
	return NULL;
}

/* Does the device see what the CPU wrote to this page? */
static const char *verify_by_device(struct buffer *buffer, size_t page)
{
	uint64_t word;

	if (tpsim_device_read(buffer->be.pool->dev, buffer->dma_addr[page],
			      &word, WORD))
		return "cannot be reached by the device";
	if (word != stamp_of(buffer, page))
		return "is another one for the device";
	return NULL;
}

/* The first of @done pages of the batch that lacks its stamp at one end. */
static size_t find_lost(const struct buffer *buffer, const struct batch *batch,
			size_t done)
{
	size_t i;

	for (i = 0; i < done; i++) {
		uint64_t stamp = stamp_of(buffer, batch->first + i);

		if (batch->head[i] != stamp || batch->tail[i] != stamp)
			break;
	}
	return i;
}

static const char *verify_by_cpu(struct rig *rig, struct buffer *buffer,
				 size_t *page)
{
	struct batch batch;
	size_t done, i;

	for (*page = 0; *page < buffer->num_pages; *page += batch.pages) {
		done = read_ends(rig, buffer, &batch, *page);
		i = find_lost(buffer, &batch, done);
		*page += i;
		if (i < done)
			return "has lost what was written to it";
		if (done < batch.pages)
			return "cannot be read with the caching that it has";
		*page = batch.first;
	}
	return NULL;
}

const char *content_verify(struct rig *rig, struct buffer *buffer, size_t *page)
{
	const char *wrong = verify_by_cpu(rig, buffer, page);

	if (wrong)
		return wrong;
	*page = 0;
	wrong = verify_by_device(buffer, *page);
	if (wrong || buffer->num_pages == 1)
		return wrong;
	*page = buffer->num_pages - 1;
	return verify_by_device(buffer, *page);
}
