/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest state and controls in lines for a person, after a crash or a failed
 * entry. The vCPU need not be attached: then regs alone are printed. */
#include "arch/x86/vmx/internal.h"
#include "lib/log.h"

static void dump_control(void)
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
		  vmreadnat(VMCS_GUEST_CR0), vmreadnat(VMCS_GUEST_CR4),
		  vmread32(VMCS_GUEST_INTERRUPTIBILITY),
		  vmread32(VMCS_GUEST_ACTIVITY),
		  vmreadnat(VMCS_GUEST_PENDING_DEBUG));
	log_error("vmx",
		  "exit reason %#x  qualification %llx  gpa %llx  gva %llx",
		  vmread32(VMCS_EXIT_REASON),
		  vmreadnat(VMCS_EXIT_QUALIFICATION),
		  vmread64(VMCS_GUEST_PHYSICAL), vmreadnat(VMCS_GUEST_LINEAR));
	log_error("vmx",
		  "exit event %x/%x  vectoring %x/%x  entry event %x/%x  "
		  "EPTP %llx  VPID %x",
		  vmread32(VMCS_EXIT_INTR_INFO), vmread32(VMCS_EXIT_INTR_ERROR),
		  vmread32(VMCS_VECTORING_INFO), vmread32(VMCS_VECTORING_ERROR),
		  vmread32(VMCS_ENTRY_INTR_INFO),
		  vmread32(VMCS_ENTRY_ERROR_CODE), vmread64(VMCS_EPTP),
		  vmread16(VMCS_VPID));
}

void vmx_dump(struct vcpu_hw *v, void (*rest)(void))
{
	bool loaded = vmx_loaded(v);

	if (loaded)
		vmx_load_groups(v, RG_ALL);
	vcpu_regs_dump("vmx", &v->regs, rest);
	if (loaded)
		dump_control();
}
