/* SPDX-License-Identifier: BSD-2-Clause */
/* cmocka, with what it wants included before it. The headers of fakes/ include
 * this, so a test that uses one of them need not. */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#endif
