/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's x87, SSE, AVX ... state, XCR0 and DR0 to DR3. A back-end swaps them
 * when a vCPU takes a core or gives it up, and never on an exit, because the
 * hypervisor itself uses none of it. XSAVE is used where the CPU has it, else
 * FXSAVE. SDM 1 13 *Managing State Using the XSAVE Feature Set*; APM 2 11.5
 * *XSAVE/XRSTOR Instructions*.
 *
 * What touches registers runs on the core that has, or is about to have, the
 * vCPU's state, with interrupts off. No lock.
 */
#ifndef ARCH_X86_MACHINE_FPU_H
#define ARCH_X86_MACHINE_FPU_H

#include "lib/types.h"
#include "mm/pmm.h"

struct fpu_state {
	void *area; /* pages of the pool, in XSAVE's or FXSAVE's format */
};

/* Gives @f an area in power-on state, charged to @b. Any core. -ENOMEM. */
int __must_check fpu_create(struct fpu_state *f, struct budget *b);
/* Gives it back to @b, the same; nothing, if @f has none */
void fpu_destroy(struct fpu_state *f, struct budget *b);
/* Puts the area into power-on state (SDM 3A 10.1.1 *Processor State After
 * Reset*); an INIT changes none of it. The core does not hold @f's state. */
void fpu_reset(struct fpu_state *f);
/* Loads the core's registers from @f, and then XCR0, where the CPU has XSAVE,
 * with the guest's @xcr0, of whose bits the CPU has all. */
void fpu_load(const struct fpu_state *f, u64 xcr0);
/*
 * Saves the core's registers to @f, and leaves XCR0 with all bits that it has
 */
void fpu_save(struct fpu_state *f);
/* Part of fpu_save(): x87 state that is initial counts as not saved. For tests
 * only. */
void fpu_drop_initial(struct fpu_state *f);

/* Is FSW.ES set, so that the next waiting x87 or MMX instruction raises #MF? Of
 * the vCPU whose state is in the core. */
bool fpu_error_pending(void);
/* Did the last x87 instruction, a store to memory, raise an exception that is
 * not masked and that keeps it from storing (SDM 1 8.5.1, 8.5.4, 8.5.5)? None
 * was pending before it. Of the vCPU whose state is in the core. */
bool fpu_store_held(void);
/*
 * Where an x87 instruction was, as the CPU notes it (SDM 1 8.1.8 *x87 FPU
 * Instruction and Data (Operand) Pointers*): offsets, their selectors outside
 * 64-bit code, and the opcode's 11 bits.
 */
struct fpu_pointers {
	u64 ip, dp;
	u16 cs, ds, op;
	bool wide; /* 64-bit code: no selectors */
};
/* The instruction that the core did at @was is the guest's at @is: wherever the
 * CPU has noted the one, it notes the other. Selectors of @was do not count. Of
 * the vCPU whose state is in the core. */
void fpu_pointers_replace(const struct fpu_pointers *was,
			  const struct fpu_pointers *is);
/* XCR0 of the vCPU whose state is in the core; the CPU has XSAVE */
u64 fpu_xcr0(void);
/* PKRU of the vCPU whose state is in the core; the CPU has protection keys */
u32 fpu_pkru(void);

#endif
