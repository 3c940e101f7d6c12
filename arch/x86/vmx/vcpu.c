/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's life in VMX: its VMCS page, taking a core and giving it up. Only
 * attach and put touch hardware; create, destroy and reset are memory alone
 * and may run on any core. Between attach and put the VMCS is current on the
 * core; put leaves it clear in memory, so that any core may load it next.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cet.h"
#include "arch/x86/cpu/debug_regs.h"
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/vmx/internal.h"
#include "include/hw/cpu.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "mm/pmm.h"

int vmx_vcpu_create(struct vcpu_hw *v)
{
	struct vcpu_arch *a = kmem_alloc(v->budget, sizeof(*a));

	if (!a)
		return -ENOMEM;
	a->vmcs = pmm_alloc(v->budget, 0);
	if (!a->vmcs)
		goto out_arch;
	if (fpu_create(&a->fpu, v->budget))
		goto out_vmcs;
	((struct vmcs_header *)a->vmcs)->revision = vmx_caps.revision;
	if (vmx_caps.control[CTL_CPU2] & CPU2_VPID)
		a->vpid = vmx_vpid_alloc();
	a->flush = true;
	a->attention = ATT_LAUNCH;
	v->arch = a;
	return 0;

out_vmcs:
	pmm_free(v->budget, a->vmcs, 0);
out_arch:
	kmem_free(v->budget, a, sizeof(*a));
	return -ENOMEM;
}

void vmx_vcpu_destroy(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	vmx_vpid_free(a->vpid);
	fpu_destroy(&a->fpu, v->budget);
	pmm_free(v->budget, a->vmcs, 0);
	kmem_free(v->budget, a, sizeof(*a));
	v->arch = NULL;
}

static void load_debug(const struct vcpu_regs *r)
{
	debug_regs_load(r->dr);
	write_dr6((u32)r->dr[6]);
}

void vmx_vcpu_reset(struct vcpu_hw *v, bool init)
{
	if (init)
		vmx_load_groups(v, RG_MSR | RG_CR);
	else
		fpu_reset(&v->arch->fpu);
	vcpu_regs_reset(&v->regs, init);
	v->arch->stale_events = !vmx_loaded(v);
	if (!vmx_loaded(v))
		return;
	vmx_reset_events(v->arch);
	load_debug(&v->regs);
	if (!init)
		fpu_load(&v->arch->fpu, v->regs.xcr0);
}

/*
 * What a VMCS holds from its first load on: controls, and the host state of
 * the core it is attached to (SDM 3C 25.5 *Host-State Area*, 25.6 to 25.8).
 */

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
	/* The CPU adds a time of its own, in which any instruction ends */
	if (cpu2 & CPU2_NOTIFY)
		vmwrite32(VMCS_NOTIFY_WINDOW, 0);
}

/* Guests have no CET (hv/policy/cpuid_table.c) */
static void write_guest_cet(void)
{
	if (!(vmx_caps.control[CTL_ENTRY] & ENTRY_LOAD_CET))
		return;
	vmwritenat(VMCS_GUEST_S_CET, 0);
	vmwritenat(VMCS_GUEST_SSP, 0);
	vmwritenat(VMCS_GUEST_SSP_TABLE, 0);
}

static void write_controls(const struct vcpu_hw *v)
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
	write_guest_cet();
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

/* enter.asm writes the SSP, beside RSP, where there is one */
static void write_host_cet(const struct pcpu *cpu)
{
	if (!(vmx_caps.control[CTL_EXIT] & VMEXIT_LOAD_CET))
		return;
	vmwritenat(VMCS_HOST_S_CET, cet_controls);
	vmwritenat(VMCS_HOST_SSP, 0);
	vmwritenat(VMCS_HOST_SSP_TABLE,
		   cet_has_shadow_stacks() ? cpu_area_shadow_table(cpu) : 0);
}

static void write_host_state(const struct pcpu *cpu)
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
	write_host_cet(cpu);
}

static void load_core_registers(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	fpu_load(&a->fpu, v->regs.xcr0);
	a->xcr0 = v->regs.xcr0;
	write_cr2(v->regs.cr2);
	load_debug(&v->regs);
	v->regs.dirty |= RG_MSR; /* the last vCPU's are there now */
}

void vmx_attach(struct vcpu_hw *v)
{
	struct pcpu *cpu = this_cpu();
	struct vcpu_arch *a = v->arch;

	ASSERT(!cpu->backend->loaded);
	if (!a->configured)
		ASSERT(!vmx_clear(virt_to_hpa(a->vmcs)));
	ASSERT(!vmx_ptrld(virt_to_hpa(a->vmcs)));
	cpu->backend->loaded = v;
	if (!a->configured)
		write_controls(v);
	else if (a->stale_events)
		vmx_reset_events(a);
	a->configured = true;
	a->stale_events = false;
	if (a->cpu != cpu) {
		write_host_state(cpu);
		a->cpu = cpu;
		a->flush = true; /* stale from an earlier stay on this core */
	}
	if (a->flush)
		vmx_flush(v);
	a->flush = false;
	a->tsc_offset = v->tsc_offset;
	vmwrite64(VMCS_TSC_OFFSET, a->tsc_offset);
	vmx_timer_start(a);
	load_core_registers(v);
}

void vmx_put(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	vmx_load_groups(v, RG_ALL);
	fpu_save(&a->fpu);
	debug_regs_save(v->regs.dr);
	ASSERT(!vmx_clear(virt_to_hpa(a->vmcs)));
	a->attention |= ATT_LAUNCH;
	this_cpu()->backend->loaded = NULL;
}
