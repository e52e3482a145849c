// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * client DRIVER churn MIB STEPS | evict MIB | swap MIB | picture
 *
 * An unmodified client of an unmodified driver. It prints one line of counts, and exits
 * with 0 only if every byte that it checked was the one that it had written there. It
 * uses only the kernel's ioctls, so that it can be linked statically and be the only
 * program on a small machine.
 */
#include <drm/drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

static int usage(void)
{
	fprintf(stderr, "usage: client qxl|bochs|radeon "
			"churn MIB STEPS | evict MIB | swap MIB | picture\n");
	return 2;
}

/* Open the first card, and check that its driver is the named one. */
static int card_open(struct card *card)
{
	char name[32] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};
	int ret;

	card->fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
	if (card->fd < 0)
		return -errno;
	ret = card_ioctl(card, DRM_IOCTL_VERSION, &version);
	if (ret)
		return ret;
	/* bochs calls itself bochs-drm. */
	if (strncmp(name, card->driver->name, strlen(card->driver->name)))
		return -ENODEV;
	return card->driver->shows ? screen_find(card) : 0;
}

static int run(struct card *card, struct tally *tally, int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) << 20 : 0;

	if (!strcmp(argv[0], "picture"))
		return run_picture(card, tally);
	if (!bytes)
		return -EINVAL;
	if (!strcmp(argv[0], "churn") && argc > 2)
		return run_churn(card, tally, bytes,
				 (unsigned int)strtoul(argv[2], NULL, 10));
	if (!strcmp(argv[0], "evict"))
		return run_evict(card, tally, bytes);
	if (!strcmp(argv[0], "swap"))
		return run_swap(card, tally, bytes);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct card card = { .fd = -1 };
	struct tally tally = { 0 };
	int ret;

	if (argc < 3)
		return usage();
	card.driver = driver_find(argv[1]);
	if (!card.driver)
		return usage();
	ret = card_open(&card);
	if (!ret)
		ret = run(&card, &tally, argc - 2, argv + 2);
	if (ret)
		printf("client: %s %s failed: %s\n", argv[1], argv[2],
		       strerror(-ret));
	printf("client: %s %s buffers=%lu bytes=%llu wrong=%llu\n", argv[1],
	       argv[2], tally.buffers, (unsigned long long)tally.bytes,
	       (unsigned long long)tally.wrong);
	return ret || tally.wrong || !tally.bytes;
}
