/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers what is typed in capital letters, for tests/system/control.py. It
 * looks for it all the time and never ends. */
#include "tests/guest/lib/guest.h"

#define COM1      0x3f8
#define LSR       5
#define LSR_READY 1

static char capital(u8 c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

void guest_main(void)
{
	print("echo: ready\n");
	for (;;) {
		if (inb(COM1 + LSR) & LSR_READY)
			put_char(capital(inb(COM1)));
		__asm__ volatile("pause");
	}
}
