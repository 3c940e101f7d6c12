/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's floating-point and vector registers (arch/x86/machine/fpu.h), in
 * memory */
#ifndef TESTS_UNIT_FAKES_FPU_H
#define TESTS_UNIT_FAKES_FPU_H

#include "arch/x86/machine/fpu.h"

extern u64 ymm[16][FPU_WORDS], mm[8], xcr0;
extern bool x87_error; /* an x87 exception is pending */
extern u32 pkru;

/* All zero; x87, SSE and AVX are on in XCR0 */
void fake_fpu_reset(void);

#endif
