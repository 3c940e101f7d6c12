/* SPDX-License-Identifier: BSD-2-Clause */
/* See speculation_core.h. Called by hv/init.c; no lock. */
#include "arch/x86/machine/speculation_core.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/speculation.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "lib/log.h"

/* Set @bits of an MSR that newer microcode or another model may lack */
static void set_bits(u32 msr, u64 bits)
{
	u64 value;

	if (rdmsr_safe(msr, &value) || wrmsr_safe(msr, value | bits))
		log_warn("speculation", "MSR %#x does not take %#llx", msr,
			 bits);
}

void speculation_init_core(void)
{
	static const struct {
		u32 action, msr;
		u64 bits;
	} rows[] = {
		{ SPEC_AUTO_IBRS, MSR_EFER, EFER_AIBRSE },
		{ SPEC_TSX_OFF, MSR_TSX_CTRL,
		  TSX_CTRL_RTM_DISABLE | TSX_CTRL_CPUID_CLEAR },
		{ SPEC_FP_FIX, MSR_AMD_DE_CFG, DE_CFG_FP_BACKUP_FIX },
		{ SPEC_REDUCE, MSR_AMD_BP_CFG, BP_CFG_SPEC_REDUCE },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		if (speculation.actions & rows[i].action)
			set_bits(rows[i].msr, rows[i].bits);
	if (speculation.host_ctrl &&
	    wrmsr_safe(MSR_SPEC_CTRL, speculation.host_ctrl))
		log_warn("speculation", "SPEC_CTRL does not take %#x",
			 speculation.host_ctrl);
}
