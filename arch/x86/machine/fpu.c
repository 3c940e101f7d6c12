/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See fpu.h. Called by the back-ends when a vCPU takes or leaves a core, and by
 * the emulator for registers. No lock. Without XSAVE the area is the 512 bytes
 * of FXSAVE.
 */
#include "arch/x86/machine/fpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"
#include "lib/string.h"

#define FXSAVE_BYTES   512u
#define FPU_FCW_RESET  0x40u /* SDM 3A 10.1.1 */
#define FPU_FCW_INIT   0x37fu
#define FPU_MXCSR_INIT 0x1f80u
#define FPU_FSW_IE     0x01u
#define FPU_FSW_OE     0x08u
#define FPU_FSW_UE     0x10u
#define FPU_FSW_ES     0x80u

/* SDM 1 13.4.1 *Legacy Region of an XSAVE Area*, 13.4.2 *XSAVE Header* */
struct xsave_area {
	u16 fcw;
	u16 status[11]; /* FSW, FTW, FOP, FIP, FDP */
	u32 mxcsr, mxcsr_mask;
	u64 st[16];
	u8 legacy[352];
	u64 xstate_bv;
	u64 xcomp_bv;
};
static_assert(offsetof(struct xsave_area, mxcsr) == 24, "SDM 1 table 10-2");
static_assert(offsetof(struct xsave_area, st) == 32, "SDM 1 table 10-2");
static_assert(offsetof(struct xsave_area, xstate_bv) == 512, "SDM 1 13.4.2");

static u64 area_bytes(void)
{
	return MAX(cpu_features.xsave_max_bytes, FXSAVE_BYTES);
}

int fpu_create(struct fpu_state *f, struct budget *b)
{
	f->area = pmm_alloc_bytes(b, area_bytes());
	if (!f->area)
		return -ENOMEM;
	fpu_reset(f);
	return 0;
}

void fpu_destroy(struct fpu_state *f, struct budget *b)
{
	pmm_free_bytes(b, f->area, area_bytes());
	f->area = NULL;
}

void fpu_reset(struct fpu_state *f)
{
	struct xsave_area *area = f->area;

	memset(area, 0, area_bytes());
	area->fcw = FPU_FCW_RESET;
	area->mxcsr = FPU_MXCSR_INIT;
	if (cpu_features.xsave)
		area->xstate_bv = XCR0_X87;
}

static bool x87_is_initial(const struct xsave_area *area)
{
	u64 any = area->fcw ^ FPU_FCW_INIT;

	for (u32 i = 0; i < ARRAY_SIZE(area->status); i++)
		any |= area->status[i];
	for (u32 i = 0; i < ARRAY_SIZE(area->st); i++)
		any |= area->st[i];
	return !any;
}

/*
 * A CPU's XSAVE leaves out what is in its initial state (SDM 1 13.6 *Processor
 * Tracking of XSAVE-Managed State*). QUIRK(tcg-7.2): it never does. Its
 * XRSTOR of x87 state, on any core, clears a bit in the boot core's `hflags2`
 * without a lock (cpu_clear_ignne()). When that meets a VMRUN or #VMEXIT of the
 * boot core, one of the changes is lost. A #VMEXIT that leaves nested paging on
 * makes the host's next fetch a second #VMEXIT, and the VMCB then has the
 * host's registers in place of the guest's. With the bit clear XRSTOR sets the
 * same values and touches nothing else.
 */
void fpu_drop_initial(struct fpu_state *f)
{
	struct xsave_area *area = f->area;

	if (x87_is_initial(area))
		area->xstate_bv &= ~(u64)XCR0_X87;
}

/*
 * Some of AMD's CPUs restore the pointers to the last x87 instruction and its
 * operand only where an exception waits (APM 2 11.4.4 *Saving and Restoring
 * State*). Those that always do say so in CPUID 80000008h EBX bit 2. On the
 * others another guest's pointers would stay.
 */
static void forget_pointers(void)
{
	__asm__ volatile("fninit");
}

void fpu_load(const struct fpu_state *f, u64 xcr0)
{
	forget_pointers();
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
	fpu_drop_initial(f);
}

bool fpu_error_pending(void)
{
	u16 fsw;

	__asm__ volatile("fnstsw %0" : "=a"(fsw));
	return fsw & FPU_FSW_ES;
}

bool fpu_store_held(void)
{
	u16 fsw, fcw;

	__asm__ volatile("fnstsw %0" : "=a"(fsw));
	__asm__ volatile("fnstcw %0" : "=m"(fcw));
	return fsw & ~fcw & (FPU_FSW_IE | FPU_FSW_OE | FPU_FSW_UE);
}

/* The last instruction in FXSAVE's format, with and without REX.W (SDM 1 10.5.1
 * *FXSAVE Area*) */
struct fxsave_pointers {
	u16 control[3], op;
	union {
		struct {
			u64 ip, dp;
		} wide;
		struct {
			u32 ip;
			u16 cs, reserved;
			u32 dp;
			u16 ds, reserved2;
		} narrow;
	};
	u8 rest[FXSAVE_BYTES - 24];
} __aligned(16);
static_assert(sizeof(struct fxsave_pointers) == FXSAVE_BYTES, "SDM 1 10.5.1");

static void replace_wide(struct fxsave_pointers *p,
			 const struct fpu_pointers *was,
			 const struct fpu_pointers *is)
{
	if (p->wide.ip == was->ip)
		p->wide.ip = is->ip;
	if (p->wide.dp == was->dp)
		p->wide.dp = is->dp;
}

/* Some CPUs note no selectors: zero stays (CPUID 7 EBX bit 13) */
static void replace_narrow(struct fxsave_pointers *p,
			   const struct fpu_pointers *was,
			   const struct fpu_pointers *is)
{
	if (p->narrow.ip == (u32)was->ip) {
		p->narrow.ip = (u32)is->ip;
		p->narrow.cs = p->narrow.cs ? is->cs : 0;
	}
	if (p->narrow.dp == (u32)was->dp) {
		p->narrow.dp = (u32)is->dp;
		p->narrow.ds = p->narrow.ds ? is->ds : 0;
	}
}

/* Where FXRSTOR leaves the pointers alone, they are of nobody */
void fpu_pointers_replace(const struct fpu_pointers *was,
			  const struct fpu_pointers *is)
{
	struct fxsave_pointers p;

	if (is->wide)
		__asm__ volatile("fxsave64 %0" : "=m"(p));
	else
		__asm__ volatile("fxsave %0" : "=m"(p));
	if (p.op == was->op)
		p.op = is->op;
	(is->wide ? replace_wide : replace_narrow)(&p, was, is);
	forget_pointers();
	if (is->wide)
		__asm__ volatile("fxrstor64 %0" ::"m"(p));
	else
		__asm__ volatile("fxrstor %0" ::"m"(p));
}

u64 fpu_xcr0(void)
{
	return xgetbv(0);
}

/* RDPKRU needs CR4.PKE, which the host has off because it has no user page */
u32 fpu_pkru(void)
{
	u64 cr4 = read_cr4();
	u32 pkru, zero;

	write_cr4(cr4 | CR4_PKE);
	__asm__ volatile("rdpkru" : "=a"(pkru), "=d"(zero) : "c"(0));
	write_cr4(cr4);
	return pkru;
}
