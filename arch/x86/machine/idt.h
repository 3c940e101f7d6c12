/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one IDT of all cores. An exception ends in a panic with full registers,
 * unless it has a fix-up (rdmsr_safe() and kin in arch/x86/cpu/asm.h) or is an
 * NMI or a harmless machine check. Interrupts go to irq_dispatch() (irq.h),
 * those with an exception's vector, too.
 */
#ifndef ARCH_X86_MACHINE_IDT_H
#define ARCH_X86_MACHINE_IDT_H

#include "lib/types.h"

struct trap_frame; /* arch/x86/cpu/panic.h */

/* Builds the table. Boot CPU, once. */
void idt_init(void);
/* Loads this core's IDTR; gdt_load() came before. */
void idt_load(void);
/* Linear address of the table, for the host state of a VMCS */
u64 idt_base(void);

/* What an NMI calls first, with the RIP it interrupted: on any stack of the
 * core, and with any lock held. True: the hypervisor has sent it. Then, or
 * while a core panics, it is no NMI of the machine's (nmi.h). NULL: nobody
 * sends any. Set before other cores run. An exit that took an NMI brings it
 * here, too. */
extern bool (*nmi_hook)(u64 rip);
/* Set by a back-end: is a #DB with RIP at @rip a guest's, which the emulator
 * lost there? Then it is dropped: the hypervisor never steps itself. */
extern bool (*debug_hook)(u64 rip);
/* How the code that an exception interrupted goes on */
enum trap_end {
	TRAP_RETURN, /* as it was */
	/* As it was, but it was an interrupt whose vector's exception would
	 * have pushed an error code: the frame is one word off from there on */
	TRAP_NO_ERROR_CODE,
	TRAP_FIXED, /* at the frame's RIP, where an ENDBR64 is */
};
/* Handles an exception on this core, or an interrupt that has an exception's
 * vector; called by idt.asm with interrupts off and what CR2 held. It returns
 * when the code at @frame may go on. */
enum trap_end exception_handle(struct trap_frame *frame, u64 cr2);

#endif
