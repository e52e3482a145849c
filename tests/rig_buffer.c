// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers on the pools of a rig. */

#include "rig_buffer.h"

/*
 * The lock of a buffer, as a driver would have one. Only one thread at a time uses the
 * buffer, so a flag is enough.
 */
static bool buffer_trylock(struct ttmpool_backend *be)
{
	struct buffer *buf = ttmpool_list_entry(be, struct buffer, be);
	bool got = !buf->locked;

	buf->locked = true;
	return got;
}

static void buffer_unlock(struct ttmpool_backend *be)
{
	ttmpool_list_entry(be, struct buffer, be)->locked = false;
}

static int buffer_populate(struct ttmpool_backend *be)
{
	return (be->funcs->source ? &ttmpool_backend_coherent
				  : &ttmpool_backend_plain)
		->populate(be);
}

static int buffer_unpopulate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.unpopulate(be);
}

const struct ttmpool_backend_funcs buffer_plain = {
	.name = "plain, swappable",
	.populate = buffer_populate,
	.unpopulate = buffer_unpopulate,
	.movable = true,
	.source = TTMPOOL_PLAIN,
	.trylock = buffer_trylock,
	.unlock = buffer_unlock,
};

const struct ttmpool_backend_funcs buffer_coherent = {
	.name = "coherent, swappable",
	.populate = buffer_populate,
	.unpopulate = buffer_unpopulate,
	.movable = true,
	.source = TTMPOOL_COHERENT,
	.trylock = buffer_trylock,
	.unlock = buffer_unlock,
};

struct buffer *buffer_open(struct check *t, struct rig *rig,
			   const struct buffer_config *config)
{
	size_t n = config->num_pages ? config->num_pages : 1;
	struct buffer *buf = check_zalloc(t, sizeof(*buf));
	struct ttmpool_backend_config be_config = {
		.pool = &rig->pool[config->pool],
		.funcs = config->funcs,
		.owner = config->owner,
		.num_pages = n,
		.caching = config->caching,
	};

	if (!buf)
		return NULL;
	buf->pages = check_zalloc(t, n * sizeof(*buf->pages));
	if (!config->unmapped)
		buf->dma_addr = check_zalloc(t, n * sizeof(*buf->dma_addr));
	be_config.pages = buf->pages;
	be_config.dma_addr = buf->dma_addr;
	if (!buf->pages || (!config->unmapped && !buf->dma_addr) ||
	    ttmpool_backend_init(&buf->be, &be_config))
		return NULL;
	return buf;
}

/* The pages of the buffer, with their addresses if it is mapped. */
static struct pages pages_of(const struct buffer *buf)
{
	bool mapped = buf->be.tt.state == TTMPOOL_TT_POPULATED ||
		      buf->be.tt.state == TTMPOOL_TT_BOUND;

	return (struct pages){
		.pool = buf->be.pool,
		.req = { .source = buf->be.funcs->source,
			 .caching = buf->be.tt.caching,
			 .num_pages = buf->be.tt.num_pages },
		.pages = buf->pages,
		.dma_addr = mapped ? buf->dma_addr : NULL,
	};
}

bool buffer_fill(struct check *t, struct buffer *buf, unsigned char byte)
{
	struct pages some = pages_of(buf);

	return pages_fill(t, &some, byte);
}

bool buffer_holds(struct check *t, struct buffer *buf, unsigned char byte)
{
	struct pages some = pages_of(buf);

	return pages_hold(t, &some, byte);
}

/* The caching by which the CPU accesses the buffer's pages now. */
static enum ttmpool_caching caching_now(const struct buffer *buf)
{
	return buf->be.tt.state == TTMPOOL_TT_ANONYMOUS ? TTMPOOL_CACHED
							: buf->be.tt.caching;
}

static unsigned char stamp_of(unsigned char seed, size_t i)
{
	return (unsigned char)(1 + (seed + 7 * i) % 251);
}

bool buffer_stamp(struct check *t, struct buffer *buf, unsigned char seed)
{
	struct pages some = pages_of(buf);

	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (!check_fill(t, buf->pages[i], caching_now(buf),
				stamp_of(seed, i)))
			return false;
	pages_sync(t, &some);
	return true;
}

/* The device reads the first and the last page only: a real device is slow. */
static bool device_sees_stamps(struct check *t, struct buffer *buf,
			       unsigned char seed)
{
	size_t last = buf->be.tt.num_pages - 1;
	tpos_device_t *dev = buf->be.pool->dev;

	return check_device_holds(t, dev, buf->dma_addr[0],
				  stamp_of(seed, 0)) &&
	       check_device_holds(t, dev, buf->dma_addr[last],
				  stamp_of(seed, last));
}

bool buffer_is_stamped(struct check *t, struct buffer *buf, unsigned char seed)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (!check_holds(t, buf->pages[i], caching_now(buf),
				 stamp_of(seed, i)))
			return false;
	return !buf->dma_addr || buf->be.tt.state != TTMPOOL_TT_POPULATED ||
	       device_sees_stamps(t, buf, seed);
}

struct buffer *buffer_ready(struct check *t, struct rig *rig,
			    const struct buffer_config *config,
			    unsigned char seed)
{
	struct buffer *buf = buffer_open(t, rig, config);

	if (!buf || ttmpool_populate(&buf->be) || !buffer_stamp(t, buf, seed))
		return NULL;
	return buf;
}

size_t buffer_pages(const struct buffer *buf)
{
	size_t n = 0;

	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		n += buf->pages[i] != NULL;
	return n;
}

bool buffer_is_of(struct check *t, struct buffer *buf,
		  enum ttmpool_caching caching)
{
	struct pages some = pages_of(buf);

	return pages_are_of(t, &some, caching);
}

int buffer_cycle(struct buffer *buf)
{
	int err = ttmpool_populate(&buf->be);

	return err ? err : ttmpool_unpopulate(&buf->be);
}
