/* SPDX-License-Identifier: BSD-2-Clause */
/* A place in a program that tests/plugin/share.c tells of: an instruction that
 * does nothing (NOP with a displacement of 32 bits), and has a number. */
#ifndef TESTS_PLUGIN_MARK_H
#define TESTS_PLUGIN_MARK_H

#define MARK_BYTES  7
#define MARK_OPCODE 0x0f, 0x1f, 0x80
#define MARK_BASE   0x424d0000u

/* What tests/harness/control.py knows them by */
enum mark { MARK_NONE, MARK_BEGIN, MARK_END, MARK_OUTPUT, MARK_INIT };

#define MARK(number)                                                           \
	__asm__ volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0" ::"i"(          \
				 MARK_BASE + (number))                         \
			 : "memory")

#endif
