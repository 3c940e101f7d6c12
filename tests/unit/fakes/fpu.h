/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's floating-point and vector registers (arch/x86/machine/fpu.h), in
 * memory. fakes/stub.c runs instructions on them. */
#ifndef TESTS_UNIT_FAKES_FPU_H
#define TESTS_UNIT_FAKES_FPU_H

#include "arch/x86/machine/fpu.h"

#define FAKE_YMM_WORDS 4

/* The beginning of FXSAVE's image (SDM 1 table 10-2) */
struct fake_fxsave {
	u16 fcw, fsw;
	u8 ftw, reserved;
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u64 st[8][2]; /* an MMX register is the first word of one */
};

extern struct fake_fxsave fx;
extern u64 ymm[16][FAKE_YMM_WORDS], xcr0;
extern u32 pkru;

/* Registers zero, nothing pending, all exceptions masked; x87, SSE and AVX are
 * on in XCR0 */
void fake_fpu_reset(void);

#endif
