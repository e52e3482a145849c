/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ANNOTATE_H
#define ANNOTATE_H

/*
 * Opens and closes memory to the CPU, for the tools that watch accesses: Valgrind's
 * memcheck, by client requests (a few instructions that do nothing outside Valgrind);
 * AddressSanitizer, by poisoning; and MemorySanitizer, which treats closed memory as
 * uninitialised. Without any of these tools, or if their headers are missing, nothing
 * happens here. (Clearing makes memory initialised, so MemorySanitizer alone would not
 * notice an access to closed pages that are clean.)
 *
 * An arena is a Valgrind memory pool, and an open block is a piece of it. So a report of
 * an access after give-back says where the block was handed out, and where it was closed.
 * Memcheck reports blocks that are open when a program ends as leaks.
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
 * ASan keeps one shadow byte for eight bytes, and closing an arena writes all of them. So a
 * larger arena is not closed at first; only the blocks that are given back to it are.
 */
#define ANNOTATE_ASAN_MOST ((size_t)1 << 30)

/** annotate_arena_create() - closes all of @arena. */
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

/** annotate_arena_destroy() - must be called before the arena is unmapped. */
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

/** annotate_open() - a block is handed out; its bytes are defined. */
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

/** annotate_close() - a block that was opened is given back. */
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

/** annotate_split() - splits an open block into two of @len bytes. */
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

/** annotate_open_forever() - opens memory of an arena that is no block. */
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

/** annotate_close_forever() - until annotate_open_forever(), if that comes. */
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

/** annotate_is_closed() - returns 1 or 0, or -1 if no tool can tell. */
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
 * Accesses by the machine itself: a device's DMA, and the clearing of pooled pages, reach
 * memory that is closed to everybody else.
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
	/*
	 * Volatile, because the compiler would otherwise turn the loop into a call
	 * of memcpy().
	 */
	for (size_t i = 0; i < len; i++)
		((volatile char *)to)[i] = ((const volatile char *)from)[i];
#else
	memcpy(to, from, len);
#endif
#ifdef ANNOTATE_MSAN
	__msan_unpoison(to, len); /* the copy may be of closed memory */
#endif
	annotate_hands_out();
}

/*
 * Fewer bytes than this stay in the cache after clearing: somebody reads or writes
 * them soon, or there would not be so few of them.
 */
#define ANNOTATE_PAST_CACHE ((size_t)2048)

/** annotate_zero() - tpsim_clear_bytes(to, len) for memory that may be closed. */
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

/**
 * annotate_is_zero() - returns whether memory, which may be closed, is zero
 *
 * Under MemorySanitizer it always returns true, because closed memory is uninitialised
 * there, and nobody can tell.
 */
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
