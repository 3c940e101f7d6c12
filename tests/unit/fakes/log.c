/* SPDX-License-Identifier: BSD-2-Clause */
/* The log, see log.h */
#include "tests/unit/fakes/log.h"

char fake_log_last[512], fake_log_alarm[512];
u32 fake_log_lines, fake_log_warnings, fake_log_errors;

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fake_log_last, sizeof(fake_log_last), fmt, ap);
	va_end(ap);
	fake_log_lines++;
	fake_log_errors += level >= LOG_ERROR;
	if (level < LOG_WARN)
		return;
	fake_log_warnings++;
	memcpy(fake_log_alarm, fake_log_last, sizeof(fake_log_alarm));
}

void fake_log_reset(void)
{
	fake_log_last[0] = fake_log_alarm[0] = '\0';
	fake_log_lines = fake_log_warnings = fake_log_errors = 0;
}
