/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one IDT of all cores. Exceptions end in a panic with full registers,
 * except those with a fix-up (rdmsr_safe and kin); interrupts go to
 * irq_dispatch() (irq.h).
 */
#ifndef ARCH_X86_MACHINE_IDT_H
#define ARCH_X86_MACHINE_IDT_H

#include "lib/types.h"

struct trap_frame; /* arch/x86/cpu/panic.h */

void idt_init(void); /* boot CPU: build the table */
void idt_load(void); /* this core */
u64 idt_base(void);  /* for VMX host state */

/* The work of an NMI: also to be called by a back-end whose exit consumed one
 * (VMX). A core that panics stops the others by it; any other NMI is ignored.
 * Any context, takes no lock. */
void nmi_handle(void);
/* From idt.asm */
void exception_handle(struct trap_frame *frame);

#endif
