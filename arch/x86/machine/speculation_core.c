/* SPDX-License-Identifier: BSD-2-Clause */
/* See speculation_core.h. Called by hv/init.c; no lock. */
#include "arch/x86/machine/speculation_core.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/speculation.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/log.h"

/* Clear and set bits of an MSR that newer microcode or another model may lack.
 * One that is right already may be locked, and is not written. */
static void change_bits(u32 msr, u64 clear, u64 set)
{
	u64 old, value;

	if (!rdmsr_safe(msr, &old)) {
		value = (old & ~clear) | set;
		if (value == old || !wrmsr_safe(msr, value))
			return;
	}
	log_warn("speculation", "MSR %#x does not take %#llx", msr,
		 clear | set);
}

void speculation_init_core(void)
{
	static const struct {
		u32 action, msr;
		u64 clear, set;
	} rows[] = {
		{ SPEC_AUTO_IBRS, MSR_EFER, 0, EFER_AIBRSE },
		{ SPEC_TSX_OFF, MSR_TSX_CTRL, 0,
		  TSX_CTRL_RTM_DISABLE | TSX_CTRL_CPUID_CLEAR },
		{ SPEC_FP_FIX, MSR_AMD_DE_CFG, 0, DE_CFG_FP_BACKUP_FIX },
		{ SPEC_REDUCE, MSR_AMD_BP_CFG, 0, BP_CFG_SPEC_REDUCE },
		{ SPEC_GATHER_MITG, MSR_MCU_OPT_CTRL, MCU_OPT_CTRL_GDS_MITG_DIS,
		  0 },
		{ SPEC_RNG_MITG, MSR_MCU_OPT_CTRL, MCU_OPT_CTRL_RNGDS_MITG_DIS,
		  0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (speculation.actions & rows[i].action)
			change_bits(rows[i].msr, rows[i].clear, rows[i].set);
	if (speculation.host_ctrl &&
	    wrmsr_safe(MSR_SPEC_CTRL, speculation.host_ctrl))
		log_warn("speculation", "SPEC_CTRL does not take %#x",
			 speculation.host_ctrl);
}
