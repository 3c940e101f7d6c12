/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See string.h. Linked into the hypervisor and the UEFI loader. The compiler
 * may call the mem* functions by itself. They use the string instructions,
 * which modern cores run in large steps, because the hypervisor has no SSE. A
 * hosted build (unit tests) takes only what C does not have.
 */
#include "lib/string.h"

#if LIB_STRING_OWN

void *memcpy(void *dst, const void *src, size_t n)
{
	size_t words = n / 8, bytes = n % 8;
	void *d = dst;

	__asm__ volatile("rep movsq"
			 : "+D"(d), "+S"(src), "+c"(words)::"memory");
	__asm__ volatile("rep movsb"
			 : "+D"(d), "+S"(src), "+c"(bytes)::"memory");
	return dst;
}

static void copy_backward(void *dst, const void *src, size_t n)
{
	u8 *d = (u8 *)dst + n - 1;
	const u8 *s = (const u8 *)src + n - 1;

	__asm__ volatile("std; rep movsb; cld"
			 : "+D"(d), "+S"(s), "+c"(n)::"memory");
}

void *memmove(void *dst, const void *src, size_t n)
{
	if ((u64)dst - (u64)src >= n)
		return memcpy(dst, src, n);
	copy_backward(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ull;
	size_t words = n / 8, bytes = n % 8;
	void *d = dst;

	__asm__ volatile("rep stosq"
			 : "+D"(d), "+c"(words)
			 : "a"(pattern)
			 : "memory");
	__asm__ volatile("rep stosb"
			 : "+D"(d), "+c"(bytes)
			 : "a"(pattern)
			 : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (u8)*a - (u8)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(u64)s;
		if (!*s)
			return NULL;
	}
}

#endif

bool str_copy(char *dst, const char *src, size_t size)
{
	size_t n = strnlen(src, size);
	bool fits = n < size;

	if (size == 0)
		return false;
	if (!fits)
		n = size - 1;
	memcpy(dst, src, n);
	dst[n] = '\0';
	return fits;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++) {
		if (lower(*a) != lower(*b))
			return false;
		if (!*a)
			return true;
	}
	return true;
}
