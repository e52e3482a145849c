// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers that two devices share, and a device that goes while clients have its
 * buffers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

enum {
	WIDTH = 320,
	HEIGHT = 240,
};

/* What is written to one buffer can be read in the other: through its own mapping, and
 * through that of the dma-buf. */
static int see_each_other(struct buffer *a, struct buffer *b, int fd)
{
	void *at;
	int ret = fd_map(fd, a->size, &at);

	if (!ret)
		ret = fd_sync(fd, false);
	if (ret)
		return ret;
	words_fill(a->words, a->size, 21);
	words_check(b->words, a->size, 21);
	words_check(at, a->size, 21);
	words_fill(b->words, a->size, 22);
	words_check(a->words, a->size, 22);
	words_fill(at, a->size, 23);
	words_check(a->words, a->size, 23);
	words_check(b->words, a->size, 23);
	munmap(at, a->size);
	return fd_sync(fd, true);
}

/* An imported buffer cannot be mapped through the card that imported it, but can be
 * exported again. */
static int map_imported(struct card *card, struct buffer *buf)
{
	void *at;
	int fd, ret = buffer_export(card, buf, &fd);

	if (ret)
		return ret;
	ret = fd_map(fd, buf->size, &at);
	buf->words = ret ? NULL : at;
	close(fd);
	return ret;
}

/* A buffer of one card is used by another card, also after the first one has closed
 * it. */
static int share(struct card *from, struct card *to)
{
	struct buffer own, other;
	int fd, ret;

	ret = buffer_make(from, &own, WIDTH, HEIGHT);
	if (ret)
		return ret;
	ret = buffer_export(from, &own, &fd);
	if (ret)
		return ret;
	ret = buffer_import(to, &other, fd, &own);
	if (!ret)
		ret = map_imported(to, &other);
	if (!ret)
		ret = see_each_other(&own, &other, fd);
	if (ret)
		return ret;
	words_fill(own.words, own.size, 24);
	ret = buffer_destroy(from, &own);
	close(fd);
	words_check(other.words, other.size, 24);
	buffer_unmap(&other);
	ret = ret ? ret : map_imported(to, &other);
	if (ret)
		return ret;
	words_check(other.words, other.size, 24);
	return buffer_destroy(to, &other);
}

/* Show another device's buffer on the screen: the kernel maps it. */
static int show_imported(struct card *from, struct card *to)
{
	struct buffer own, other;
	int fd, ret = screen_find(to);

	if (!ret)
		ret = buffer_make(from, &own, screen_width(to, 0),
				  screen_height(to, 0));
	if (ret)
		return ret;
	words_fill(own.words, own.size, 25);
	ret = buffer_export(from, &own, &fd);
	if (!ret)
		ret = buffer_import(to, &other, fd, &own);
	if (!ret)
		ret = screen_add(to, &other);
	if (!ret)
		ret = screen_show(to, &other, 0);
	if (ret)
		return ret;
	close(fd);
	words_check(own.words, own.size, 25);
	ret = buffer_destroy(from, &own);
	return ret ? ret : buffer_destroy(to, &other);
}

int run_prime(struct card *card, const char *driver, int nth)
{
	struct card other;
	int ret = card_open(&other, driver, nth);

	if (ret)
		return ret;
	for (int i = 0; i < 3 && !ret; i++) {
		ret = share(card, &other);
		if (!ret)
			ret = share(&other, card);
	}
	if (!ret)
		ret = show_imported(&other, card);
	card_close(&other);
	return ret;
}

/* Imported by its own card, it is the same buffer: with one file it has the same handle,
 * and with another the same pages. */
int run_self(struct card *card, const char *driver)
{
	struct buffer own, same, second;
	struct card again;
	int fd, ret;

	ret = buffer_make(card, &own, WIDTH, HEIGHT);
	if (!ret)
		ret = buffer_export(card, &own, &fd);
	if (!ret)
		ret = buffer_import(card, &same, fd, &own);
	if (ret)
		return ret;
	tally.wrong += same.handle != own.handle;
	ret = card_open(&again, driver, 0);
	if (!ret)
		ret = buffer_import(&again, &second, fd, &own);
	if (!ret)
		ret = buffer_map(&again, &second);
	if (!ret)
		ret = see_each_other(&own, &second, fd);
	if (ret)
		return ret;
	words_fill(own.words, own.size, 31);
	close(fd);
	ret = buffer_destroy(card, &own);
	words_check(second.words, second.size, 31);
	card_close(&again);
	words_check(second.words, second.size, 31);
	buffer_unmap(&second);
	return ret;
}

/* A device goes while one of its buffers is mapped, one is shown, one is imported by
 * another device, and one is exported without an importer. Their contents stay. */
int run_unplug(struct card *card, const char *driver)
{
	struct buffer buf[3], other;
	struct card vgem;
	int fd[3], ret = card_open(&vgem, driver, 0);
	void *at;

	if (!ret)
		ret = screen_find(card);
	for (int i = 0; i < 3 && !ret; i++) {
		ret = buffer_make(card, &buf[i], screen_width(card, 0),
				  screen_height(card, 0));
		if (ret)
			break;
		words_fill(buf[i].words, buf[i].size, 41 + (uint64_t)i);
		ret = buffer_export(card, &buf[i], &fd[i]);
	}
	if (!ret)
		ret = screen_add(card, &buf[0]);
	if (!ret)
		ret = screen_show(card, &buf[0], 0);
	if (!ret)
		ret = buffer_import(&vgem, &other, fd[1], &buf[1]);
	if (!ret)
		ret = map_imported(&vgem, &other);
	if (ret)
		return ret;
	buffer_unmap(&buf[2]);
	printf("client: ready\n");
	fflush(stdout);
	getchar();
	words_check(buf[0].words, buf[0].size, 41);
	words_check(buf[1].words, buf[1].size, 42);
	words_check(other.words, other.size, 42);
	words_fill(other.words, other.size, 44);
	words_check(buf[1].words, buf[1].size, 44);
	ret = fd_map(fd[2], buf[2].size, &at);
	if (ret)
		return ret;
	words_check(at, buf[2].size, 43);
	card_close(card);
	words_check(buf[0].words, buf[0].size, 41);
	words_check(at, buf[2].size, 43);
	munmap(at, buf[2].size);
	for (int i = 0; i < 3; i++) {
		close(fd[i]);
		buffer_unmap(&buf[i]);
	}
	words_check(other.words, other.size, 44);
	ret = buffer_destroy(&vgem, &other);
	card_close(&vgem);
	return ret;
}
