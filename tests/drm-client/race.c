// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Work that is the same for each allocator, and what it costs: the time until the client
 * can go on, and its faults. The emulated machine's clock counts instructions, so a
 * nanosecond is one. Checking what was drawn is not part of the time.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "client.h"

enum {
	LINE = 64 / sizeof(uint64_t), /* words in a line of the CPU's cache */
	DIRTY = 4, /* parts of a picture that are drawn after it is shown */
};

static uint64_t spent;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static long faults(void)
{
	struct rusage usage = { 0 };

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* One word in each line of the cache, so that the client's own work is a small part. */
static void lines_draw(struct buffer *buf, uint64_t seed)
{
	for (size_t i = 0; i < buf->size / sizeof(*buf->words); i += LINE)
		buf->words[i] = seed + i;
}

static void lines_check(const struct buffer *buf, uint64_t seed)
{
	for (size_t i = 0; i < buf->size / sizeof(*buf->words); i += LINE) {
		tally.wrong += buf->words[i] != seed + i;
		tally.bytes += sizeof(*buf->words);
	}
}

static int make_and_draw(struct card *card, struct buffer *buf, uint32_t width,
			 uint32_t height, uint64_t seed)
{
	int ret = buffer_make(card, buf, width, height);

	if (!ret)
		lines_draw(buf, seed);
	return ret;
}

static int destroy(struct card *card, struct buffer *buf)
{
	uint64_t start = now();
	int ret = buf->handle ? buffer_destroy(card, buf) : 0;

	spent += now() - start;
	return ret;
}

/* Buffers of 1920x1080, one after the other: made, mapped, drawn to and destroyed. */
static int draw_buffers(struct card *card, unsigned int times)
{
	int ret = 0;

	for (unsigned int i = 0; i < times && !ret; i++) {
		struct buffer buf;
		uint64_t start = now();

		ret = make_and_draw(card, &buf, 1920, 1080, i);
		spent += now() - start;
		if (ret)
			return ret;
		lines_check(&buf, i);
		ret = destroy(card, &buf);
	}
	return ret;
}

static int mode_of_size(const struct card *card, unsigned int width,
			unsigned int height, unsigned int *mode)
{
	for (*mode = 0; *mode < card->modes; (*mode)++)
		if (screen_width(card, *mode) == width &&
		    screen_height(card, *mode) == height)
			return 0;
	return -ENODEV;
}

/* A new picture in a mode, parts of which are drawn anew, as clients do it. */
static int set_mode(struct card *card, struct buffer *buf, unsigned int mode,
		    uint64_t seed)
{
	uint64_t start = now();
	int ret = make_and_draw(card, buf, screen_width(card, mode),
				screen_height(card, mode), seed);

	if (!ret)
		ret = screen_add(card, buf);
	if (!ret)
		ret = screen_show(card, buf, mode);
	for (unsigned int i = 0; i < DIRTY && !ret; i++)
		ret = screen_dirty(card, buf, 16 * i, 16 * i, 16);
	spent += now() - start;
	if (!ret)
		lines_check(buf, seed);
	return ret;
}

/* 800x600 and 1024x768 in turn, each with a picture of its own. */
static int set_modes(struct card *card, unsigned int times)
{
	struct buffer buf = { 0 }, last;
	unsigned int modes[2];
	int ret = screen_find(card);

	if (!ret)
		ret = mode_of_size(card, 800, 600, &modes[0]);
	if (!ret)
		ret = mode_of_size(card, 1024, 768, &modes[1]);
	for (unsigned int i = 0; i < times && !ret; i++) {
		last = buf;
		ret = set_mode(card, &buf, modes[i % 2], i);
		if (!ret)
			ret = destroy(card, &last);
	}
	return ret ? ret : destroy(card, &buf);
}

int run_race(struct card *card, bool modes, unsigned int times)
{
	long before = faults();
	int ret = modes ? set_modes(card, times) : draw_buffers(card, times);

	printf("spent: faults %ld instructions %llu buffers %lu\n",
	       faults() - before, (unsigned long long)spent, tally.buffers);
	return ret;
}
