/* SPDX-License-Identifier: BSD-2-Clause */
/* See mtrr.h. The order of SDM 3A 12.11.7.2 *MemTypeSet() Function* on one
 * core; called by mtrr.c at a core's bring-up, with interrupts off. */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/mtrr.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"

/* Nothing is cached and no translation is held with an old type */
static void forget(void)
{
	wbinvd();
	write_cr3(read_cr3());
}

static void write_ranges(const struct mtrrs *m)
{
	for (u32 i = 0; i < 2 * (m->cap & MTRRCAP_VCNT_MASK); i++)
		wrmsr(MSR_MTRR_PHYSBASE0 + i, m->var[i]);
	if (!(m->cap & MTRRCAP_FIX))
		return;
	wrmsr(MSR_MTRR_FIX64K_00000, m->fixed[0]);
	for (u32 i = 0; i < 2; i++)
		wrmsr(MSR_MTRR_FIX16K_80000 + i, m->fixed[1 + i]);
	for (u32 i = 0; i < 8; i++)
		wrmsr(MSR_MTRR_FIX4K_C0000 + i, m->fixed[3 + i]);
}

void mtrr_write(const struct mtrrs *m)
{
	u64 cr0 = read_cr0(), cr4 = read_cr4();

	write_cr0(cr0 | CR0_CD);
	write_cr4(cr4 & ~CR4_PGE);
	forget();
	wrmsr(MSR_MTRR_DEF_TYPE, m->def_type & ~MTRR_DEF_E);
	write_ranges(m);
	wrmsr(MSR_MTRR_DEF_TYPE, m->def_type);
	forget();
	write_cr0(cr0);
	write_cr4(cr4);
}
