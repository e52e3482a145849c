/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_OWNER_H
#define TTMPOOL_OWNER_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/**
 * enum ttmpool_account - what the pages of a buffer are counted as
 * @TTMPOOL_IN_USE: pages that it has, whatever they are at the moment
 * @TTMPOOL_MAPPED: of these, those that the device can reach
 * @TTMPOOL_BOUNCED: of these, those that it reaches through a bounce slot
 * @TTMPOOL_ANONYMOUS: of those in use, the ordinary ones
 * @TTMPOOL_SWAPPED: pages that it has not, since they are in its store
 * @TTMPOOL_ACCOUNT_COUNT: how many there are
 */
enum ttmpool_account {
	TTMPOOL_IN_USE,
	TTMPOOL_MAPPED,
	TTMPOOL_BOUNCED,
	TTMPOOL_ANONYMOUS,
	TTMPOOL_SWAPPED,
	TTMPOOL_ACCOUNT_COUNT,
};

/**
 * struct ttmpool_owner - accounts that the pages of buffers are charged to
 * @name: for reports
 * @pages: what it has now, by enum ttmpool_account
 *
 * A client, a process, a virtual machine: whoever the driver wants to tell
 * apart. Members are private.
 */
struct ttmpool_owner {
	const char *name;
	tpos_atomic_t pages[TTMPOOL_ACCOUNT_COUNT];
};

/**
 * ttmpool_owner_init() - open the accounts
 * @owner: uninitialised memory
 * @name: for reports; the string must outlive the owner, and, with
 *	policy.verify, the pools that it had pages of
 */
void ttmpool_owner_init(struct ttmpool_owner *owner, const char *name);

/**
 * ttmpool_owner_fini() - close the accounts
 * @owner: the owner
 *
 * Return: 0, or -EBUSY if pages are still charged to it, in use or swapped;
 * it is then still open.
 */
int TPOS_MUST_CHECK ttmpool_owner_fini(struct ttmpool_owner *owner);

/** ttmpool_owner_pages() - the pages on one of @owner's accounts now; 0 on one
 * that does not exist. */
unsigned long ttmpool_owner_pages(struct ttmpool_owner *owner,
				  enum ttmpool_account account);

TPOS_API_END

#endif
