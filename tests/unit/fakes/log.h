/* SPDX-License-Identifier: BSD-2-Clause */
/* log_write() that keeps the last line and counts. Nothing is printed. */
#ifndef TESTS_UNIT_FAKES_LOG_H
#define TESTS_UNIT_FAKES_LOG_H

#include "lib/log.h"
#include "tests/unit/test.h"

extern char fake_log_last[512];  /* the text of the last line, or "" */
extern char fake_log_alarm[512]; /* and of the last one at LOG_WARN or above */
/* Lines of any level, at LOG_WARN or above, at LOG_ERROR or above */
extern u32 fake_log_lines, fake_log_warnings, fake_log_errors;

/* As if nothing had been logged; for a test's setup */
void fake_log_reset(void);

#endif
