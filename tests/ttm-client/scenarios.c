// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a client does with its buffers. Their seed and the place of each word determine
 * the words, so that a page that returns at another place, or from another buffer, is as
 * wrong as a lost one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"

enum {
	SLOTS = 96,
	LARGEST = 4 << 20,
	PIECE = 1 << 20, /* what evict and swap make */
	MOST_PIECES = 512,
};

static uint64_t random_state = 1;

/* Splitmix: the same numbers in every run. */
static uint64_t next_random(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t word_at(uint64_t seed, size_t i)
{
	return (seed ^ i) * 0x9e3779b97f4a7c15u + seed;
}

/* A buffer that can be shown is in the card from then on. */
static int show(struct card *card, const struct buffer *buf)
{
	return buf->framebuffer ? screen_show(card, buf) : 0;
}

static int fill(struct card *card, struct buffer *buf)
{
	buf->seed = next_random();
	for (size_t i = 0; i < buf->size / sizeof(uint64_t); i++)
		buf->words[i] = word_at(buf->seed, i);
	return show(card, buf);
}

static unsigned int wrong_bytes(uint64_t difference)
{
	unsigned int n = 0;

	for (; difference; difference >>= 8)
		n += (difference & 0xff) != 0;
	return n;
}

/* Check every byte, wherever the buffer is now. */
static int check(struct card *card, struct tally *tally,
		 const struct buffer *buf)
{
	for (size_t i = 0; i < buf->size / sizeof(uint64_t); i++) {
		uint64_t difference = buf->words[i] ^ word_at(buf->seed, i);

		if (difference)
			tally->wrong += wrong_bytes(difference);
	}
	tally->bytes += buf->size;
	return show(card, buf);
}

static int make(struct card *card, struct tally *tally, struct buffer *buf,
		size_t size, enum place place)
{
	int ret = buffer_create(card, buf, size, place);

	if (ret)
		return ret;
	tally->buffers++;
	return fill(card, buf);
}

/* From a page to LARGEST, each power of two as likely as the others. */
static size_t random_size(void)
{
	size_t limit = (size_t)4096 << next_random() % 11;
	size_t size = limit / 2 + next_random() % (limit / 2) + 1;

	return (size + 4095) & ~(size_t)4095;
}

static int destroy_all(struct card *card, struct tally *tally,
		       struct buffer *bufs, unsigned int count)
{
	int ret = 0;

	for (unsigned int i = 0; i < count && !ret; i++) {
		if (!bufs[i].words)
			continue;
		ret = check(card, tally, &bufs[i]);
		if (!ret)
			ret = buffer_destroy(card, &bufs[i]);
	}
	return ret;
}

/* One slot: make a buffer; or check it and destroy it or fill it anew. */
static int churn_step(struct card *card, struct tally *tally,
		      struct buffer *buf, size_t room)
{
	enum place place = next_random() % 4 ? IN_SYSTEM : IN_CARD;
	size_t size = random_size();
	int ret;

	if (!buf->words) {
		if (room < LARGEST)
			return 0;
		return make(card, tally, buf, size, place);
	}
	ret = check(card, tally, buf);
	if (ret)
		return ret;
	return size & 4096 ? fill(card, buf) : buffer_destroy(card, buf);
}

int run_churn(struct card *card, struct tally *tally, size_t bytes,
	      unsigned int steps)
{
	static struct buffer slots[SLOTS];
	size_t live = 0;
	int ret = 0;

	for (unsigned int i = 0; i < steps && !ret; i++) {
		struct buffer *buf = &slots[next_random() % SLOTS];

		live -= buf->size;
		ret = churn_step(card, tally, buf,
				 live < bytes ? bytes - live : 0);
		live += buf->size;
	}
	return ret ? ret : destroy_all(card, tally, slots, SLOTS);
}

static struct buffer pieces[MOST_PIECES];

/* Returns how many were made, or -errno. */
static int make_pieces(struct card *card, struct tally *tally, size_t bytes,
		       enum place place)
{
	int n = 0;
	int ret;

	for (size_t made = 0; made < bytes && n < MOST_PIECES; n++) {
		ret = make(card, tally, &pieces[n], PIECE, place);
		if (ret)
			return ret;
		made += pieces[n].size;
	}
	return n;
}

/* More than the card's memory: each buffer that is needed there evicts another one. */
int run_evict(struct card *card, struct tally *tally, size_t bytes)
{
	int n = make_pieces(card, tally, bytes, IN_CARD);
	int ret = 0;

	for (int i = 0; i < n && !ret; i++)
		ret = check(card, tally, &pieces[i]);
	for (int i = n - 1; i >= 0 && !ret; i--)
		ret = fill(card, &pieces[i]);
	if (n < 0 || ret)
		return n < 0 ? n : ret;
	return destroy_all(card, tally, pieces, (unsigned int)n);
}

/* Wait until a line comes from stdin. */
static int wait_for_line(const char *what)
{
	printf("client: %s\n", what);
	fflush(stdout);
	return getchar() == EOF ? -EPIPE : 0;
}

/* The buffers are idle for a while; then all of them are needed again. */
int run_swap(struct card *card, struct tally *tally, size_t bytes)
{
	int n = make_pieces(card, tally, bytes, IN_SYSTEM);
	int ret;

	if (n < 0)
		return n;
	ret = wait_for_line("the buffers are idle");
	for (int i = 0; i < n && !ret; i++)
		ret = check(card, tally, &pieces[i]);
	return ret ? ret : destroy_all(card, tally, pieces, (unsigned int)n);
}

static void draw(const struct card *card, const struct buffer *buf)
{
	for (uint32_t y = 0; y < card->screen.height; y++) {
		uint32_t *row = (uint32_t *)((char *)buf->words +
					     (size_t)y * buf->pitch);

		for (uint32_t x = 0; x < card->screen.width; x++)
			row[x] = (x & 0xff) << 16 | (y & 0xff) << 8 |
				 ((x ^ y) & 0xff);
	}
}

/* Show a picture until a line comes from stdin. */
int run_picture(struct card *card, struct tally *tally)
{
	struct buffer buf;
	int ret;

	card->driver = &dumb_driver;
	ret = screen_find(card);
	if (!ret)
		ret = buffer_create(card, &buf, 0, IN_CARD);
	if (ret)
		return ret;
	draw(card, &buf);
	ret = screen_show(card, &buf);
	if (!ret)
		ret = wait_for_line("the picture is shown");
	if (ret)
		return ret;
	tally->buffers++;
	tally->bytes += buf.size;
	return buffer_destroy(card, &buf);
}
