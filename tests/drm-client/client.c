// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * client DRIVER SCENARIO [ARGS...]
 *
 * The program prints one line of counts, and exits with 0 only if every byte that it
 * checked was the one that it had written there. It is linked statically, so that it can
 * be the only program on a small machine.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static unsigned int number(const char *arg)
{
	return (unsigned int)strtoul(arg, NULL, 10);
}

static int run(struct card *card, const char *driver, int argc, char **argv)
{
	const char *name = argv[0];

	if (!strcmp(name, "zero"))
		return run_zero(card);
	if (!strcmp(name, "split"))
		return run_split(card);
	if (!strcmp(name, "bounds"))
		return run_bounds(card);
	if (!strcmp(name, "fdinfo"))
		return run_fdinfo(card);
	if (!strcmp(name, "self"))
		return run_self(card, driver);
	if (!strcmp(name, "picture"))
		return run_picture(card);
	if (argc < 2)
		return -EINVAL;
	if (!strcmp(name, "churn"))
		return run_churn(card, number(argv[1]));
	if (!strcmp(name, "swap"))
		return run_swap(card, number(argv[1]), argc < 3);
	if (!strcmp(name, "unplug"))
		return run_unplug(card, argv[1]);
	if (!strcmp(name, "prime"))
		return run_prime(card, argv[1], argc > 2);
	if (!strcmp(name, "modes"))
		return run_modes(card, number(argv[1]));
	if (!strcmp(name, "draw"))
		return run_race(card, false, number(argv[1]));
	if (!strcmp(name, "sets"))
		return run_race(card, true, number(argv[1]));
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct card card;
	int ret;

	if (argc < 3) {
		fprintf(stderr, "usage: client DRIVER SCENARIO [ARGS...]\n");
		return 2;
	}
	ret = card_open(&card, argv[1], 0);
	if (!ret)
		ret = run(&card, argv[1], argc - 2, argv + 2);
	card_close(&card);
	if (ret)
		printf("client: %s failed: %s\n", argv[2], strerror(-ret));
	printf("client: %s buffers=%lu bytes=%llu wrong=%llu\n", argv[2],
	       tally.buffers, (unsigned long long)tally.bytes,
	       (unsigned long long)tally.wrong);
	return ret || tally.wrong || !tally.bytes;
}
