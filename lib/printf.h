/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snprintf for the hypervisor and the loaders. It knows %c %s %d %i %u %x %X %p
 * and %%; the flags 0 - # + and blank; width, precision and *; the lengths hh h
 * l ll z j t. No floating point.
 */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>

#include "lib/types.h"

/*
 * As C11 7.21.6.5 *The snprintf function*: writes at most @size bytes, the
 * terminating zero among them, and returns the length of the whole text. @size
 * 0 writes nothing. Widths and precisions are cut to 4096; a NULL for %s prints
 * "(null)". Any context, no lock, no allocation.
 */
int bh_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int bh_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
