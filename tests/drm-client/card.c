// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Find a card by the name of its driver. */
#include <drm/drm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client.h"

enum {
	MOST_CARDS = 8
};

int card_ioctl(const struct card *card, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(card->fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : 0;
}

static bool card_is(struct card *card, const char *driver)
{
	char name[32] = "";
	struct drm_version version = { .name = name,
				       .name_len = sizeof(name) - 1 };

	return !card_ioctl(card, DRM_IOCTL_VERSION, &version) &&
	       !strcmp(name, driver);
}

/* The nth card of that driver, from 0. */
int card_open(struct card *card, const char *driver, int nth)
{
	char path[32];

	memset(card, 0, sizeof(*card));
	for (int i = 0; i < MOST_CARDS; i++) {
		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		card->fd = open(path, O_RDWR | O_CLOEXEC);
		if (card->fd < 0)
			continue;
		if (card_is(card, driver) && !nth--)
			return 0;
		close(card->fd);
	}
	card->fd = -1;
	return -ENODEV;
}

void card_close(struct card *card)
{
	if (card->fd >= 0)
		close(card->fd);
	card->fd = -1;
}
