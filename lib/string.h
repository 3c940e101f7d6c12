/* SPDX-License-Identifier: BSD-2-Clause */
/* The freestanding part of <string.h>; unit tests use the host's own */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/types.h"

/* A test may ask for our own in a hosted build, under other names */
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

/* Copy at most @size - 1 bytes and terminate; false when @src was cut */
bool str_copy(char *dst, const char *src, size_t size);
/* Equal in at most @max characters, A to Z as a to z: names of files on FAT */
bool str_equal_nocase(const char *a, const char *b, size_t max);

#endif
