/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_OWNER_H
#define TTMPOOL_OWNER_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/**
 * enum ttmpool_account - the accounts of an owner
 * @TTMPOOL_IN_USE: pages that the owner's buffers have, whatever the state of these pages
 *	is
 * @TTMPOOL_MAPPED: of these, the pages that the device can reach
 * @TTMPOOL_BOUNCED: of these, the pages that the device reaches through a bounce slot
 * @TTMPOOL_ANONYMOUS: of the pages in use, the ordinary ones
 * @TTMPOOL_SWAPPED: pages whose contents are in stores
 * @TTMPOOL_ACCOUNT_COUNT: the number of accounts
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
 * struct ttmpool_owner - the accounts that the pages of a client's buffers are charged to
 * @name: the name of the owner in reports
 * @pages: the number of pages on each account now, by enum ttmpool_account
 *
 * An owner can be anything that the driver wants to tell apart: a client, a process, a
 * virtual machine. All members are private.
 */
struct ttmpool_owner {
	const char *name;
	tpos_atomic_t pages[TTMPOOL_ACCOUNT_COUNT];
};

/**
 * ttmpool_owner_init() - initialise an owner
 * @owner: uninitialised memory
 * @name: the name of the owner in reports; the string must outlive the owner and, with
 *	policy.verify, the pools that the owner had pages of
 */
void ttmpool_owner_init(struct ttmpool_owner *owner, const char *name);

/**
 * ttmpool_owner_fini() - end an owner
 * @owner: the owner
 *
 * Return: 0, or -EBUSY if pages are still charged to the owner, in use or swapped; then the
 * owner is unchanged.
 */
int TPOS_MUST_CHECK ttmpool_owner_fini(struct ttmpool_owner *owner);

/** ttmpool_owner_pages() - return the number of pages on one account of @owner now; 0 for
 * an account that does not exist. */
unsigned long ttmpool_owner_pages(struct ttmpool_owner *owner,
				  enum ttmpool_account account);

TPOS_API_END

#endif
