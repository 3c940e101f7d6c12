/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's life in VMX: its VMCS page, taking a core and giving it up. Only
 * attach and put touch hardware; create, destroy and reset are memory alone
 * and may run on any core. Between attach and put the VMCS is current on the
 * core; put leaves it clear in memory, so that any core may load it next.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/vmx/vmx.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/string.h"
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

/* Real mode at F000:FFF0, base FFFF0000 (SDM 3A table 10-1) */
static void reset_segments(struct vcpu_regs *r)
{
	const struct segment data = { 0, SEG_ATTR_REAL_DATA, 0xffff, 0 };

	for (u32 i = SEG_ES; i <= SEG_GS; i++)
		r->seg[i] = data;
	r->seg[SEG_CS] = (struct segment){ 0xf000, SEG_ATTR_REAL_CODE, 0xffff,
					   0xffff0000 };
	r->seg[SEG_LDTR] = (struct segment){ 0, SEG_ATTR_LDT, 0xffff, 0 };
	r->seg[SEG_TR] = (struct segment){ 0, SEG_ATTR_TSS_BUSY, 0xffff, 0 };
	r->gdtr = (struct segment){ .limit = 0xffff };
	r->idtr = (struct segment){ .limit = 0xffff };
}

/* What a power-on resets and INIT does not */
static void reset_power_on(struct vcpu_hw *v)
{
	struct vcpu_regs *r = &v->regs;

	fpu_reset(&v->arch->fpu);
	r->xcr0 = XCR0_X87;
	r->pat = PAT_RESET;
	r->star = r->lstar = r->cstar = r->sfmask = r->kernel_gs_base = 0;
	r->sysenter_cs = r->sysenter_esp = r->sysenter_eip = 0;
}

static void load_debug(const struct vcpu_regs *r)
{
	debug_regs_load(r->dr);
	write_dr6((u32)r->dr[6]);
}

void vmx_vcpu_reset(struct vcpu_hw *v, bool init)
{
	struct vcpu_regs *r = &v->regs;
	u64 cache_bits = CR0_CD | CR0_NW;

	if (init) {
		if (vmx_loaded(v))
			vmx_load_groups(v, (RG_MSR | RG_CR) & ~r->valid);
		cache_bits &= r->cr0;
	}
	memset(r->gpr, 0, sizeof(r->gpr));
	r->gpr[GPR_RDX] = cpuid(CPUID_FEATURES).eax;
	r->rip = 0xfff0;
	r->rflags = RFLAGS_FIXED;
	r->after = 0;
	r->cr0 = CR0_ET | cache_bits;
	r->cr2 = r->cr3 = r->cr4 = r->efer = 0;
	memset(r->dr, 0, sizeof(r->dr));
	r->dr[6] = DR6_FIXED;
	r->dr[7] = DR7_FIXED;
	reset_segments(r);
	if (!init)
		reset_power_on(v);
	r->valid = RG_ALL;
	r->dirty = RG_ALL;
	v->arch->attention |= ATT_RECHECK;
	v->arch->stale_events = !vmx_loaded(v);
	if (!vmx_loaded(v))
		return;
	vmx_reset_events(v->arch);
	load_debug(r);
	if (!init)
		fpu_load(&v->arch->fpu, r->xcr0);
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
		vmx_write_controls(v);
	else if (a->stale_events)
		vmx_reset_events(a);
	a->configured = true;
	a->stale_events = false;
	if (a->cpu != cpu) {
		vmx_write_host_state(cpu);
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

	vmx_load_groups(v, RG_ALL & ~v->regs.valid);
	fpu_save(&a->fpu);
	debug_regs_save(v->regs.dr);
	ASSERT(!vmx_clear(virt_to_hpa(a->vmcs)));
	a->attention |= ATT_LAUNCH;
	this_cpu()->backend->loaded = NULL;
}

u64 vmx_eptp(const struct vcpu_hw *v)
{
	return v->npt_root.v | EPTP_WALK_4 | EPTP_WB;
}

void vmx_flush_vpid(const struct vcpu_arch *a)
{
	if (!a->vpid)
		return; /* every VM entry and exit flushes VPID 0 */
	if (vmx_caps.ept_vpid & EPT_CAP_INVVPID_SINGLE)
		ASSERT(!vmx_invvpid(INVAL_SINGLE, a->vpid));
	else
		ASSERT(!vmx_invvpid(INVAL_ALL, 0));
}

void vmx_flush(struct vcpu_hw *v)
{
	vmx_flush_vpid(v->arch);
	if (vmx_caps.ept_vpid & EPT_CAP_INVEPT_SINGLE)
		ASSERT(!vmx_invept(INVAL_SINGLE, vmx_eptp(v)));
	else
		ASSERT(!vmx_invept(INVAL_ALL, 0));
}
