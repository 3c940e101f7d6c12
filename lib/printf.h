/* SPDX-License-Identifier: BSD-2-Clause */
/* snprintf for the hypervisor: %c %s %d %i %u %x %X %p %%, with 0, -, width,
 * precision, *, and the lengths hh h l ll z. No floating point. */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include <stdarg.h>

#include "lib/types.h"

/* As C11 7.21.6.5: returns the length it would have had; always terminates */
int bh_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int bh_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
