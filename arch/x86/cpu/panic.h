/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine by our own fault; panic() itself is in lib/assert.h.
 * The first core to panic prints, after it stopped the others by NMI; a panic
 * inside a panic prints one line and halts.
 */
#ifndef ARCH_X86_CPU_PANIC_H
#define ARCH_X86_CPU_PANIC_H

#include "arch/x86/machine/idt.h"
#include "lib/assert.h"

/* console_panic_mode() of the console mux; set by hv/init.c, may be NULL */
extern void (*panic_console_hook)(void);
/* What more there is to say (guest state of this core); may be NULL */
extern void (*panic_dump_hook)(void);

bool panic_active(void);
/* With the registers of an exception; @reason without a line feed */
__noreturn void panic_frame(const struct trap_frame *frame, const char *reason);

#endif
