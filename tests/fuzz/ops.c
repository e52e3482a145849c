// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The operation stream, fuzzed: bytes choose the model's steps. The first byte chooses
 * the world; then each step has eight bytes.
 *
 *     0  which step           4  which call fails, if below 32
 *     1  with which buffer    5  which of these calls, and how many
 *     2  first argument       6  after how many chunks
 *     3  second argument      7  where a signal comes, if below 16; who helps
 *
 * All checks of the model are made; the first one that fails ends the program.
 */

#include <stdio.h>
#include <stdlib.h>

#include "world.h"

#define STEP_BYTES 8
#define MOST_STEPS 128

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void decode(const uint8_t *b, struct step *step)
{
	*step = (struct step){
		.which = b[0] % NR_STEPS,
		.buffer = b[1] % NR_BUFFERS,
		.pages = 1 + b[2] % 5,
		.r = (uint64_t)b[2] << 32 | (uint64_t)b[3] << 40 |
		     (uint64_t)b[6] << 48 | (uint64_t)b[1] << 56 | b[3],
		.fails = b[4] < 32,
		.fault = { .call = (enum tpsim_call)(b[4] % TPSIM_CALL_COUNT),
			   .nth = 1 + b[5] % 16,
			   .times = 1 + b[5] / 16 % 4,
			   .after = b[6] % 4 },
		.signal = b[7] < 16 ? 1 + b[7] : 0,
		.others = b[7] & 1,
	};
	if (step->signal)
		step->fails = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct world w;
	struct step step;

	if (size < 1 + STEP_BYTES || size > 1 + STEP_BYTES * MOST_STEPS)
		return 0;
	world_open(&w, bytes[0], 0);
	for (size_t at = 1; at + STEP_BYTES <= size && !w.wrong;
	     at += STEP_BYTES) {
		decode(bytes + at, &step);
		play_step(&w, &step);
	}
	if (!w.wrong)
		check_all(&w);
	if (w.wrong) {
		fprintf(stderr, "wrong: %s\n", w.wrong);
		abort();
	}
	world_close(&w);
	return 0;
}
