// SPDX-License-Identifier: BSD-2-Clause
/*
 * FPU state of vCPUs. Called by the back-ends' attach and put, interrupts off.
 * Without XSAVE the area is the 512 bytes of FXSAVE.
 */
#include "arch/x86/cpu/fpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cpu_regs.h"
#include "arch/x86/cpu/features.h"
#include "lib/errno.h"
#include "lib/string.h"

#define FXSAVE_BYTES   512u
#define FPU_FCW_RESET  0x40u /* SDM 3A table 10-1 */
#define FPU_MXCSR_INIT 0x1f80u

/* The legacy region and the header (SDM 1 13.4.1, 13.4.2) */
struct xsave_area {
	u16 fcw;
	u8 legacy1[22];
	u32 mxcsr;
	u8 legacy2[484];
	u64 xstate_bv;
	u64 xcomp_bv;
};
static_assert(offsetof(struct xsave_area, mxcsr) == 24, "SDM 1 table 10-2");
static_assert(offsetof(struct xsave_area, xstate_bv) == 512, "SDM 1 13.4.2");

static u32 area_order(void)
{
	u64 bytes = MAX(cpu_features.xsave_max_bytes, FXSAVE_BYTES);
	u32 order = 0;

	while ((PAGE_SIZE << order) < bytes)
		order++;
	return order;
}

int fpu_create(struct fpu_state *f, struct budget *b)
{
	f->order = area_order();
	f->area = pmm_alloc(b, f->order);
	if (!f->area)
		return -ENOMEM;
	fpu_reset(f);
	return 0;
}

void fpu_destroy(struct fpu_state *f, struct budget *b)
{
	if (f->area)
		pmm_free(b, f->area, f->order);
	f->area = NULL;
}

void fpu_reset(struct fpu_state *f)
{
	struct xsave_area *area = f->area;

	memset(area, 0, PAGE_SIZE << f->order);
	area->fcw = FPU_FCW_RESET;
	area->mxcsr = FPU_MXCSR_INIT;
	if (cpu_features.xsave)
		area->xstate_bv = XCR0_X87;
}

void fpu_load(const struct fpu_state *f, u64 xcr0)
{
	if (!cpu_features.xsave) {
		__asm__ volatile("fxrstor64 (%0)" ::"r"(f->area) : "memory");
		return;
	}
	xsetbv(0, cpu_features.xcr0_mask);
	__asm__ volatile("xrstor64 (%0)" ::"r"(f->area), "a"(~0u), "d"(~0u)
			 : "memory");
	xsetbv(0, xcr0);
}

void fpu_save(struct fpu_state *f)
{
	if (!cpu_features.xsave) {
		__asm__ volatile("fxsave64 (%0)" ::"r"(f->area) : "memory");
		return;
	}
	xsetbv(0, cpu_features.xcr0_mask);
	__asm__ volatile("xsave64 (%0)" ::"r"(f->area), "a"(~0u), "d"(~0u)
			 : "memory");
}

void debug_regs_load(const u64 dr[4])
{
	write_dr0(dr[0]);
	write_dr1(dr[1]);
	write_dr2(dr[2]);
	write_dr3(dr[3]);
}

void debug_regs_save(u64 dr[4])
{
	dr[0] = read_dr0();
	dr[1] = read_dr1();
	dr[2] = read_dr2();
	dr[3] = read_dr3();
}
