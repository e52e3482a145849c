// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The file in which stores keep their contents. There is one for each machine, divided
 * into slots of a page, like a swap device (mm/swapfile.c, swap_map). So a store needs no
 * file and no descriptor of the host, and a million stores are cheap. The room in all
 * stores together is one number.
 *
 * It is a file, and not memory of the process, because swapped-out contents must be
 * somewhere else than in RAM. The file has no name, and ends with the process. A free slot
 * is used again before the file grows (last in, first out).
 */

#include <stdlib.h>
#include <unistd.h>

#include "machine.h"

#define FIRST_ROOM 64

int tpsim_swapfile_open(struct tpsim_machine *machine)
{
	if (machine->swap.file)
		return 0;
	machine->swap.file = tmpfile();
	return machine->swap.file ? 0 : -errno;
}

void tpsim_swapfile_close(struct tpsim_machine *machine)
{
	if (machine->swap.file)
		fclose(machine->swap.file);
	free(machine->swap.next);
}

bool tpsim_swapfile_has_room(const struct tpsim_machine *machine)
{
	size_t most = machine->config.store_pages;

	return !most || machine->out.store_pages < most;
}

/* Makes room for one slot more than were ever used. */
static int swapfile_grow(struct swapfile *swap)
{
	size_t room = swap->room ? 2 * swap->room : FIRST_ROOM;
	uint32_t *next;

	if (swap->top < swap->room)
		return 0;
	if (room >= UINT32_MAX)
		return -ENOSPC;
	next = realloc(swap->next, room * sizeof(*next));
	if (!next)
		return -ENOMEM;
	swap->next = next;
	swap->room = room;
	return 0;
}

int tpsim_slot_get(struct tpsim_machine *machine, uint32_t *slot)
{
	struct swapfile *swap = &machine->swap;
	int err;

	if (!tpsim_swapfile_has_room(machine))
		return -ENOSPC;
	if (swap->free) {
		*slot = swap->free - 1;
		swap->free = swap->next[*slot];
	} else {
		err = swapfile_grow(swap);
		if (err)
			return err;
		*slot = swap->top++;
	}
	machine->out.store_pages++;
	return 0;
}

void tpsim_slot_put(struct tpsim_machine *machine, uint32_t slot)
{
	struct swapfile *swap = &machine->swap;

	swap->next[slot] = swap->free;
	swap->free = slot + 1;
	machine->out.store_pages--;
}

static off_t slot_offset(const struct tpsim_machine *machine, uint32_t slot)
{
	return (off_t)slot * (off_t)machine->page_bytes;
}

/* Translates the host's error to one of the contract. */
static int host_error(void)
{
	return errno == ENOSPC || errno == EFBIG ? -ENOSPC : -EIO;
}

int tpsim_slot_write(struct tpsim_machine *machine, uint32_t slot,
		     const char *bytes)
{
	off_t offset = slot_offset(machine, slot);
	size_t done = 0;

	while (done < machine->page_bytes) {
		ssize_t n = pwrite(fileno(machine->swap.file), bytes + done,
				   machine->page_bytes - done,
				   offset + (off_t)done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			return host_error();
	}
	return 0;
}

int tpsim_slot_read(struct tpsim_machine *machine, uint32_t slot, char *bytes)
{
	off_t offset = slot_offset(machine, slot);
	size_t done = 0;

	while (done < machine->page_bytes) {
		ssize_t n = pread(fileno(machine->swap.file), bytes + done,
				  machine->page_bytes - done,
				  offset + (off_t)done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			return -EIO;
	}
	return 0;
}
