// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Stores: where the contents of buffers go.
 *
 * All stores of a machine are in one file, which has no name, and is made when
 * the first page comes; so a store that is never written costs next to nothing,
 * as with shmem_file_setup() in Linux. Its places are a page each, and those
 * that are free again are used first.
 *
 *     store A   [0] -> 2   [1] -> 0   [2] -> none
 *     store B   [0] -> 1
 *     file      | A1 | B0 | A0 |
 *
 * What is not said here is refused: reading a page that was never written, or
 * has been dropped, would be a hole of zeroes in shmem, and so the contents of
 * a buffer would be lost without a word.
 */

#include <stdlib.h>
#include <unistd.h>

#include "machine.h"
#include "span.h"

#define NO_PLACE SIZE_MAX

struct tpsim_store {
	struct tpsim_machine *machine;
	size_t pages;
	size_t places[];
};

/* Guarded. */
bool store_has_room(const struct tpsim_machine *machine)
{
	return !machine->config.store_pages ||
	       machine->out.store_pages < machine->config.store_pages;
}

void store_close_file(struct tpsim_machine *machine)
{
	if (machine->file)
		fclose(machine->file);
	free(machine->file_free);
}

/* A place in the file, or NO_PLACE. Guarded. */
static size_t place_take(struct tpsim_machine *machine)
{
	if (!machine->file)
		machine->file = tmpfile();
	if (!machine->file || !store_has_room(machine))
		return NO_PLACE;
	machine->out.store_pages++;
	if (machine->file_frees)
		return machine->file_free[--machine->file_frees];
	return machine->file_places++;
}

/* Guarded. There is room to note every place, so that this cannot fail. */
static void place_give(struct tpsim_machine *machine, size_t place)
{
	machine->file_free[machine->file_frees++] = place;
	machine->out.store_pages--;
}

/* Have room to note all places that there may be with another store. Guarded.
 */
static bool place_reserve(struct tpsim_machine *machine, size_t pages)
{
	size_t want = machine->store_pages + pages;
	size_t *more;

	if (want > machine->store_most) {
		more = realloc(machine->file_free, want * sizeof(*more));
		if (!more)
			return false;
		machine->file_free = more;
		machine->store_most = want;
	}
	machine->store_pages = want;
	return true;
}

int tpos_store_create(tpos_system_t *system, size_t pages, tpos_store_t **store)
{
	struct strike strike;
	struct tpsim_store *made = NULL;

	machine_enter(system, __func__);
	strike = fault_strike(system, TPSIM_CALL_STORE_CREATE, -ENOMEM);
	if (!strike.error && place_reserve(system, pages))
		made = malloc(sizeof(*made) + pages * sizeof(*made->places));
	if (made) {
		made->machine = system;
		made->pages = pages;
		for (size_t i = 0; i < pages; i++)
			made->places[i] = NO_PLACE;
		system->out.stores++;
		*store = made;
	} else if (!strike.error) {
		strike.error = -ENOMEM;
	}
	cost_spend(system, COST_ZALLOC, 1);
	machine_unlock(system);
	return strike.error;
}

static void drop_page(struct tpsim_store *store, size_t index)
{
	if (store->places[index] == NO_PLACE)
		return;
	place_give(store->machine, store->places[index]);
	store->places[index] = NO_PLACE;
}

static void check_range(const struct tpsim_store *store, size_t index,
			size_t pages, const char *call)
{
	if (index > store->pages || pages > store->pages - index)
		tpsim_complain("beyond the store", "%s: %zu pages from %zu",
			       call, pages, index);
}

void tpos_store_drop(tpos_store_t *store, size_t index, size_t pages)
{
	machine_enter(store->machine, __func__);
	check_range(store, index, pages, __func__);
	for (size_t i = 0; i < pages; i++)
		drop_page(store, index + i);
	machine_unlock(store->machine);
}

void tpos_store_destroy(tpos_store_t *store)
{
	machine_enter(store->machine, __func__);
	for (size_t i = 0; i < store->pages; i++)
		drop_page(store, i);
	store->machine->store_pages -= store->pages;
	store->machine->out.stores--;
	machine_unlock(store->machine);
	free(store);
}

/* Move @len bytes of a place to or from a page. Only its owner knows of both.
 */
static bool place_io(struct tpsim_machine *machine, size_t place, char *bytes,
		     size_t len, bool write)
{
	off_t at = (off_t)(place * machine->page_bytes);
	int fd = fileno(machine->file);
	ssize_t done = write ? pwrite(fd, bytes, len, at)
			     : pread(fd, bytes, len, at);

	return done == (ssize_t)len;
}

static int write_page(struct tpsim_store *store, size_t index,
		      const struct tpos_span *from, size_t i)
{
	struct tpsim_machine *machine = store->machine;
	struct strike strike;
	size_t place;
	char *bytes;

	machine_enter(machine, "tpos_store_write");
	bytes = span_read(machine, from, i, "tpos_store_write");
	strike = fault_strike(machine, TPSIM_CALL_STORE_WRITE, -ENOSPC);
	if (store->places[index] == NO_PLACE)
		store->places[index] = place_take(machine);
	place = store->places[index];
	machine->counters.store_writes++;
	cost_spend(machine, COST_STORE, 1);
	cost_spend(machine, COST_PAGE_COPY, 1);
	machine_unlock(machine);
	if (place == NO_PLACE)
		return -ENOSPC;
	if (strike.error) { /* a short write leaves what it has written */
		if (strike.after)
			place_io(machine, place, bytes, strike.after, true);
		return strike.error;
	}
	return place_io(machine, place, bytes, machine->page_bytes, true)
		       ? 0
		       : -EIO;
}

static int read_page(struct tpsim_store *store, size_t index,
		     const struct tpos_span *to, size_t i)
{
	struct tpsim_machine *machine = store->machine;
	struct strike strike;
	size_t place, len;
	char *bytes;

	machine_enter(machine, "tpos_store_read");
	bytes = span_write(machine, to, i, "tpos_store_read");
	strike = fault_strike(machine, TPSIM_CALL_STORE_READ, -EIO);
	place = store->places[index];
	if (place == NO_PLACE)
		tpsim_complain("read of what is not in the store", "page %zu",
			       index);
	machine->counters.store_reads++;
	cost_spend(machine, COST_STORE, 1);
	cost_spend(machine, COST_PAGE_COPY, 1);
	machine_unlock(machine);
	len = strike.error ? strike.after : machine->page_bytes;
	if (!place_io(machine, place, bytes, len, false))
		return -EIO;
	return strike.error;
}

int tpos_store_write(tpos_store_t *store, size_t index,
		     const struct tpos_span *from)
{
	int err = 0;

	check_range(store, index, from->pages, __func__);
	for (size_t i = 0; !err && i < from->pages; i++)
		err = write_page(store, index + i, from, i);
	return err;
}

int tpos_store_read(tpos_store_t *store, size_t index,
		    const struct tpos_span *to)
{
	int err = 0;

	check_range(store, index, to->pages, __func__);
	for (size_t i = 0; !err && i < to->pages; i++)
		err = read_page(store, index + i, to, i);
	if (!err)
		span_sync(store->machine, to);
	return err;
}
