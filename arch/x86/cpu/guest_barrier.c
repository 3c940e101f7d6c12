/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See guest_barrier.h. What to do is found out at the first call. Cores that
 * find out at the same time find the same, so there is no lock.
 */
#include "arch/x86/cpu/guest_barrier.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/gdt.h"
#include "include/hw/cpuid.h"
#include "include/hw/msr.h"

enum barrier {
	BARRIER_IBPB = 1 << 0,
	BARRIER_L1D = 1 << 1,
	BARRIER_VERW = 1 << 2,
	BARRIER_KNOWN = 1 << 3, /* the others have been found out */
};

static u32 barriers; /* enum barrier */

static u32 intel_barriers(void)
{
	u32 edx, found = 0;
	u64 caps = 0;

	if (cpu_features.max_leaf < CPUID_FEATURES7)
		return 0;
	edx = cpuid(CPUID_FEATURES7).edx;
	if (edx & CPUID_7_EDX_ARCH_CAP)
		caps = rdmsr(MSR_ARCH_CAPABILITIES);
	if (edx & CPUID_7_EDX_SPEC_CTRL)
		found |= BARRIER_IBPB;
	if ((edx & CPUID_7_EDX_FLUSH_L1D) &&
	    !(caps & (ARCH_CAP_RDCL_NO | ARCH_CAP_SKIP_L1DFL_VMENTRY)))
		found |= BARRIER_L1D;
	if ((edx & CPUID_7_EDX_MD_CLEAR) && !(caps & ARCH_CAP_MDS_NO))
		found |= BARRIER_VERW;
	return found;
}

static u32 amd_barriers(void)
{
	if (cpu_features.max_ext_leaf < CPUID_EXT_SIZES)
		return 0;
	return cpuid(CPUID_EXT_SIZES).ebx & CPUID_88_EBX_IBPB ? BARRIER_IBPB
							      : 0;
}

static u32 find_barriers(void)
{
	u32 found = BARRIER_KNOWN;

	if (cpu_features.vendor == VENDOR_INTEL)
		found |= intel_barriers();
	else if (cpu_features.vendor == VENDOR_AMD)
		found |= amd_barriers();
	return found;
}

/* VERW of a memory operand also overwrites the buffers, where the microcode has
 * MD_CLEAR */
static void clear_buffers(void)
{
	static const u16 selector = SEL_DATA;

	__asm__ volatile("verw %0" : : "m"(selector) : "cc");
}

void guest_barrier(void)
{
	u32 todo = READ_ONCE(barriers);

	if (!todo) {
		todo = find_barriers();
		WRITE_ONCE(barriers, todo);
	}
	if (todo & BARRIER_IBPB)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (todo & BARRIER_L1D)
		wrmsr(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	if (todo & BARRIER_VERW)
		clear_buffers();
}
