/* SPDX-License-Identifier: BSD-2-Clause */
/* Vector registers, see fpu.h */
#include "tests/unit/fakes/fpu.h"

#include <string.h>

#include "include/hw/cpu.h"

#define FSW_IE_OE_UE 0x19u
#define FSW_ES       0x80u

struct fake_fxsave fx;
u64 ymm[16][FAKE_YMM_WORDS], xcr0;
u32 pkru;

bool fpu_error_pending(void)
{
	return fx.fsw & FSW_ES;
}

bool fpu_store_held(void)
{
	return fx.fsw & ~fx.fcw & FSW_IE_OE_UE;
}

void fpu_pointers_replace(const struct fpu_pointers *was,
			  const struct fpu_pointers *is)
{
	if (fx.fip == was->ip)
		fx.fip = is->ip;
	if (fx.fdp == was->dp)
		fx.fdp = is->dp;
	if (fx.fop == was->op)
		fx.fop = is->op;
}

u64 fpu_xcr0(void)
{
	return xcr0;
}

u32 fpu_pkru(void)
{
	return pkru;
}

void fake_fpu_reset(void)
{
	memset(ymm, 0, sizeof(ymm));
	fx = (struct fake_fxsave){ .fcw = 0x37f, .mxcsr = 0x1f80 };
	xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	pkru = 0;
}
