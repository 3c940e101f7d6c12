/* SPDX-License-Identifier: BSD-2-Clause */
/* FPU state of guests: see fpu.h. Called by the back-ends' attach and put, on
 * the core that runs the vCPU; no lock, no state of its own. */
#include "arch/x86/cpu/fpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_regs.h"
#include "arch/x86/cpu/cpuid_regs.h"
#include "arch/x86/cpu/features.h"
#include "lib/string.h"

#define XCR0_AVX512 BITS(7, 5)
#define XCR0_PKRU   BIT(9)
#define XCR0_GUEST  (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)

#define FCW_POWER_ON   0x0040
#define FTW_POWER_ON   0xff /* abridged: all valid, as FXSAVE writes it */
#define MXCSR_POWER_ON 0x1f80

/* Legacy region and XSAVE header (SDM 1 13.4) */
struct xsave_area {
	u16 fcw, fsw;
	u8 ftw, reserved0;
	u16 fop;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u8 registers[480];
	u64 xstate_bv, xcomp_bv;
	u64 reserved1[6];
};
static_assert(offsetof(struct xsave_area, mxcsr) == 24, "FXSAVE layout");
static_assert(offsetof(struct xsave_area, xstate_bv) == 512, "XSAVE header");
static_assert(sizeof(struct xsave_area) == 576, "XSAVE header");

u64 fpu_xcr0_mask(void)
{
	return cpu_features.xsave ? cpu_features.xcr0_mask & XCR0_GUEST : 0;
}

u32 fpu_area_bytes(void)
{
	u64 mask = fpu_xcr0_mask();
	u32 bytes = sizeof(struct xsave_area);

	for (u32 i = 2; i < 63; i++) {
		struct cpuid c;

		if (!(mask & BIT(i)))
			continue;
		c = cpuid_count(CPUID_XSAVE, i);
		bytes = MAX(bytes, c.ebx + c.eax); /* offset + size */
	}
	return bytes;
}

void fpu_area_reset(void *area)
{
	struct xsave_area *a = area;

	memset(a, 0, fpu_area_bytes());
	a->fcw = FCW_POWER_ON;
	a->ftw = FTW_POWER_ON;
	a->mxcsr = MXCSR_POWER_ON;
	a->xstate_bv = XCR0_X87;
}

void fpu_set_xcr0(u64 xcr0)
{
	u64 mask = fpu_xcr0_mask();

	if (mask)
		xsetbv(0, (xcr0 & mask) | XCR0_X87);
}

void fpu_save(void *area)
{
	u64 mask = fpu_xcr0_mask();

	if (!mask) {
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
		return;
	}
	xsetbv(0, mask);
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			 : "memory");
}

void fpu_load(const void *area, u64 xcr0)
{
	u64 mask = fpu_xcr0_mask();

	if (!mask) {
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
		return;
	}
	xsetbv(0, mask);
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((u32)mask), "d"((u32)(mask >> 32))
			 : "memory");
	fpu_set_xcr0(xcr0);
}
