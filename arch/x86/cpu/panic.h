/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine by our own fault; panic() itself is in lib/assert.h.
 * The first core to panic stops the others, prints, and resets or halts.
 * Another core's panic halts without a word; one inside the panic prints one
 * line and goes on to the end, a third halts.
 */
#ifndef ARCH_X86_CPU_PANIC_H
#define ARCH_X86_CPU_PANIC_H

#include "lib/assert.h"

/* An exception's registers, as arch/x86/machine/idt.asm pushes them */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

/*
 * What the rooms above do in a panic: called once each, on the core that
 * panics, interrupts off, in any context. They take no lock but the log's. Set
 * on the boot CPU before others run; NULL is not called.
 */
/* First: stops the other cores. smp_stop_others(), by cpu_boot_init(). */
extern void (*panic_stop_hook)(void);
/* Then: the consoles show the log alone. console_panic_mode(), by hv/init.c. */
extern void (*panic_console_hook)(void);
/* Then: logs what more there is to say. This core's guest, by hv/init.c. */
extern void (*panic_dump_hook)(void);
/* Last: says what comes now, and resets the machine if it is to. It may be
 * called again by a fault inside. machine_stop(), by hv/init.c. */
extern void (*panic_end_hook)(void);

/* Has a core panicked? Any core, any context. */
bool panic_active(void);
/* Is it this one? Any context. */
bool panic_is_here(void);
/* panic() with the registers of an exception on this core. @reason has no line
 * feed. */
__noreturn void panic_frame(const struct trap_frame *frame, const char *reason);

#endif
