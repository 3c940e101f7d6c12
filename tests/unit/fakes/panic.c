/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the machine, see panic.h */
#include "tests/unit/fakes/panic.h"

jmp_buf *fake_panic_landing;

void panic(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (fake_panic_landing)
		longjmp(*fake_panic_landing, 1);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr, "panic: %s\n", text);
	fail_msg("panic: %s", text);
	abort(); /* in a fuzzer, where no test can fail */
}
