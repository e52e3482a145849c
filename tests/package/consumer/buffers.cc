// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A buffer with pages for a device, and a store to go to, as a C++ program has it. */

#include <ttmpool/ttmpool.h>
#include <tpsim.h>

#include <array>
#include <memory>

#if !TTMPOOL_VERSION_AT_LEAST(0, 1) || TTMPOOL_VERSION_AT_LEAST(1, 0)
#error "this is not the version that the package says"
#endif

namespace
{

struct End {
	void operator()(tpsim_machine *machine) const
	{
		tpsim_machine_destroy(machine);
	}
};

class Buffer
{
    public:
	explicit Buffer(ttmpool_pool *pool)
	{
		ttmpool_backend_config config{};

		config.pool = pool;
		config.pages = pages.data();
		config.dma_addr = addr.data();
		config.num_pages = pages.size();
		config.caching = TTMPOOL_WRITE_COMBINED;
		ready = !ttmpool_backend_init(&be, &config) &&
			!ttmpool_populate(&be);
	}

	bool moves()
	{
		return ready && addr.back() &&
		       !ttmpool_swapout(&be, TTMPOOL_ALL_PAGES) &&
		       !ttmpool_swapin(&be, TTMPOOL_ALL_PAGES) &&
		       !ttmpool_unpopulate(&be) && !ttmpool_backend_fini(&be);
	}

    private:
	std::array<tpos_page_t *, 600> pages;
	std::array<tpos_dma_addr_t, 600> addr;
	ttmpool_backend be;
	bool ready;
};

} // namespace

int main()
{
	tpsim_config some{};
	tpsim_device_config any{};
	std::unique_ptr<tpsim_machine, End> pc{ tpsim_machine_create(&some) };
	ttmpool_manager_config shared{};
	ttmpool_pool_config own{};
	ttmpool_manager mgr;
	ttmpool_pool pool;

	shared.system = pc.get();
	shared.page_budget = TTMPOOL_NO_LIMIT;
	shared.pool_limit = 8192;
	own.name = "gpu0";
	own.dev = tpsim_device_create(pc.get(), &any);
	if (ttmpool_manager_init(&mgr, &shared) ||
	    ttmpool_pool_init(&pool, &mgr, &own))
		return 1;
	if (!Buffer(&pool).moves())
		return 1;
	return ttmpool_pool_fini(&pool) || ttmpool_manager_fini(&mgr);
}
