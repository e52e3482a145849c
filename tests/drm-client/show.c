// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is on the screen: modes, and a picture with a cursor. */
#include <errno.h>
#include <stdio.h>

#include "client.h"

static void draw(struct buffer *buf, uint32_t shade)
{
	for (uint32_t y = 0; y < buf->height; y++) {
		uint32_t *line = (uint32_t *)((char *)buf->words +
					      (size_t)y * buf->pitch);

		for (uint32_t x = 0; x < buf->width; x++)
			line[x] = (x * 3 ^ y * 5) * 0x10305 + shade;
	}
}

/* Each mode has a buffer of its own; the last buffer is destroyed when it is no longer
 * shown. */
int run_modes(struct card *card, unsigned int times)
{
	struct buffer buf = { 0 }, last = { 0 };
	int ret = screen_find(card);

	for (unsigned int i = 0; i < times && !ret; i++) {
		unsigned int mode = i * 5 % card->modes;

		last = buf;
		ret = buffer_make(card, &buf, screen_width(card, mode),
				  screen_height(card, mode));
		if (ret)
			break;
		words_fill(buf.words, buf.size, i);
		ret = screen_add(card, &buf);
		if (!ret)
			ret = screen_show(card, &buf, mode);
		for (unsigned int j = 0; j < 4 && !ret; j++)
			ret = screen_dirty(card, &buf, 16 * j, 16 * j, 16);
		words_check(buf.words, buf.size, i);
		if (!ret && last.handle)
			ret = buffer_destroy(card, &last);
	}
	return ret ? ret : buffer_destroy(card, &buf);
}

static int draw_cursor(struct card *card, struct buffer *cursor)
{
	int ret = buffer_make(card, cursor, 64, 64);

	if (ret)
		return ret;
	for (uint32_t i = 0; i < 64 * 64; i++) {
		uint32_t alpha = i % 64 * 4, colour = alpha / 2;

		((uint32_t *)cursor->words)[i] = alpha << 24 | colour << 16 |
						 colour << 8 | alpha;
	}
	return 0;
}

/* Show a picture with a cursor that has moved, and a corner that was drawn later, until a
 * line comes from stdin. */
int run_picture(struct card *card)
{
	struct buffer buf, cursor;
	int ret = screen_find(card);

	if (!ret)
		ret = buffer_make(card, &buf, screen_width(card, 0),
				  screen_height(card, 0));
	if (ret)
		return ret;
	draw(&buf, 0);
	ret = screen_add(card, &buf);
	if (!ret)
		ret = screen_show(card, &buf, 0);
	if (!ret)
		ret = draw_cursor(card, &cursor);
	for (int i = 0; i < 8 && !ret; i++)
		ret = screen_cursor(card, &cursor, 90 * i - 20, 70 * i - 20);
	if (ret)
		return ret;
	draw(&buf, 0x808080);
	ret = screen_dirty(card, &buf, 500, 400, 300);
	if (ret)
		return ret;
	tally.bytes += buf.size;
	printf("client: the picture is shown\n");
	fflush(stdout);
	getchar();
	ret = buffer_destroy(card, &cursor);
	return ret ? ret : buffer_destroy(card, &buf);
}
