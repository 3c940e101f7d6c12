/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a VMCS holds from its first load on: controls, and the host state of
 * the core it is attached to (SDM 3C 25.5 *Host-State Area*, 25.6 to 25.8).
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/vmx/vmx.h"
#include "include/hw/cpu.h"
#include "mm/pmm.h"

/*
 * #MC is the host's. #DB and #AC are taken and reflected, because a guest
 * whose IDT or stack raises one during its own delivery would otherwise keep
 * the core in microcode for ever.
 */
/* #UD: the other vendor's hypercall instruction (hv/run/hypercall.h) */
#define EXCEPTIONS                                                             \
	((u32)(BIT(EXC_DB) | BIT(EXC_UD) | BIT(EXC_AC) | BIT(EXC_MC)))

static void write_masks(void)
{
	vmwritenat(VMCS_CR0_MASK, ~CR0_GUEST_OWNED);
	vmwritenat(VMCS_CR4_MASK, ~CR4_GUEST_OWNED);
}

static void write_addresses(const struct vcpu_hw *v)
{
	hpa_t ports = virt_to_hpa(v->intercepts->port_bitmap);

	vmwrite64(VMCS_IO_BITMAP_A, ports.v);
	vmwrite64(VMCS_IO_BITMAP_B, ports.v + PAGE_SIZE);
	vmwrite64(VMCS_MSR_BITMAP, virt_to_hpa(v->intercepts->msr_bitmap).v);
	vmwrite64(VMCS_VIRTUAL_APIC_PAGE, virt_to_hpa(v->apic_page).v);
	vmwrite64(VMCS_EPTP, vmx_eptp(v));
	vmwrite64(VMCS_LINK_POINTER, ~0ull); /* no shadow VMCS */
}

static void write_secondary(const struct vcpu_arch *a)
{
	u32 cpu2 = vmx_caps.control[CTL_CPU2];

	if (!a->vpid)
		cpu2 &= ~(u32)CPU2_VPID;
	vmwrite32(VMCS_CPU2_CONTROLS, cpu2);
	if (cpu2 & CPU2_VPID)
		vmwrite16(VMCS_VPID, a->vpid);
	if (cpu2 & CPU2_ENCLS_EXITING)
		vmwrite64(VMCS_ENCLS_BITMAP, ~0ull);
}

void vmx_write_controls(const struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	vmwrite32(VMCS_PIN_CONTROLS, vmx_caps.control[CTL_PIN]);
	a->cpu_controls = vmx_caps.control[CTL_CPU];
	vmwrite32(VMCS_CPU_CONTROLS, a->cpu_controls);
	write_secondary(a);
	vmwrite32(VMCS_EXIT_CONTROLS, vmx_caps.control[CTL_EXIT]);
	vmwrite32(VMCS_ENTRY_CONTROLS, vmx_caps.control[CTL_ENTRY]);
	vmwrite32(VMCS_EXCEPTION_BITMAP, EXCEPTIONS);
	vmwrite32(VMCS_PF_ERROR_MASK, 0);
	vmwrite32(VMCS_PF_ERROR_MATCH, 0);
	vmwrite32(VMCS_CR3_TARGET_COUNT, 0);
	vmwrite32(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmwrite32(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite32(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	write_masks();
	write_addresses(v);
	vmwrite32(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmwrite32(VMCS_GUEST_ACTIVITY, 0);
	vmwrite64(VMCS_GUEST_DEBUGCTL, 0);
	vmx_reset_events(a);
}

static void write_host_segments(const struct pcpu *cpu)
{
	vmwrite16(VMCS_HOST_CS_SEL, SEL_CODE);
	vmwrite16(VMCS_HOST_SS_SEL, SEL_DATA);
	vmwrite16(VMCS_HOST_DS_SEL, SEL_DATA);
	vmwrite16(VMCS_HOST_ES_SEL, SEL_DATA);
	vmwrite16(VMCS_HOST_FS_SEL, 0);
	vmwrite16(VMCS_HOST_GS_SEL, 0);
	vmwrite16(VMCS_HOST_TR_SEL, SEL_TSS);
	vmwritenat(VMCS_HOST_FS_BASE, 0);
	vmwritenat(VMCS_HOST_GS_BASE, 0);
	vmwritenat(VMCS_HOST_TR_BASE, tss_base(cpu));
	vmwritenat(VMCS_HOST_GDTR_BASE, gdt_base(cpu));
	vmwritenat(VMCS_HOST_IDTR_BASE, idt_base());
}

void vmx_write_host_state(const struct pcpu *cpu)
{
	vmwritenat(VMCS_HOST_CR0, read_cr0());
	vmwritenat(VMCS_HOST_CR3, read_cr3());
	vmwritenat(VMCS_HOST_CR4, read_cr4());
	vmwrite64(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmwrite64(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmwrite32(VMCS_HOST_SYSENTER_CS, 0);
	vmwritenat(VMCS_HOST_SYSENTER_ESP, 0);
	vmwritenat(VMCS_HOST_SYSENTER_EIP, 0);
	vmwritenat(VMCS_HOST_RIP, (u64)vmx_exit_point);
	write_host_segments(cpu);
}
