/* SPDX-License-Identifier: BSD-2-Clause */
/* The freestanding part of <string.h>, as C11 7.24 has it, and four functions
 * of our own. Unit tests use the host's. Pure: any context. */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

/* Our own, or the host's? A test of ours renames them and sets this to 1. */
#ifndef LIB_STRING_OWN
#define LIB_STRING_OWN !__STDC_HOSTED__
#endif

#if !LIB_STRING_OWN
#include <string.h>
#else
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
#endif

/* Zeroes @n bytes, a multiple of 8 */
static inline void memzero_words(void *dst, size_t n)
{
	size_t words = n / 8;

	__asm__ volatile("rep stosq"
			 : "+D"(dst), "+c"(words)
			 : "a"(0ull)
			 : "memory");
}

/* Are all @n bytes zero? */
static inline bool mem_is_zero(const void *bytes, size_t n)
{
	const u8 *p = bytes;

	while (n && !p[n - 1])
		n--;
	return !n;
}

/* Copies @src into @dst of @size bytes and terminates it. False: it was cut to
 * @size - 1 characters, or @size is 0 and nothing was written. */
bool str_copy(char *dst, const char *src, size_t size);
/* Are the first @max characters equal, up to a terminating zero? A to Z count
 * as a to z, because FAT keeps names of files in either case. */
bool str_equal_nocase(const char *a, const char *b, size_t max);

#endif
