/* SPDX-License-Identifier: BSD-2-Clause */
/* hv/core/exception.c that only notes the exception: there are no double
 * faults */
#ifndef TESTS_UNIT_FAKES_EXCEPTION_H
#define TESTS_UNIT_FAKES_EXCEPTION_H

#include "hv/core/vcpu.h"

extern int injected;       /* the last vector; the test sets -1 for none */
extern u32 injected_error; /* its error code; 0 if it has none */

#endif
