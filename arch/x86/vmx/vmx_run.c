/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One entry and one exit. The hot path is straight: dirty groups and attention
 * are zero or RG_RIP, the exit's row needs no decoding. RIP, RFLAGS and the
 * interrupt shadow are read at every exit, for nearly every handler needs them.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/vmx/vmx.h"
#include "lib/log.h"

static void recheck(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	a->attention &= ~(u32)ATT_RECHECK;
	if (a->xcr0 != v->regs.xcr0)
		xsetbv(0, v->regs.xcr0);
	a->xcr0 = v->regs.xcr0;
	if (a->tsc_offset != v->tsc_offset)
		vmwrite64(VMCS_TSC_OFFSET, v->tsc_offset);
	a->tsc_offset = v->tsc_offset;
}

static void prepare(struct vcpu_hw *v)
{
	u32 attention = v->arch->attention;

	if (likely(v->regs.dirty & RG_RIP))
		vmx_store_rip(v);
	if (unlikely(v->regs.dirty & ~(u32)RG_RIP))
		vmx_store_groups(v, v->regs.dirty & ~(u32)RG_RIP);
	v->regs.dirty = 0;
	if (likely(!attention))
		return;
	if (attention & ATT_RECHECK)
		recheck(v);
	if (attention & ATT_TPR_THRESHOLD)
		vmx_tpr_threshold_update(v);
}

/* The CPU refused: our bug, or guest state the core let through */
static void entry_failed(struct vcpu_hw *v, struct vcpu_exit *exit, u32 vmfail)
{
	exit->kind = EXIT_ENTRY_FAILED;
	exit->insn_len = 0;
	exit->vectoring.type = EVENT_NONE;
	exit->raw_reason = vmread32(VMCS_EXIT_REASON);
	exit->info1 = vmreadnat(VMCS_EXIT_QUALIFICATION);
	exit->info2 = vmread32(VMCS_INSTRUCTION_ERROR);
	v->regs.valid = 0;
	if (vmfail)
		log_error("vmx", "VM entry failed: VM-instruction error %u",
			  vmfail == 2 ? (u32)exit->info2 : 0);
	else
		log_error("vmx", "VM entry failed: %s, qualification %#llx",
			  vmx_reason_name(EXIT_REASON_BASIC(exit->raw_reason)),
			  (unsigned long long)exit->info1);
	vmx_dump(v);
}

void vmx_run(struct vcpu_hw *v, struct vcpu_exit *exit)
{
	struct vcpu_arch *a = v->arch;
	u32 failed, reason;

	if (v->regs.dirty | a->attention)
		prepare(v);
	failed = vmx_enter(&v->regs, &a->host_rsp, a->launched);
	reason = vmread32(VMCS_EXIT_REASON);
	if (unlikely(failed || (reason & EXIT_REASON_ENTRY_FAILED))) {
		entry_failed(v, exit, failed);
		return;
	}
	a->launched = 1;
	vmx_load_rip(v);
	v->regs.valid = RG_RIP;
	vmx_decode_exit(v, exit, reason);
}
