/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_CALL_H
#define RECORD_CALL_H

#include <stdbool.h>
#include <stdint.h>

/** enum call_op - what was done with a buffer */
enum call_op {
	CALL_ALLOC,   /* it got its pages */
	CALL_FREE,    /* it gave them up */
	CALL_SWAPOUT, /* its contents went to the store */
	CALL_FORGET,  /* it is destroyed: another buffer may get its key */
	CALL_OP_COUNT,
};

/**
 * struct call - one call that succeeded, wherever it was seen
 * @op: what it did
 * @restores: CALL_ALLOC, and the contents came back from the store
 * @coherent: the pages are of the DMA API
 * @frees: CALL_SWAPOUT, and no CALL_FREE tells that the pages went
 * @last: CALL_FREE, and the next call with this key is about another buffer
 * @failed: it changed nothing
 * @key: names the buffer as long as it lives: an address in the kernel
 * @t_ns: when it was entered
 * @dur_ns: how long it took
 * @pages: the size of the buffer
 * @caching: 0 uncached, 1 write-combined, 2 cached
 * @flags: the driver's flags of the buffer
 * @cpu: where it ended
 * @pid: of the thread
 * @device: the name of the device, or "" if that is not known
 */
struct call {
	enum call_op op;
	bool restores;
	bool coherent;
	bool frees;
	bool last;
	bool failed;
	uint64_t key;
	uint64_t t_ns;
	uint64_t dur_ns;
	uint64_t pages;
	uint32_t caching;
	uint32_t flags;
	int cpu;
	int pid;
	char device[32];
};

#endif
