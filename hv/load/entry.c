/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The boot vCPU's registers where a kernel begins. Called by the loaders after
 * the image is in place, while the vCPU does not run. General registers other
 * than those of the boot protocol are zero.
 */
#include "hv/load/load.h"
#include "include/hw/bzimage.h"
#include "include/hw/cpu.h"
#include "include/hw/descriptor.h"
#include "include/hw/lapic.h"
#include "lib/string.h"

#define GDT_LIMIT (4 * DESC_BYTES - 1)

#define ATTR_CODE64 (SEG_ATTR_REAL_CODE | SEG_ATTR_L | SEG_ATTR_G)
#define ATTR_CODE32 (SEG_ATTR_REAL_CODE | SEG_ATTR_DB | SEG_ATTR_G)
#define ATTR_DATA   (SEG_ATTR_REAL_DATA | SEG_ATTR_DB | SEG_ATTR_G)

#define TSS_LIMIT (sizeof(struct tss64) - 1)

static void set_flat(struct vcpu_regs *r, u16 code, u32 code_attr, u16 data)
{
	const struct segment flat = { .sel = data,
				      .attr = ATTR_DATA,
				      .limit = ~0u };

	for (int i = SEG_ES; i <= SEG_GS; i++)
		r->seg[i] = flat;
	r->seg[SEG_CS].sel = code;
	r->seg[SEG_CS].attr = code_attr;
	r->seg[SEG_LDTR] = (struct segment){ .attr = SEG_ATTR_UNUSABLE };
	r->seg[SEG_TR] = (struct segment){ .attr = SEG_ATTR_TSS_BUSY,
					   .limit = TSS_LIMIT };
}

static void clear(struct vcpu_regs *r)
{
	memset(r->gpr, 0, sizeof(r->gpr));
	r->rflags = RFLAGS_FIXED;
	r->shadow = 0;
	r->cr2 = 0;
	r->idtr = (struct segment){ .limit = 0 };
	r->gdtr = (struct segment){ .limit = 0 };
}

static void finish(struct vcpu *v)
{
	const u32 groups = RG_RIP | RG_RSP | RG_CR | RG_SEG | RG_DT;

	vcpu_regs(v)->valid |= groups;
	vcpu_dirty(v, groups);
}

void entry_long_mode(struct vcpu *v, u64 rip, u64 cr3, u64 gdt)
{
	struct vcpu_regs *r = vcpu_regs(v);

	clear(r);
	set_flat(r, BZ_BOOT_CS, ATTR_CODE64, BZ_BOOT_DS);
	r->gdtr = (struct segment){ .base = gdt, .limit = GDT_LIMIT };
	r->rip = rip;
	r->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_PG;
	r->cr3 = cr3;
	r->cr4 = CR4_PAE;
	r->efer = EFER_LME | EFER_LMA;
	finish(v);
}

void entry_protected_mode(struct vcpu *v, u32 eip, u64 gdt)
{
	struct vcpu_regs *r = vcpu_regs(v);

	clear(r);
	set_flat(r, BZ_BOOT_CS, ATTR_CODE32, BZ_BOOT_DS);
	if (gdt)
		r->gdtr = (struct segment){ .base = gdt, .limit = GDT_LIMIT };
	r->rip = eip;
	r->cr0 = CR0_PE | CR0_ET;
	r->cr3 = 0;
	r->cr4 = 0;
	r->efer = 0;
	finish(v);
}

void entry_virtual_wire(struct vcpu *v)
{
	v->hw.apic_page[APIC_SVR / 4] |= APIC_SVR_ENABLE;
	v->hw.apic_page[APIC_LVT_LINT0 / 4] = APIC_DM(APIC_DM_EXTINT);
}
