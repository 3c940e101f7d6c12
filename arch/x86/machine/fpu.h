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

/* Registers by the move that reads or writes them. FPU_MMX turns x87 state into
 * MMX state. A write of FPU_XMM keeps what lies above; one of FPU_XMM_VEX or
 * FPU_YMM clears it. */
enum fpu_file { FPU_MMX, FPU_XMM, FPU_XMM_VEX, FPU_YMM };
#define FPU_WORDS 4
/*
 * Moves register @reg, 0 to 7 of MMX and 0 to 15 else, of the vCPU whose state
 * is in the core. Of @value the first 8 (MMX), 16 (XMM) or 32 bytes count; a
 * read leaves the rest as it is. For FPU_MMX no x87 error is pending, and for
 * the VEX kinds the vCPU's XCR0 permits them.
 */
void fpu_reg_read(enum fpu_file file, u8 reg, u64 value[FPU_WORDS]);
void fpu_reg_write(enum fpu_file file, u8 reg, const u64 value[FPU_WORDS]);
/* Is FSW.ES set, so that the next waiting x87 or MMX instruction raises #MF? Of
 * the vCPU whose state is in the core. */
bool fpu_error_pending(void);
/* XCR0 of the vCPU whose state is in the core; the CPU has XSAVE */
u64 fpu_xcr0(void);
/* PKRU of the vCPU whose state is in the core; the CPU has protection keys */
u32 fpu_pkru(void);

#endif
