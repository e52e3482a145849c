/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ANNOTATE_H
#define ANNOTATE_H

/*
 * Opening and closing memory to the CPU, for those tools that watch accesses:
 * Valgrind's memcheck, by client requests (a few instructions that do nothing
 * outside Valgrind), AddressSanitizer, by poisoning, and MemorySanitizer, to
 * which what is closed is uninitialised. Without any of them, and where their
 * headers are missing, nothing happens here. (What is cleared is initialised:
 * of clean pages that are closed, MemorySanitizer alone would not know.)
 *
 * An arena is a Valgrind memory pool, and a block that is open is a piece of
 * it: so a report of an access after give-back says where the block had been
 * handed out, and where it was closed. Blocks that are open when a program ends
 * are leaks to memcheck.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "clear.h"

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define ANNOTATE_VALGRIND 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define ANNOTATE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANNOTATE_ASAN 1
#endif
#endif

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define ANNOTATE_MSAN 1
#endif
#endif

#ifdef ANNOTATE_ASAN
#include <sanitizer/asan_interface.h>
#define ANNOTATE_NO_ASAN __attribute__((no_sanitize("address")))
#else
#define ANNOTATE_NO_ASAN
#endif

/*
 * ASan keeps one byte for eight, and closing an arena writes them all. A larger
 * one is therefore not closed at first: what is given back to it is.
 */
#define ANNOTATE_ASAN_MOST ((size_t)1 << 30)

/** annotate_arena_create() - all of @arena is closed from now on. */
static inline void annotate_arena_create(char *arena, size_t len)
{
	(void)arena;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	VALGRIND_CREATE_MEMPOOL(arena, 0, 0);
	(void)VALGRIND_MAKE_MEM_NOACCESS(arena, len);
#endif
#ifdef ANNOTATE_ASAN
	if (len <= ANNOTATE_ASAN_MOST)
		__asan_poison_memory_region(arena, len);
#endif
}

/** annotate_arena_destroy() - before its memory is unmapped. */
static inline void annotate_arena_destroy(char *arena, size_t len)
{
	(void)arena;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	VALGRIND_DESTROY_MEMPOOL(arena);
#endif
#ifdef ANNOTATE_ASAN
	__asan_unpoison_memory_region(arena, len);
#endif
}

/** annotate_open() - a block is somebody's; its bytes are defined. */
static inline void annotate_open(char *arena, char *block, size_t len)
{
	(void)arena;
	(void)block;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	VALGRIND_MEMPOOL_ALLOC(arena, block, len);
	(void)VALGRIND_MAKE_MEM_DEFINED(block, len);
#endif
#ifdef ANNOTATE_ASAN
	__asan_unpoison_memory_region(block, len);
#endif
#ifdef ANNOTATE_MSAN
	__msan_unpoison(block, len);
#endif
}

/** annotate_close() - a block that was opened is nobody's now. */
static inline void annotate_close(char *arena, char *block, size_t len)
{
	(void)arena;
	(void)block;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	VALGRIND_MEMPOOL_FREE(arena, block);
#endif
#ifdef ANNOTATE_ASAN
	__asan_poison_memory_region(block, len);
#endif
#ifdef ANNOTATE_MSAN
	__msan_allocated_memory(block, len);
#endif
}

/** annotate_split() - an open block is two of @len bytes from now on. */
static inline void annotate_split(char *arena, char *block, size_t len)
{
	(void)arena;
	(void)block;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	VALGRIND_MEMPOOL_CHANGE(arena, block, block, len);
	VALGRIND_MEMPOOL_ALLOC(arena, block + len, len);
	(void)VALGRIND_MAKE_MEM_DEFINED(block + len, len);
#endif
}

/** annotate_open_forever() - memory in an arena that is no block of it. */
static inline void annotate_open_forever(char *start, size_t len)
{
	(void)start;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	(void)VALGRIND_MAKE_MEM_DEFINED(start, len);
#endif
#ifdef ANNOTATE_ASAN
	__asan_unpoison_memory_region(start, len);
#endif
}

/** annotate_close_forever() - or until annotate_open_forever(). */
static inline void annotate_close_forever(char *start, size_t len)
{
	(void)start;
	(void)len;
#ifdef ANNOTATE_VALGRIND
	(void)VALGRIND_MAKE_MEM_NOACCESS(start, len);
#endif
#ifdef ANNOTATE_ASAN
	__asan_poison_memory_region(start, len);
#endif
}

/** annotate_is_closed() - 1 or 0; -1 if no tool is there that knows. */
static inline int annotate_is_closed(const char *block, size_t len)
{
#ifdef ANNOTATE_ASAN
	return __asan_region_is_poisoned((void *)(uintptr_t)block, len) != NULL;
#endif
#ifdef ANNOTATE_MSAN
	return __msan_test_shadow(block, len) >= 0;
#endif
#ifdef ANNOTATE_VALGRIND
	for (size_t i = 0; i < len; i++) {
		unsigned char bits;
		unsigned int known = VALGRIND_GET_VBITS(block + i, &bits, 1);

		if (known != 1) /* 3: not addressable; 0: not under memcheck */
			return known ? 1 : -1;
	}
	return 0;
#endif
	(void)block;
	(void)len;
	return -1;
}

/*
 * The machine's own hands: a device's DMA, and the clearing of pages that are
 * pooled, reach memory that is closed to everybody else.
 */
static inline void annotate_hands_in(void)
{
#ifdef ANNOTATE_VALGRIND
	VALGRIND_DISABLE_ERROR_REPORTING;
#endif
}

static inline void annotate_hands_out(void)
{
#ifdef ANNOTATE_VALGRIND
	VALGRIND_ENABLE_ERROR_REPORTING;
#endif
}

/** annotate_copy() - memcpy() between memory that may be closed. */
ANNOTATE_NO_ASAN static inline void annotate_copy(void *to, const void *from,
						  size_t len)
{
	annotate_hands_in();
#ifdef ANNOTATE_ASAN
	/* Volatile, or the compiler makes a call of memcpy() of it. */
	for (size_t i = 0; i < len; i++)
		((volatile char *)to)[i] = ((const volatile char *)from)[i];
#else
	memcpy(to, from, len);
#endif
#ifdef ANNOTATE_MSAN
	__msan_unpoison(to, len); /* a bounce slot may get what is closed */
#endif
	annotate_hands_out();
}

/* What is less than this stays in the cache when it was cleared: somebody reads or
 * writes it soon, or there would not be so little of it. */
#define ANNOTATE_PAST_CACHE ((size_t)2048)

/** annotate_zero() - tpsim_clear_bytes(to, len), where it may be closed. */
ANNOTATE_NO_ASAN static inline void annotate_zero(void *to, size_t len)
{
	annotate_hands_in();
#ifdef ANNOTATE_ASAN
	for (size_t i = 0; i < len; i++)
		((volatile char *)to)[i] = 0;
#else
	if (len < ANNOTATE_PAST_CACHE)
		memset(to, 0, len);
	else
		tpsim_clear_bytes(to, len);
#endif
	annotate_hands_out();
}

/** annotate_is_zero() - is it, where it may be closed? To MemorySanitizer what is closed
 * is uninitialised, and nobody can say. */
ANNOTATE_NO_ASAN static inline int annotate_is_zero(const void *from,
						    size_t len)
{
	uint64_t any = 0;

	annotate_hands_in();
#ifndef ANNOTATE_MSAN
	for (size_t i = 0; i < len / sizeof(any); i++)
		any |= ((const volatile uint64_t *)from)[i];
#endif
	(void)from;
	(void)len;
	annotate_hands_out();
	return !any;
}

#endif
