// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Backends: what a driver embeds around a buffer.
 *
 * The buffer itself (struct ttmpool_tt) has pages and a state. Its backend has
 * what depends on the device: the pool, the DMA addresses, and the functions that
 * get pages for the buffer. So one manager serves buffers with coherent pages,
 * buffers with plain pages, and buffers of a driver's own kind side by side, and
 * no code above the backend has to know the kind. This is what was asked for in
 * 2011.
 *
 * Each function of the API here does three things: it checks whether the state
 * allows the operation, calls the backend's function, and sets the new state if that
 * succeeded. The backend's functions do the work and know nothing about states.
 */

#include "buffer_internal.h"

static int take_for_backend(struct ttmpool_backend *be,
			    enum ttmpool_source source)
{
	struct ttmpool_request req = { .source = source,
				       .caching = be->tt.caching,
				       .num_pages = be->tt.num_pages,
				       .owner = be->owner,
				       .wait_ms = be->wait_ms,
				       .killable = be->killable,
				       .ticket = backend_new_ticket(be) };
	int err = ttmpool_pool_take(be->pool, &req, be->tt.pages, be->dma_addr);

	if (!err)
		be->ticket = req.ticket;
	return err;
}

static int plain_populate(struct ttmpool_backend *be)
{
	return take_for_backend(be, TTMPOOL_PLAIN);
}

static int coherent_populate(struct ttmpool_backend *be)
{
	return take_for_backend(be, TTMPOOL_COHERENT);
}

static int stock_unpopulate(struct ttmpool_backend *be)
{
	return ttmpool_pool_give_ticket(be->pool, be->tt.pages,
					be->tt.num_pages, be->tt.caching,
					be->ticket);
}

const struct ttmpool_backend_funcs ttmpool_backend_plain = {
	.name = "plain",
	.movable = true,
	.source = TTMPOOL_PLAIN,
	.populate = plain_populate,
	.unpopulate = stock_unpopulate,
};

const struct ttmpool_backend_funcs ttmpool_backend_coherent = {
	.name = "coherent",
	.movable = true,
	.source = TTMPOOL_COHERENT,
	.populate = coherent_populate,
	.unpopulate = stock_unpopulate,
};

const struct ttmpool_backend_funcs *
ttmpool_backend_choose(const struct ttmpool_pool *pool)
{
	return pool->info.bounces ? &ttmpool_backend_coherent
				  : &ttmpool_backend_plain;
}

/* Zeroes both arrays, so that nothing in them could be mistaken for a page. */
static void backend_clear_arrays(struct ttmpool_backend *be)
{
	memset(be->tt.pages, 0, be->tt.num_pages * sizeof(*be->tt.pages));
	if (be->dma_addr)
		memset(be->dma_addr, 0,
		       be->tt.num_pages * sizeof(*be->dma_addr));
}

static bool funcs_are_complete(const struct ttmpool_backend_funcs *funcs)
{
	return funcs->populate && funcs->unpopulate &&
	       !funcs->bind == !funcs->unbind &&
	       !funcs->trylock == !funcs->unlock;
}

int ttmpool_backend_init(struct ttmpool_backend *be,
			 const struct ttmpool_backend_config *config)
{
	const struct ttmpool_backend_funcs *funcs = config->funcs;

	if (!config->pool || !config->pages || !config->num_pages ||
	    (unsigned int)config->caching >= TTMPOOL_CACHING_COUNT)
		return -EINVAL;
	if (config->num_pages > (size_t)LONG_MAX >>
	    config->pool->info.page_shift)
		return -E2BIG;
	if (!funcs)
		funcs = ttmpool_backend_choose(config->pool);
	if (!funcs_are_complete(funcs))
		return -EINVAL;
	*be = (struct ttmpool_backend){
		.tt = { .pages = config->pages,
			.num_pages = config->num_pages,
			.caching = config->caching,
			.state = TTMPOOL_TT_EMPTY },
		.funcs = funcs,
		.pool = config->pool,
		.owner = config->owner,
		.dma_addr = config->dma_addr,
		.wait_ms = config->wait_ms,
		.killable = config->killable,
		.ticket_flags = funcs->unpopulate == stock_unpopulate
					? TICKET_ISSUED
					: TICKET_ISSUED | TICKET_OPTIONAL,
	};
	ttmpool_list_init(&be->lru);
	backend_clear_arrays(be);
	return 0;
}

int ttmpool_backend_fini(struct ttmpool_backend *be)
{
	return be->tt.state == TTMPOOL_TT_EMPTY && !be->swappable ? 0 : -EBUSY;
}

int ttmpool_populate(struct ttmpool_backend *be)
{
	uint32_t ticket = be->ticket;
	int err;

	if (be->tt.state != TTMPOOL_TT_EMPTY)
		return -EINVAL;
	be->ticket = 0;
	err = be->funcs->populate(be);
	if (err) {
		be->ticket = ticket;
		return err;
	}
	tpos_assert(!be->pages_stored);
	tpos_assert(!be->store);
	ttmpool_backend_set_state(be, TTMPOOL_TT_POPULATED);
	return 0;
}

int ttmpool_unpopulate(struct ttmpool_backend *be)
{
	int err;

	if (be->tt.state != TTMPOOL_TT_POPULATED)
		return -EINVAL;
	tpos_assert(!be->pages_stored);
	tpos_assert(!be->store);
	err = be->funcs->unpopulate(be);
	if (err)
		return err;
	backend_clear_arrays(be);
	ttmpool_backend_set_state(be, TTMPOOL_TT_EMPTY);
	return 0;
}

int ttmpool_bind(struct ttmpool_backend *be)
{
	int err = 0;

	if (be->tt.state != TTMPOOL_TT_POPULATED)
		return -EINVAL;
	tpos_assert(!be->pages_stored);
	if (be->funcs->bind)
		err = be->funcs->bind(be);
	if (err)
		return err;
	ttmpool_backend_set_state(be, TTMPOOL_TT_BOUND);
	return 0;
}

int ttmpool_unbind(struct ttmpool_backend *be)
{
	if (be->tt.state != TTMPOOL_TT_BOUND)
		return -EINVAL;
	if (be->funcs->unbind)
		be->funcs->unbind(be);
	ttmpool_backend_set_state(be, TTMPOOL_TT_POPULATED);
	return 0;
}

int ttmpool_drop(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if (be->tt.state == TTMPOOL_TT_EMPTY ||
	    be->tt.state == TTMPOOL_TT_BOUND)
		return -EINVAL;
	err = ttmpool_backend_claim(be, &chunks);
	if (err)
		return err;
	if (!ttmpool_list_empty(&chunks))
		ttmpool_chunks_give(be->pool, &chunks,
				    ttmpool_chunks_count_pages(&chunks));
	ttmpool_account_swapped(be->pool, be->owner, -(long)be->pages_stored);
	be->pages_stored = 0;
	ttmpool_backend_close_store(be);
	tpos_assert(!be->store);
	backend_clear_arrays(be);
	ttmpool_backend_set_state(be, TTMPOOL_TT_EMPTY);
	return 0;
}
