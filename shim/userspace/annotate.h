/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ANNOTATE_H
#define ANNOTATE_H

/*
 * What the checkers are told about memory that only this machine knows the
 * meaning of. A page that is free or pooled is closed: a touch is reported by
 * Valgrind, or by AddressSanitizer, at the line that does it, as KASAN would
 * (kasan_poison_pages(), mm/kasan/common.c). Nothing of it is left where the
 * headers are missing.
 */

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_MEMCHECK 1
#endif
#if __has_include(<valgrind/helgrind.h>)
#include <valgrind/helgrind.h>
#define HAVE_HELGRIND 1
#endif
#if __has_include(<valgrind/drd.h>)
#include <valgrind/drd.h>
#define HAVE_DRD 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define __asan_poison_memory_region(at, size)   ((void)(at), (void)(size))
#define __asan_unpoison_memory_region(at, size) ((void)(at), (void)(size))
#endif

#ifndef HAVE_MEMCHECK
#define VALGRIND_CREATE_MEMPOOL(pool, redzone, zeroed) ((void)(pool))
#define VALGRIND_DESTROY_MEMPOOL(pool)                 ((void)(pool))
#define VALGRIND_MEMPOOL_ALLOC(pool, at, size)         ((void)(at))
#define VALGRIND_MEMPOOL_FREE(pool, at)                ((void)(at))
#define VALGRIND_MAKE_MEM_NOACCESS(at, size)           ((void)(at))
#define VALGRIND_MAKE_MEM_DEFINED(at, size)            ((void)(at))
#endif

#ifndef HAVE_HELGRIND
#define VALGRIND_HG_DISABLE_CHECKING(at, size) ((void)(at))
#endif
#ifndef HAVE_DRD
#define DRD_IGNORE_VAR(x) ((void)(x))
#endif

#endif
