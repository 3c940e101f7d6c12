/* SPDX-License-Identifier: BSD-2-Clause */
/* Exits by name, and the verdicts of a fault (exit.h) */
#include "hv/core/exit.h"

#include "hv/core/regs.h"

/* clang-format off */
static const char *const names[EXIT_KINDS] = {
	[EXIT_UNKNOWN]          = "unknown",
	[EXIT_CPUID]            = "CPUID",
	[EXIT_HLT]              = "HLT",
	[EXIT_RDMSR]            = "RDMSR",
	[EXIT_WRMSR]            = "WRMSR",
	[EXIT_PORT]             = "port",
	[EXIT_MMIO]             = "MMIO",
	[EXIT_HYPERCALL]        = "hypercall",
	[EXIT_IRQ]              = "interrupt",
	[EXIT_NMI]              = "NMI",
	[EXIT_MACHINE_CHECK]    = "machine check",
	[EXIT_EXCEPTION]        = "exception",
	[EXIT_IRQ_WINDOW]       = "IRQ window",
	[EXIT_NMI_WINDOW]       = "NMI window",
	[EXIT_TPR]              = "TPR",
	[EXIT_CR]               = "CR access",
	[EXIT_CR0]              = "CR0 access",
	[EXIT_DR]               = "DR access",
	[EXIT_XSETBV]           = "XSETBV",
	[EXIT_WBINVD]           = "WBINVD",
	[EXIT_INVD]             = "INVD",
	[EXIT_PAUSE]            = "PAUSE",
	[EXIT_MWAIT]            = "MWAIT",
	[EXIT_MONITOR]          = "MONITOR",
	[EXIT_RDPMC]            = "RDPMC",
	[EXIT_TASK_SWITCH]      = "task switch",
	[EXIT_UNDEFINED]        = "undefined",
	[EXIT_INIT]             = "INIT",
	[EXIT_SIPI]             = "SIPI",
	[EXIT_TRIPLE_FAULT]     = "triple fault",
	[EXIT_ENTRY_FAILED]     = "entry failed",
	[EXIT_SMI]              = "SMI",
	[EXIT_IO_FAULT]         = "IOMMU fault",
	[EXIT_BUS_LOCK]         = "bus lock",
	[EXIT_STUCK]            = "stuck",
	[EXIT_BACKEND]          = "back-end",
};
/* clang-format on */

const char *exit_name(enum exit_kind kind)
{
	return names[kind];
}

enum verdict exit_gp(struct vcpu *v)
{
	vcpu_raise_gp(v);
	return VERDICT_INJECT;
}

enum verdict exit_ud(struct vcpu *v)
{
	vcpu_raise_ud(v);
	return VERDICT_INJECT;
}

enum verdict exit_kill(struct vcpu *v, const char *reason)
{
	v->kill_reason = reason;
	return VERDICT_KILL;
}

enum verdict exit_cannot(struct vcpu *v, u8 vector, const char *reason)
{
	vcpu_need(v, RG_SEG | RG_CR | RG_RIP);
	if (vcpu_cpl(vcpu_regs(v)) == CPL_KERNEL)
		return exit_kill(v, reason);
	vcpu_raise_exception(v, vector, EXC_HAS_ERROR_MASK >> vector & 1, 0);
	return VERDICT_INJECT;
}
