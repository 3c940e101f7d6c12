/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that says a line and then sleeps for ever: what it costs to make one
 * and to end one (tests/harness/control.py). */
#include "tests/guest/lib/guest.h"
#include "tests/plugin/mark.h"

void guest_main(void)
{
	put_char('t');
	MARK(MARK_OUTPUT);
	print("iny: ready\n");
	for (;;)
		__asm__ volatile("hlt");
}
