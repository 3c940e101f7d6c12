/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One instruction of a guest, done by this core in the guest's place. The
 * emulator (hv/emulate/) writes it anew, with the memory operand in a buffer of
 * its own and general registers that are fixed; vector and x87 registers are
 * the guest's, which are in the core. So results, flags and exceptions are the
 * CPU's own.
 *
 * Each core has a page of code for it, mapped twice: writable in the direct
 * map, executable here, and never both at one address. What may run there is a
 * list of the emulator's (hv/emulate/vector_table.c, hv/emulate/x87.c): only
 * instructions that need no privilege and touch no more than their operands.
 */
#ifndef ARCH_X86_MACHINE_STUB_H
#define ARCH_X86_MACHINE_STUB_H

#include "lib/types.h"

struct trap_frame; /* arch/x86/cpu/panic.h */

#define STUB_INSN_MAX 15u
#define STUB_DONE     0xffu

struct stub_regs {
	u64 rax, rcx, rdx;
	u64 flags; /* the arithmetic ones of RFLAGS, and nothing else */
};

/* Makes this core's page. Once, after window_init_cpu(). -ENOMEM. */
int __must_check stub_init_cpu(void);
/*
 * Runs @insn, whose memory operand is [RDI], with RDI = @memory and the other
 * registers as in @r, which gets what is in them afterwards. @len is 1 to
 * STUB_INSN_MAX. Returns STUB_DONE, or the vector of the exception that it
 * raised; then nothing has changed but MXCSR's flags. On the core that has the
 * vCPU's FPU state, interrupts off.
 */
u8 stub_run(const u8 *insn, u32 len, void *memory, struct stub_regs *r);
/* By exception_handle(): an exception of this core's page? Then @frame goes on
 * where that ends (TRAP_FIXED), and stub_run() returns the vector. */
bool stub_fixup(struct trap_frame *frame);
/* Where this core's instruction is, as the x87 pointers have it */
u64 stub_address(void);

#endif
