/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's x87, SSE, AVX ... state, XCR0 and DR0-3: what a back-end swaps when
 * a vCPU takes a core or gives it up, never on an exit. The hypervisor itself
 * uses none of it. XSAVE where the CPU has it, else FXSAVE (SDM 1 13 *Managing
 * State Using the XSAVE Feature Set*; APM 2 11.5).
 */
#ifndef ARCH_X86_MACHINE_FPU_H
#define ARCH_X86_MACHINE_FPU_H

#include "lib/types.h"
#include "mm/pmm.h"

struct fpu_state {
	void *area; /* pages from pmm */
};

/* An area in power-on state; -ENOMEM */
int __must_check fpu_create(struct fpu_state *f, struct budget *b);
void fpu_destroy(struct fpu_state *f, struct budget *b);
/* Power-on state (SDM 3A table 10-1); INIT changes none of it */
void fpu_reset(struct fpu_state *f);
/* Core's registers from @f, then XCR0 = @xcr0 (the guest's) */
void fpu_load(const struct fpu_state *f, u64 xcr0);
/* Core's registers to @f; XCR0 is left with all bits set */
void fpu_save(struct fpu_state *f);
/* Part of fpu_save(): x87 state that is initial counts as not saved */
void fpu_drop_initial(struct fpu_state *f);
/* Registers of the vCPU whose state is in the core, as the moves of these kinds
 * have them: FPU_MMX makes x87 state MMX's, a write of FPU_XMM_VEX or FPU_YMM
 * clears what lies above, of FPU_XMM it stays. FPU_MMX: no x87 error is
 * pending; the VEX kinds: its XCR0 permits them. */
enum fpu_file { FPU_MMX, FPU_XMM, FPU_XMM_VEX, FPU_YMM };
#define FPU_WORDS 4
void fpu_reg_read(enum fpu_file file, u8 reg, u64 value[FPU_WORDS]);
void fpu_reg_write(enum fpu_file file, u8 reg, const u64 value[FPU_WORDS]);
/* FSW.ES: the next waiting x87 or MMX instruction is #MF */
bool fpu_error_pending(void);
/* XCR0 of the vCPU; its CR4.OSXSAVE can be set */
u64 fpu_xcr0(void);
/* Its PKRU; the CPU has protection keys */
u32 fpu_pkru(void);
/* DR0-3 from and to dr[0..3] */
void debug_regs_load(const u64 dr[4]);
void debug_regs_save(u64 dr[4]);

#endif
