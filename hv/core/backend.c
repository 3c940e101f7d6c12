/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The back-end in use, chosen once on the boot CPU, and what both back-ends do
 * with the registers of a vCPU: reset them and print them. No locks.
 */
#include "hv/core/backend.h"

#include "arch/x86/cpu/asm.h"
#include "include/hw/cpu.h"
#include "include/hw/cpuid.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

const struct vcpu_ops *vcpu_ops;
void (*guest_polls_hook)(struct vcpu_hw *v);

int backend_select(const struct vcpu_ops *const *candidates, u32 count,
		   u32 *max_level)
{
	int err = -ENODEV;

	for (u32 i = 0; i < count; i++) {
		err = candidates[i]->probe(max_level);
		if (!err) {
			vcpu_ops = candidates[i];
			return 0;
		}
		if (err != -ENODEV)
			return err; /* it said what is wrong */
	}
	log_error("cpu",
		  "this processor offers neither VMX nor SVM: switch \"Intel "
		  "Virtualization Technology (VT-x)\" or \"SVM Mode\" on in "
		  "the firmware's CPU settings, or use a processor with it");
	return err;
}

/* Real mode at F000:FFF0, base FFFF0000 */
static void reset_segments(struct vcpu_regs *r)
{
	for (u32 i = 0; i < SEG_COUNT; i++)
		r->seg[i] = (struct segment){ .attr = SEG_ATTR_REAL_DATA,
					      .limit = 0xffff };
	r->seg[SEG_CS].sel = 0xf000;
	r->seg[SEG_CS].base = 0xffff0000;
	r->seg[SEG_CS].attr = SEG_ATTR_REAL_CODE;
	r->seg[SEG_LDTR].attr = SEG_ATTR_LDT;
	r->seg[SEG_TR].attr = SEG_ATTR_TSS_BUSY;
	r->gdtr = (struct segment){ .limit = 0xffff };
	r->idtr = r->gdtr;
}

/* What a power-on resets and INIT does not */
static void keep_over_init(struct vcpu_regs *r, const struct vcpu_regs *old)
{
	r->cr0 = CR0_ET | (old->cr0 & (CR0_NW | CR0_CD));
	r->pat = old->pat;
	r->xcr0 = old->xcr0;
	r->star = old->star;
	r->lstar = old->lstar;
	r->cstar = old->cstar;
	r->sfmask = old->sfmask;
	r->kernel_gs_base = old->kernel_gs_base;
	r->sysenter_cs = old->sysenter_cs;
	r->sysenter_esp = old->sysenter_esp;
	r->sysenter_eip = old->sysenter_eip;
}

void vcpu_regs_reset(struct vcpu_regs *r, bool init)
{
	struct vcpu_regs old = *r;

	memset(r, 0, sizeof(*r));
	reset_segments(r);
	r->gpr[GPR_RDX] = cpuid(CPUID_FEATURES).eax;
	r->rip = 0xfff0;
	r->rflags = RFLAGS_FIXED;
	r->cr0 = CR0_ET | CR0_NW | CR0_CD;
	r->dr[6] = DR6_FIXED;
	r->dr[7] = DR7_FIXED;
	r->pat = PAT_RESET;
	r->xcr0 = XCR0_X87;
	r->mce_hidden = true;
	if (init)
		keep_over_init(r, &old);
	r->valid = RG_ALL;
	r->dirty = RG_ALL | RG_CONTROL;
}

static void dump_gprs(const char *tag, const struct vcpu_regs *r)
{
	static const char *const names[GPR_COUNT] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
	};

	for (u32 i = 0; i < GPR_COUNT; i += 4)
		log_error(tag,
			  "%3s %016llx  %3s %016llx  %3s %016llx  %3s %016llx",
			  names[i], r->gpr[i], names[i + 1], r->gpr[i + 1],
			  names[i + 2], r->gpr[i + 2], names[i + 3],
			  r->gpr[i + 3]);
}

static void dump_system(const char *tag, const struct vcpu_regs *r)
{
	log_error(tag, "rip %016llx  rflags %08llx  shadow %x", r->rip,
		  r->rflags, r->shadow);
	log_error(tag,
		  "cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx  efer %llx",
		  r->cr0, r->cr2, r->cr3, r->cr4, r->efer);
	log_error(tag, "gdtr %016llx/%x  idtr %016llx/%x  dr7 %llx",
		  r->gdtr.base, r->gdtr.limit, r->idtr.base, r->idtr.limit,
		  r->dr[7]);
	log_error(tag, "lstar %016llx  star %016llx  kernel_gs %016llx",
		  r->lstar, r->star, r->kernel_gs_base);
}

static void dump_segments(const char *tag, const struct vcpu_regs *r)
{
	static const char *const names[SEG_COUNT] = {
		"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
	};

	for (u32 i = 0; i < SEG_COUNT; i += 2) {
		const struct segment *s = &r->seg[i];

		log_error(tag,
			  "%-4s %04x base %016llx limit %08x attr %05x  "
			  "%-4s %04x base %016llx limit %08x attr %05x",
			  names[i], s->sel, s->base, s->limit, s->attr,
			  names[i + 1], s[1].sel, s[1].base, s[1].limit,
			  s[1].attr);
	}
}

void vcpu_regs_dump(const char *tag, const struct vcpu_regs *r,
		    void (*rest)(void))
{
	dump_gprs(tag, r);
	dump_system(tag, r);
	rest();
	dump_segments(tag, r);
}
