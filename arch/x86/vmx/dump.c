/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest state and controls in lines for a person, after a crash or a failed
 * entry. The vCPU need not be attached: then regs alone are printed. */
#include "arch/x86/vmx/internal.h"
#include "lib/log.h"

#define ULL(x) ((x))

static void dump_gprs(const struct vcpu_regs *r)
{
	static const char *const names[GPR_COUNT] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
	};

	for (u32 i = 0; i < GPR_COUNT; i += 4)
		log_error("vmx",
			  "%3s %016llx  %3s %016llx  %3s %016llx  %3s %016llx",
			  names[i], ULL(r->gpr[i]), names[i + 1],
			  ULL(r->gpr[i + 1]), names[i + 2], ULL(r->gpr[i + 2]),
			  names[i + 3], ULL(r->gpr[i + 3]));
}

static void dump_system(const struct vcpu_regs *r)
{
	log_error("vmx", "rip %016llx  rflags %08llx  shadow %x", ULL(r->rip),
		  ULL(r->rflags), r->shadow);
	log_error("vmx",
		  "cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx  efer %llx",
		  ULL(r->cr0), ULL(r->cr2), ULL(r->cr3), ULL(r->cr4),
		  ULL(r->efer));
	log_error("vmx", "gdtr %016llx/%x  idtr %016llx/%x  dr7 %llx",
		  ULL(r->gdtr.base), r->gdtr.limit, ULL(r->idtr.base),
		  r->idtr.limit, ULL(r->dr[7]));
	log_error("vmx", "lstar %016llx  star %016llx  kernel_gs %016llx",
		  ULL(r->lstar), ULL(r->star), ULL(r->kernel_gs_base));
}

static void dump_segments(const struct vcpu_regs *r)
{
	static const char *const names[SEG_COUNT] = {
		"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
	};

	for (u32 i = 0; i < SEG_COUNT; i++)
		log_error("vmx",
			  "%-4s %04x  base %016llx  limit %08x  attr %05x",
			  names[i], r->seg[i].sel, ULL(r->seg[i].base),
			  r->seg[i].limit, r->seg[i].attr);
}

static void dump_vmcs(void)
{
	log_error("vmx",
		  "controls pin %x cpu %x cpu2 %x exit %x entry %x exceptions "
		  "%x",
		  vmread32(VMCS_PIN_CONTROLS), vmread32(VMCS_CPU_CONTROLS),
		  vmread32(VMCS_CPU2_CONTROLS), vmread32(VMCS_EXIT_CONTROLS),
		  vmread32(VMCS_ENTRY_CONTROLS),
		  vmread32(VMCS_EXCEPTION_BITMAP));
	log_error("vmx",
		  "running cr0 %llx cr4 %llx  interruptibility %x  activity %x "
		  " pending debug %llx",
		  ULL(vmreadnat(VMCS_GUEST_CR0)),
		  ULL(vmreadnat(VMCS_GUEST_CR4)),
		  vmread32(VMCS_GUEST_INTERRUPTIBILITY),
		  vmread32(VMCS_GUEST_ACTIVITY),
		  ULL(vmreadnat(VMCS_GUEST_PENDING_DEBUG)));
	log_error("vmx",
		  "exit reason %#x  qualification %llx  gpa %llx  gva %llx",
		  vmread32(VMCS_EXIT_REASON),
		  ULL(vmreadnat(VMCS_EXIT_QUALIFICATION)),
		  ULL(vmread64(VMCS_GUEST_PHYSICAL)),
		  ULL(vmreadnat(VMCS_GUEST_LINEAR)));
	log_error("vmx",
		  "exit event %x/%x  vectoring %x/%x  entry event %x/%x  "
		  "EPTP %llx  VPID %x",
		  vmread32(VMCS_EXIT_INTR_INFO), vmread32(VMCS_EXIT_INTR_ERROR),
		  vmread32(VMCS_VECTORING_INFO), vmread32(VMCS_VECTORING_ERROR),
		  vmread32(VMCS_ENTRY_INTR_INFO),
		  vmread32(VMCS_ENTRY_ERROR_CODE), ULL(vmread64(VMCS_EPTP)),
		  vmread16(VMCS_VPID));
}

void vmx_dump(struct vcpu_hw *v)
{
	bool loaded = vmx_loaded(v);

	if (loaded)
		vmx_load_groups(v, RG_ALL & ~v->regs.valid);
	dump_gprs(&v->regs);
	dump_system(&v->regs);
	dump_segments(&v->regs);
	if (loaded)
		dump_vmcs();
}
