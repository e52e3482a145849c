// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whose bytes are in a page? Each page of a buffer is stamped, at both ends,
 * with a word that no other page has:
 *
 *	populate     both ends must be zero: nobody else's bytes
 *	             both ends get the stamp of (buffer, index)
 *	unpopulate   both ends must still have it: nobody else has the page
 *	             the device reads it, too, through its own address
 *
 * So a page that was not cleared, or cleared only in part, is found when it is
 * handed out, and a page that two buffers had at once when the first of them
 * gives it back. The accesses are made through a mapping of the buffer's own
 * caching, and the machine counts one that does not match the page.
 */
#include <string.h>

#include "content.h"

#define WORD      sizeof(uint64_t)
#define LAST_WORD (RIG_PAGE_SIZE - WORD)

static uint64_t stamp_of(const struct buffer *buffer, size_t page)
{
	uint64_t stamp = (buffer->id + 1) * UINT64_C(0x9e3779b97f4a7c15);

	/* Odd, so that it is never zero. */
	return (stamp ^ (uint64_t)page << 1) | 1;
}

/* Both ends of a page into @words; false if the access was refused. */
static bool read_ends(struct rig *rig, struct buffer *buffer, size_t page,
		      uint64_t words[2])
{
	tpos_page_t *at = buffer->pages[page];
	enum ttmpool_caching caching = buffer->be.tt.caching;

	return !tpsim_cpu_read(rig->machine, at, 0, &words[0], WORD, caching) &&
	       !tpsim_cpu_read(rig->machine, at, LAST_WORD, &words[1], WORD,
			       caching);
}

static bool write_ends(struct rig *rig, struct buffer *buffer, size_t page,
		       uint64_t word)
{
	tpos_page_t *at = buffer->pages[page];
	enum ttmpool_caching caching = buffer->be.tt.caching;

	return !tpsim_cpu_write(rig->machine, at, 0, &word, WORD, caching) &&
	       !tpsim_cpu_write(rig->machine, at, LAST_WORD, &word, WORD,
				caching);
}

const char *content_write(struct rig *rig, struct buffer *buffer, size_t *page)
{
	uint64_t words[2];
	size_t i;

	for (i = 0; i < buffer->num_pages; i++) {
		*page = i;
		if (!read_ends(rig, buffer, i, words))
			return "cannot be read with the caching that it has";
		if (words[0] || words[1])
			return "is not zero when it is handed out";
		if (!write_ends(rig, buffer, i, stamp_of(buffer, i)))
			return "cannot be written with the caching that it has";
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

const char *content_verify(struct rig *rig, struct buffer *buffer, size_t *page)
{
	const char *wrong = NULL;
	uint64_t words[2];
	size_t i;

	for (i = 0; i < buffer->num_pages; i++) {
		*page = i;
		if (!read_ends(rig, buffer, i, words))
			return "cannot be read with the caching that it has";
		if (words[0] != stamp_of(buffer, i) || words[1] != words[0])
			return "has lost what was written to it";
		if (i == 0 || i == buffer->num_pages - 1)
			wrong = verify_by_device(buffer, i);
		if (wrong)
			return wrong;
	}
	return NULL;
}
