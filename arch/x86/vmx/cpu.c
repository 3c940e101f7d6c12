/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMX on and off (SDM 3C 24.7 *Enabling and Entering VMX Operation*, 24.8
 * *Restrictions on VMX Operation*). First the probe on the boot CPU; then, on
 * each core, IA32_FEATURE_CONTROL, CR0 and CR4 fixed bits and VMXON.
 */
#include "include/hw/cpu.h"
#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/vmx/internal.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/pmm.h"

struct vmx_caps vmx_caps;

static int locked_off(u32 core)
{
	log_error(
		"vmx",
		"VMX is locked off on core %u: turn on \"Intel Virtualization "
		"Technology (VT-x)\" in the firmware setup",
		core);
	return -ENOTSUP;
}

int vmx_probe(u32 *max_level)
{
	u64 wanted;
	int err;

	if (!cpu_features.vmx) {
		if (cpu_features.vendor != VENDOR_INTEL)
			return -ENODEV;
		log_error("vmx", "This CPU offers no VMX: turn on \"Intel "
				 "Virtualization Technology (VT-x)\" in the "
				 "firmware setup, or use a CPU that has it");
		return -ENOTSUP;
	}
	if (vmx_feature_control(rdmsr(MSR_FEATURE_CONTROL), &wanted))
		return locked_off(0);
	err = vmx_caps_read(&vmx_caps, rdmsr);
	if (err)
		return err;
	*max_level = vmx_caps_max_level(&vmx_caps);
	return 0;
}

/* SDM 3C 25.6.2: each is #UD in a guest without its control */
bool vmx_can_run(enum optional_insn insn)
{
	u32 control = insn == INSN_RDTSCP ? CPU2_RDTSCP : CPU2_INVPCID;

	return vmx_caps.control[CTL_CPU2] & control;
}

/* A core that can do less (hybrid parts) would fail entries later */
static int check_caps(const struct pcpu *cpu)
{
	const char *lacking = vmx_caps_lacking(&vmx_caps, rdmsr);

	if (!lacking)
		return 0;
	log_error("vmx",
		  "the core with APIC id %u lacks %s (VMX), which guests run "
		  "with",
		  cpu->apic_id, lacking);
	return -ENOTSUP;
}

static int enable_in_feature_control(const struct pcpu *cpu)
{
	u64 value = rdmsr(MSR_FEATURE_CONTROL);
	u64 wanted;

	if (vmx_feature_control(value, &wanted))
		return locked_off(cpu->id);
	if (value != wanted)
		wrmsr(MSR_FEATURE_CONTROL, wanted);
	return 0;
}

static int vmxon(struct backend_cpu *b, const struct pcpu *cpu)
{
	struct vmcs_header *region = b->vmxon;

	region->revision = vmx_caps.revision;
	write_cr0((read_cr0() | vmx_caps.cr0_fixed0) & vmx_caps.cr0_fixed1);
	write_cr4((read_cr4() | vmx_caps.cr4_fixed0) & vmx_caps.cr4_fixed1);
	if (!vmx_on(virt_to_hpa(region)))
		return 0;
	write_cr4(read_cr4() & ~CR4_VMXE);
	log_error("vmx", "Core %u refused VMXON", cpu->id);
	return -EIO;
}

/* Translations of an earlier user of VMX (a warm reset) must not survive */
static void flush_everything(void)
{
	if (vmx_caps.ept_vpid & EPT_CAP_INVEPT_ALL)
		ASSERT(!vmx_invept(INVAL_ALL, 0));
	if (vmx_caps.ept_vpid & EPT_CAP_INVVPID_ALL)
		ASSERT(!vmx_invvpid(INVAL_ALL, 0));
}

int vmx_cpu_enable(struct pcpu *cpu)
{
	struct backend_cpu *b;
	int err;

	err = enable_in_feature_control(cpu);
	if (err)
		return err;
	err = check_caps(cpu);
	if (err)
		return err;
	b = kmem_alloc(&pmm_self, sizeof(*b));
	if (!b)
		return -ENOMEM;
	b->vmxon = pmm_alloc(&pmm_self, 0);
	err = b->vmxon ? vmxon(b, cpu) : -ENOMEM;
	if (err)
		goto out_free;
	flush_everything();
	cpu->backend = b;
	return 0;

out_free:
	if (b->vmxon)
		pmm_free(&pmm_self, b->vmxon, 0);
	kmem_free(&pmm_self, b, sizeof(*b));
	return err;
}

void vmx_cpu_disable(void)
{
	struct backend_cpu *b = this_cpu()->backend;

	if (!b)
		return;
	if (b->loaded)
		vmx_put(b->loaded);
	vmx_off();
	write_cr4(read_cr4() & ~CR4_VMXE);
	this_cpu()->backend = NULL;
	pmm_free(&pmm_self, b->vmxon, 0);
	kmem_free(&pmm_self, b, sizeof(*b));
}

void vmx_write_failed(u32 field)
{
	panic("VMCS field %#x cannot be written (VM-instruction error %u)",
	      field, vmread32(VMCS_INSTRUCTION_ERROR));
}
