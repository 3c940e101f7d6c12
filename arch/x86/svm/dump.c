/* SPDX-License-Identifier: BSD-2-Clause */
/* What a person needs after a crash, of the VMCB. Context: as svm_run(). */
#include "arch/x86/svm/internal.h"
#include "lib/log.h"

#define TAG "svm"

static void dump_segment(const char *name, const struct segment *s)
{
	log_error(TAG, "%-4s %04x base %016llx limit %08x attr %05x", name,
		  s->sel, s->base, s->limit, s->attr);
}

static void dump_segments(const struct vcpu_regs *r)
{
	static const char *const names[SEG_COUNT] = {
		"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr",
	};
	u32 i;

	for (i = 0; i < SEG_COUNT; i++)
		dump_segment(names[i], &r->seg[i]);
	dump_segment("gdtr", &r->gdtr);
	dump_segment("idtr", &r->idtr);
}

static void dump_gprs(const struct vcpu_regs *r)
{
	static const char *const names[GPR_COUNT] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
	};
	u32 i;

	for (i = 0; i < GPR_COUNT; i += 4)
		log_error(TAG,
			  "%-3s %016llx %-3s %016llx %-3s %016llx %-3s %016llx",
			  names[i], r->gpr[i], names[i + 1], r->gpr[i + 1],
			  names[i + 2], r->gpr[i + 2], names[i + 3],
			  r->gpr[i + 3]);
}

static void dump_control(const struct vmcb_control *c)
{
	log_error(TAG, "exit %llx info1 %llx info2 %llx intinfo %llx",
		  c->exitcode, c->exitinfo1, c->exitinfo2, c->exitintinfo);
	log_error(TAG, "vintr %llx shadow %llx eventinj %llx ncr3 %llx asid %u",
		  c->vintr, c->interrupt_shadow, c->eventinj, c->n_cr3,
		  c->guest_asid);
	log_error(TAG, "intercepts %08x %08x %08x exceptions %08x",
		  c->intercept1, c->intercept2, c->intercept3,
		  c->intercept_exceptions);
}

void svm_dump(struct vcpu_hw *v)
{
	const struct vcpu_regs *r = &v->regs;

	svm_read(v, RG_ALL);
	log_error(TAG, "rip %016llx rflags %08llx cr2 %016llx", r->rip,
		  r->rflags, r->cr2);
	dump_gprs(r);
	log_error(TAG, "cr0 %08llx cr3 %016llx cr4 %08llx efer %04llx", r->cr0,
		  r->cr3, r->cr4, r->efer);
	dump_segments(r);
	dump_control(&v->arch->vmcb->control);
}
