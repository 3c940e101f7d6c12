/* SPDX-License-Identifier: BSD-2-Clause */
/* ratelimit_pass() that lets a given number of lines pass */
#ifndef TESTS_UNIT_FAKES_RATELIMIT_H
#define TESTS_UNIT_FAKES_RATELIMIT_H

#include "lib/log.h"

extern u32 fake_ratelimit_left; /* how many; at first, any number */

#endif
