/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine by our own fault; panic() itself is in lib/assert.h.
 * The first core to panic prints, after it stopped the others by NMI; a panic
 * inside a panic prints one line and halts.
 */
#ifndef ARCH_X86_CPU_PANIC_H
#define ARCH_X86_CPU_PANIC_H

#include "lib/assert.h"

/* The registers of an exception, as idt.asm pushes them */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/* Stops the other cores; set by cpu_boot_init(), may be NULL */
extern void (*panic_stop_hook)(void);
/* console_panic_mode() of the console mux; set by hv/init.c, may be NULL */
extern void (*panic_console_hook)(void);
/* What more there is to say (guest state of this core); may be NULL */
extern void (*panic_dump_hook)(void);

bool panic_active(void);
/* With the registers of an exception; @reason without a line feed */
__noreturn void panic_frame(const struct trap_frame *frame, const char *reason);

#endif
