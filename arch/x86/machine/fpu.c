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

/* clang-format off */
#define LOW_8(row)							\
	row(0) row(1) row(2) row(3) row(4) row(5) row(6) row(7)
#define ALL_16(row)							\
	LOW_8(row) row(8) row(9) row(10) row(11) row(12) row(13) row(14) row(15)
#define READ(n, move, reg)						\
	case n:								\
		__asm__ volatile(move " %%" reg #n ", %0" : "=m"(*all));	\
		break;
#define WRITE(n, move, reg)						\
	case n:								\
		__asm__ volatile(move " %0, %%" reg #n : : "m"(*all));	\
		break;
/* A function each way for each kind of register, by the move that is its own */
#define REG_FILE(name, rows)						\
	static void name##_read(u8 n, u64 (*all)[FPU_WORDS])		\
	{								\
		switch (n) {						\
			rows(name##_READ)				\
		default:						\
			break;						\
		}							\
	}								\
	static void name##_write(u8 n, const u64 (*all)[FPU_WORDS])	\
	{								\
		switch (n) {						\
			rows(name##_WRITE)				\
		default:						\
			break;						\
		}							\
	}
#define mmx_READ(n)	 READ(n, "movq", "mm")
#define mmx_WRITE(n)	 WRITE(n, "movq", "mm")
#define xmm_READ(n)	 READ(n, "movups", "xmm")
#define xmm_WRITE(n)	 WRITE(n, "movups", "xmm")
#define xmm_vex_READ(n)	 READ(n, "vmovups", "xmm")
#define xmm_vex_WRITE(n) WRITE(n, "vmovups", "xmm")
#define ymm_READ(n)	 READ(n, "vmovups", "ymm")
#define ymm_WRITE(n)	 WRITE(n, "vmovups", "ymm")

REG_FILE(mmx, LOW_8)
REG_FILE(xmm, ALL_16)
REG_FILE(xmm_vex, ALL_16)
REG_FILE(ymm, ALL_16)

static const struct {
	void (*read)(u8 n, u64 (*all)[FPU_WORDS]);
	void (*write)(u8 n, const u64 (*all)[FPU_WORDS]);
	u8 registers;
} files[] = {
	[FPU_MMX] = { mmx_read, mmx_write, 8 },
	[FPU_XMM] = { xmm_read, xmm_write, 16 },
	[FPU_XMM_VEX] = { xmm_vex_read, xmm_vex_write, 16 },
	[FPU_YMM] = { ymm_read, ymm_write, 16 },
};
/* clang-format on */

void fpu_reg_read(enum fpu_file file, u8 reg, u64 value[FPU_WORDS])
{
	files[file].read(reg % files[file].registers, (u64(*)[FPU_WORDS])value);
}

void fpu_reg_write(enum fpu_file file, u8 reg, const u64 value[FPU_WORDS])
{
	files[file].write(reg % files[file].registers,
			  (const u64(*)[FPU_WORDS])value);
}

bool fpu_error_pending(void)
{
	u16 fsw;

	__asm__ volatile("fnstsw %0" : "=a"(fsw));
	return fsw & FPU_FSW_ES;
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
