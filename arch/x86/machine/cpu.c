/* SPDX-License-Identifier: BSD-2-Clause */
/* See cpu.h. Called by hv/init.c on the boot CPU and by smp.c on the others,
 * each for itself; no lock. */
#include "arch/x86/machine/cpu.h"

#include "arch/x86/cpu/asm.h"
#include "arch/x86/cpu/cet.h"
#include "arch/x86/cpu/cpu_area.h"
#include "arch/x86/cpu/features.h"
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/cpu/panic.h"
#include "arch/x86/machine/idt.h"
#include "arch/x86/machine/log_env.h"
#include "arch/x86/machine/mce.h"
#include "arch/x86/machine/microcode.h"
#include "arch/x86/machine/mtrr.h"
#include "arch/x86/machine/residue.h"
#include "arch/x86/machine/smp.h"
#include "include/hw/cpu.h"
#include "include/hw/msr.h"
#include "mm/hostmap.h"

static u64 wanted_cr4(void)
{
	const struct cpu_features *f = &cpu_features;
	u64 cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr4 |= f->pge ? CR4_PGE : 0;
	cr4 |= f->mce ? CR4_MCE : 0;
	cr4 |= f->smep ? CR4_SMEP : 0;
	cr4 |= f->smap ? CR4_SMAP : 0;
	cr4 |= f->xsave ? CR4_OSXSAVE : 0;
	return cr4;
}

/*
 * Set CR0, CR4, EFER, PAT and XCR0 of this core as the hypervisor wants them:
 * WP, NXE, SMEP, SMAP, PGE, MCE, OSFXSR and OSXSAVE where the CPU has them. It
 * runs before tables with NX bits are loaded. CR4.VMXE and EFER.SVME are the
 * back-ends' to add.
 */
static void control_init(void)
{
	const struct cpu_features *f = &cpu_features;

	/* FFXSR would keep FXSAVE from XMM registers, TCE changes INVLPG, LMSLE
	 * segments: none of what firmware left stays */
	wrmsr(MSR_EFER, EFER_LME | EFER_LMA | (f->nx ? EFER_NXE : 0));
	write_cr0(CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG);
	write_cr4(wanted_cr4());
	/*
	 * The types in use (WB, UC) keep their entries in the PAT, so the
	 * caches need not be written back (SDM 3A 12.12.4 *Programming the
	 * PAT*). The load of CR3 drops what the TLB holds of entries that
	 * changed.
	 */
	if (f->pat)
		wrmsr(MSR_PAT, HOST_PAT);
	write_cr3(read_cr3());
	if (f->xsave)
		xsetbv(0, f->xcr0_mask);
}

void cpu_boot_init(void)
{
	struct pcpu *cpu = cpu_area_init(boot_cpu_area);

	pcpus[0] = cpu;
	pcpu_count = 1;
	cpu->online = true;
	cpu_features_init();
	gdt_load(cpu);
	idt_init();
	idt_load();
	log_env_init();
	panic_stop_hook = smp_stop_others;
}

void cpu_boot_control(void)
{
	if (residue_clear())
		cpu_features_init();
	control_init();
	mce_init_cpu();
	mtrr_init_cpu();
}

int cpu_guard_stacks(struct pcpu *cpu)
{
	bool shadow = cet_has_shadow_stacks();
	int err = 0;

	if (shadow)
		cpu_area_shadow_init(cpu);
	for (u32 i = IST_NONE; i < IST_COUNT && !err; i++) {
		const void *page = cpu_area_guard(cpu, i);

		err = shadow ? hostmap_shadow_stack(page) : hostmap_guard(page);
	}
	return err;
}

void cpu_init_this(struct pcpu *cpu)
{
	control_init();
	hostmap_load_cpu();
	gdt_load(cpu);
	idt_load();
	(void)residue_clear();
	microcode_load_this();
	mce_init_cpu();
	mtrr_init_cpu();
}
