// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a client does with buffers of one card. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"

enum {
	SLOTS = 24,
	PIECES = 512,
	PIECE = 512, /* pixels in either direction: 1 MiB */
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

/* New buffers are zero, whatever was in their pages before. */
int run_zero(struct card *card)
{
	struct buffer buf;
	int ret = 0;

	for (int i = 0; i < 8 && !ret; i++) {
		ret = buffer_make(card, &buf, 300, 200 + 50 * (i & 3));
		if (ret)
			return ret;
		words_check_zero(buf.words, buf.size);
		words_fill(buf.words, buf.size, 7);
		ret = buffer_destroy(card, &buf);
	}
	return ret;
}

struct slot {
	struct buffer buf;
	uint64_t seed;
};

/* Make a buffer; or check it and destroy it, fill it anew, or map it at another place. */
static int churn_step(struct card *card, struct slot *slot)
{
	uint32_t side = 16u << next_random() % 6;

	if (!slot->buf.handle) {
		int ret = buffer_make(card, &slot->buf, side, side);

		if (!ret)
			words_fill(slot->buf.words, slot->buf.size, slot->seed);
		return ret;
	}
	words_check(slot->buf.words, slot->buf.size, slot->seed);
	switch (next_random() % 3) {
	case 0:
		buffer_unmap(&slot->buf);
		return buffer_map(card, &slot->buf);
	case 1:
		slot->seed = next_random();
		words_fill(slot->buf.words, slot->buf.size, slot->seed);
		return 0;
	default:
		return buffer_destroy(card, &slot->buf);
	}
}

int run_churn(struct card *card, unsigned int steps)
{
	static struct slot slots[SLOTS];
	int ret = 0;

	for (unsigned int i = 0; i < steps && !ret; i++)
		ret = churn_step(card, &slots[next_random() % SLOTS]);
	for (unsigned int i = 0; i < SLOTS && !ret; i++) {
		if (!slots[i].buf.handle)
			continue;
		words_check(slots[i].buf.words, slots[i].buf.size,
			    slots[i].seed);
		ret = buffer_destroy(card, &slots[i].buf);
	}
	return ret;
}

/* If the first half of a mapping is unmapped, the second half still shows the same
 * bytes. */
int run_split(struct card *card)
{
	struct buffer buf;
	size_t half;
	void *again;
	int ret = buffer_make(card, &buf, 256, 256);

	if (ret)
		return ret;
	words_fill(buf.words, buf.size, 11);
	half = buf.size / 2;
	ret = buffer_map_at(card, &buf, &again);
	if (ret)
		return ret;
	munmap(again, half);
	if (memcmp((char *)again + half, (char *)buf.words + half, half))
		tally.wrong++;
	tally.bytes += half;
	munmap((char *)again + half, half);
	return buffer_destroy(card, &buf);
}

static sigjmp_buf recover;

static void on_sigbus(int signal)
{
	siglongjmp(recover, signal);
}

/* What is no buffer, or no mapping of one, is refused. */
int run_bounds(struct card *card)
{
	struct buffer buf;
	int ret = buffer_make(card, &buf, 64, 64);
	void *at;

	if (ret)
		return ret;
	at = mmap(NULL, buf.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, card->fd,
		  0x100000000);
	tally.wrong += at != MAP_FAILED;
	tally.wrong += buffer_create(card, &(struct buffer){ 0 }, 0, 64) == 0;
	tally.wrong += buffer_create(card, &(struct buffer){ 0 }, 0x40000000,
				     0x40000000) == 0;
	/* A mapping cannot grow beyond the end of its buffer. */
	at = mremap(buf.words, buf.size, 2 * buf.size, MREMAP_MAYMOVE);
	signal(SIGBUS, on_sigbus);
	if (at != MAP_FAILED && !sigsetjmp(recover, 1)) {
		*(volatile char *)((char *)at + buf.size) = 1;
		tally.wrong++;
	}
	signal(SIGBUS, SIG_DFL);
	tally.bytes += buf.size;
	if (at != MAP_FAILED)
		buf.words = NULL;
	return buffer_destroy(card, &buf);
}

static struct slot pieces[PIECES];

static int make_pieces(struct card *card, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int ret = buffer_make(card, &pieces[i].buf, PIECE, PIECE);

		if (ret)
			return ret;
		pieces[i].seed = next_random();
		words_fill(pieces[i].buf.words, pieces[i].buf.size,
			   pieces[i].seed);
	}
	return 0;
}

/* Fill the buffers; after another program has needed memory, check them, fill them anew,
 * and check again. */
int run_swap(struct card *card, unsigned int mib, bool mapped)
{
	unsigned int n = mib < PIECES ? mib : PIECES;
	int ret = make_pieces(card, n);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < n && !mapped; i++)
		buffer_unmap(&pieces[i].buf);
	printf("client: filled\n");
	fflush(stdout);
	getchar();
	for (unsigned int i = 0; i < n && !ret; i++) {
		if (!mapped)
			ret = buffer_map(card, &pieces[i].buf);
		if (ret)
			break;
		words_check(pieces[i].buf.words, pieces[i].buf.size,
			    pieces[i].seed);
		words_fill(pieces[i].buf.words, pieces[i].buf.size,
			   ~pieces[i].seed);
		words_check(pieces[i].buf.words, pieces[i].buf.size,
			    ~pieces[i].seed);
		ret = buffer_destroy(card, &pieces[i].buf);
	}
	return ret;
}

/* How many bytes of this client are in memory, according to the kernel. */
static unsigned long resident(const struct card *card)
{
	char path[64], line[128], unit[8];
	unsigned long n, most = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", card->fd);
	file = fopen(path, "r");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		unit[0] = '\0';
		if (sscanf(line, "drm-resident-%*[a-z]: %lu %7s", &n, unit) < 1)
			continue;
		most += n << (unit[0] == 'M' ? 20 : unit[0] == 'K' ? 10 : 0);
	}
	fclose(file);
	return most;
}

/* The kernel counts buffers that are in memory, and no others. */
int run_fdinfo(struct card *card)
{
	struct buffer buf;
	int ret = buffer_create(card, &buf, PIECE, PIECE);

	if (ret)
		return ret;
	tally.wrong += resident(card) != 0;
	ret = buffer_map(card, &buf);
	if (ret)
		return ret;
	words_fill(buf.words, buf.size, 3);
	tally.wrong += resident(card) != buf.size;
	words_check(buf.words, buf.size, 3);
	return buffer_destroy(card, &buf);
}
