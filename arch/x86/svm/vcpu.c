/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's life in SVM: its VMCB, taking a core and giving it up.
 * Nothing here takes a lock; a vCPU is touched by its core alone.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/debug_regs.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/svm/internal.h"
#include "lib/errno.h"

/* A guest spinning on PAUSE leaves after so many, closer than the threshold */
#define PAUSE_COUNT     3000
#define PAUSE_THRESHOLD 128

/* clang-format off */
#define INTERCEPTS1 (I1_INTR | I1_NMI | I1_SMI | I1_INIT | \
		     I1_CR0_SEL_WRITE | I1_RDPMC | I1_CPUID | I1_RSM | I1_INVD | I1_HLT | I1_INVLPGA | \
		     I1_IOIO_PROT | I1_MSR_PROT | I1_SHUTDOWN)
#define INTERCEPTS2 (I2_VMRUN | I2_VMMCALL | I2_VMLOAD | I2_VMSAVE | I2_STGI | \
		     I2_CLGI | I2_SKINIT | I2_ICEBP | I2_WBINVD | I2_MONITOR | \
		     I2_MWAIT | I2_XSETBV | I2_RDPRU)
#define INTERCEPTS3 (I3_INVLPGB | I3_INVLPGB_ILLEGAL | I3_MCOMMIT | I3_TLBSYNC)
/* clang-format on */

static void control_init(struct vmcb_control *c)
{
	c->intercept_cr = CR4_READ | CR4_WRITE; /* see store_cr() */
	c->intercept1 = INTERCEPTS1;
	c->intercept2 = INTERCEPTS2;
	c->intercept3 = INTERCEPTS3;
	c->intercept_exceptions = EXCEPTIONS;
	c->vintr = VINTR_MASKING;
	c->eventinj = 0;
	c->interrupt_shadow = 0;
	c->vmcb_clean = 0;
	c->np_enable = NP_ENABLE;
	if (svm_caps.bus_lock) {
		c->intercept3 |= I3_BUS_LOCK;
		c->bus_lock_counter = BUS_LOCKS;
	}
	if (svm_caps.pause_filter) {
		c->intercept1 |= I1_PAUSE;
		c->pause_filter_count = PAUSE_COUNT;
		c->pause_filter_threshold = PAUSE_THRESHOLD;
	}
}

int svm_vcpu_create(struct vcpu_hw *v)
{
	struct vcpu_arch *a = kmem_alloc(v->budget, sizeof(*a));
	int err = -ENOMEM;

	if (!a)
		return err;
	a->vmcb = pmm_alloc(v->budget, 0);
	if (!a->vmcb)
		goto out_arch;
	err = fpu_create(&a->fpu, v->budget);
	if (err)
		goto out_vmcb;
	a->vmcb_hpa = virt_to_hpa(a->vmcb);
	a->attention = ATT_LOAD;
	v->arch = a;
	return 0;

out_vmcb:
	pmm_free(v->budget, a->vmcb, 0);
out_arch:
	kmem_free(v->budget, a, sizeof(*a));
	return err;
}

void svm_vcpu_destroy(struct vcpu_hw *v)
{
	struct vcpu_arch *a = v->arch;

	fpu_destroy(&a->fpu, v->budget);
	pmm_free(v->budget, a->vmcb, 0);
	kmem_free(v->budget, a, sizeof(*a));
	v->arch = NULL;
}

void svm_vcpu_reset(struct vcpu_hw *v, bool init)
{
	struct vcpu_arch *a = v->arch;

	if (init)
		svm_load_groups(v, RG_MSR | RG_CR);
	else
		fpu_reset(&a->fpu);
	vcpu_regs_reset(&v->regs, init);
	if (init)
		debug_regs_load(v->regs.dr);
	control_init(&a->vmcb->control);
	a->attention &= ~(u32)ATT_WINDOW;
	a->nmi_shadow = 0;
	a->nmi_window = false;
	a->nmi_step = false;
}

void svm_attach(struct vcpu_hw *v)
{
	struct pcpu *cpu = this_cpu();
	struct vcpu_arch *a = v->arch;
	struct vmcb_control *c = &a->vmcb->control;

	c->n_cr3 = v->npt_root.v;
	c->iopm_base_pa = virt_to_hpa(v->intercepts->port_bitmap).v;
	c->msrpm_base_pa = virt_to_hpa(v->intercepts->msr_bitmap).v;
	svm_unclean(a, CLEAN_ALL);
	if (a->cpu != cpu || a->asid_generation != cpu->backend->generation) {
		a->cpu = cpu;
		svm_assign_asid(a, cpu);
	}
	fpu_load(&a->fpu, v->regs.xcr0);
	a->xcr0 = v->regs.xcr0;
	debug_regs_load(v->regs.dr);
}

void svm_xcr0_sync(struct vcpu_hw *v)
{
	/* A value not stored yet is newer than the core's */
	if (!cpu_features.xsave || v->arch->xcr0 != v->regs.xcr0)
		return;
	v->arch->xcr0 = xgetbv(0);
	v->regs.xcr0 = v->arch->xcr0;
}

void svm_put(struct vcpu_hw *v)
{
	struct pcpu *cpu = this_cpu();

	if (cpu->backend->loaded)
		svm_unload(cpu);
	/* It asked for the flush when it came, and an entry took it */
	if (v->arch->vmcb->control.tlb_control == TLB_DO_NOTHING &&
	    v->arch->asid_generation == cpu->backend->generation)
		cpu->backend->flush_owed = false;
	svm_xcr0_sync(v);
	fpu_save(&v->arch->fpu);
	debug_regs_save(v->regs.dr);
}
