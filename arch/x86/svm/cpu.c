/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SVM on a core: probe, enable, disable; whose state the core holds.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/machine/irq.h"
#include "arch/x86/svm/internal.h"
#include "include/hw/msr.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"

#define VMRUN_BYTES 3

struct svm_caps svm_caps;

static int switched_off(u64 vm_cr)
{
	log_error("svm",
		  "AMD virtualization is switched off%s: set \"SVM "
		  "Mode\" (or \"AMD-V\") to Enabled in the firmware's "
		  "CPU settings",
		  vm_cr & VM_CR_LOCK ? " and locked by the firmware" : "");
	return -ENOTSUP;
}

int svm_probe(u32 *max_level)
{
	u64 vm_cr;
	int err;

	if (cpu_features.vendor != VENDOR_AMD || !cpu_features.svm)
		return -ENODEV;
	vm_cr = rdmsr(MSR_AMD_VM_CR);
	if (vm_cr & VM_CR_SVMDIS)
		return switched_off(vm_cr);
	err = svm_caps_read(&svm_caps, &cpu_features);
	if (err)
		return err;
	*max_level = svm_caps_max_level(&svm_caps);
	log_info("svm",
		 "nested paging, %u ASIDs, next RIP %s, decode assists %s",
		 svm_caps.asid_count, svm_caps.nrips ? "saved" : "decoded",
		 svm_caps.decode_assists ? "yes" : "no");
	return 0;
}

/* QUIRK(bochs-2.7): a single-step trap of the guest whose instruction is
 * intercepted stays pending through #VMEXIT, and comes here behind VMRUN */
static bool debug_trap_lost(u64 rip)
{
	return rip == (u64)svm_enter_vmrun + VMRUN_BYTES;
}

int svm_cpu_enable(struct pcpu *cpu)
{
	struct backend_cpu *b;

	if (rdmsr(MSR_AMD_VM_CR) & VM_CR_SVMDIS) {
		log_error("svm",
			  "core %u has SVM switched off: set \"SVM Mode\" "
			  "to Enabled in the firmware's CPU settings",
			  cpu->id);
		return -ENOTSUP;
	}
	b = kmem_alloc(&pmm_self, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->hsave = pmm_alloc(&pmm_self, 0);
	b->host_vmcb = pmm_alloc(&pmm_self, 0);
	if (!b->hsave || !b->host_vmcb)
		goto out_free;
	b->host_vmcb_hpa = virt_to_hpa(b->host_vmcb);
	b->next_asid =
		svm_caps.asid_count; /* the first one begins a generation */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SVME);
	debug_hook = debug_trap_lost;
	if (svm_caps.irqs_held)
		guest_polls_hook = svm_guest_polls;
	wrmsr(MSR_AMD_VM_HSAVE_PA, virt_to_hpa(b->hsave).v);
	cpu->backend = b;
	return 0;

out_free:
	if (b->hsave)
		pmm_free(&pmm_self, b->hsave, 0);
	if (b->host_vmcb)
		pmm_free(&pmm_self, b->host_vmcb, 0);
	kmem_free(&pmm_self, b, sizeof(*b));
	return -ENOMEM;
}

void svm_cpu_disable(void)
{
	struct pcpu *cpu = this_cpu();

	if (!cpu->backend)
		return;
	if (cpu->backend->loaded)
		svm_unload(cpu);
	wrmsr(MSR_AMD_VM_HSAVE_PA, 0);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~EFER_SVME);
}

/* From here to unload() GIF is clear except inside the guest */
static inline void load(struct vcpu_arch *a, struct pcpu *cpu)
{
	struct backend_cpu *b = cpu->backend;

	svm_clgi();
	svm_vmsave(b->host_vmcb_hpa);
	svm_vmload(a->vmcb_hpa);
	b->loaded = a;
	a->attention &= ~(u32)ATT_LOAD;
	cpu->unload_guest = svm_unload;
}

static inline void unload(struct vcpu_arch *a, struct pcpu *cpu)
{
	struct backend_cpu *b = cpu->backend;

	svm_vmsave(a->vmcb_hpa);
	svm_vmload(b->host_vmcb_hpa);
	a->attention |= ATT_LOAD;
	b->loaded = NULL;
	cpu->unload_guest = NULL;
	svm_stgi();
}

void svm_load(struct vcpu_arch *a, struct pcpu *cpu)
{
	ASSERT(!cpu->backend->loaded);
	load(a, cpu);
}

void svm_unload(struct pcpu *cpu)
{
	if (cpu->backend->loaded)
		unload(cpu->backend->loaded, cpu);
}

void svm_take_interrupts(struct vcpu_arch *a)
{
	struct pcpu *cpu = this_cpu();

	unload(a, cpu);
	irq_window();
	load(a, cpu);
}
