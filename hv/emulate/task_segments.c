/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Step 13 of a task switch: the descriptors of the new task's selectors, each
 * checked as SDM 3A table 8-1 *Exception Conditions Checked During a Task
 * Switch* says. The new task's registers are in place already: a fault is its
 * own, and segments not loaded yet are unusable. Home core; no lock.
 */
#include "hv/core/regs.h"
#include "hv/emulate/task.h"
#include "include/hw/cpu.h"
#include "lib/errno.h"

#define ATTR_V86 (SEG_ATTR_REAL_DATA | CPL_USER << SEG_ATTR_DPL_SHIFT)

static int fault(struct vcpu *v, u8 vector, u16 sel, u32 ext)
{
	vcpu_raise_exception(v, vector, true, SEL_ERROR(sel) | ext);
	return -EFAULT;
}

/* SDM 3A 21.3: in virtual-8086 mode a selector is a base */
static void load_v86(struct vcpu_regs *r)
{
	for (u32 i = SEG_ES; i <= SEG_GS; i++) {
		r->seg[i].base = (u64)r->seg[i].sel << 4;
		r->seg[i].limit = 0xffff;
		r->seg[i].attr = ATTR_V86;
	}
}

void task_forget_segments(struct vcpu *v)
{
	struct vcpu_regs *r = vcpu_regs(v);
	/* CPL is what the new CS says, and in SS from here on */
	u32 dpl = SEL_RPL(r->seg[SEG_CS].sel) << SEG_ATTR_DPL_SHIFT;

	if (r->rflags & RFLAGS_VM) {
		load_v86(r);
		r->seg[SEG_LDTR].attr = SEG_ATTR_UNUSABLE;
		return;
	}
	for (u32 i = SEG_ES; i <= SEG_LDTR; i++) {
		if (i == SEG_SS)
			continue;
		r->seg[i].attr = SEG_ATTR_UNUSABLE;
		r->seg[i].base = 0;
		r->seg[i].limit = 0;
	}
	r->seg[SEG_SS].attr =
		(r->seg[SEG_SS].attr & ~(u32)SEG_ATTR_DPL_MASK) | dpl;
	r->seg[SEG_CS].attr = SEG_ATTR_REAL_CODE | dpl;
	r->seg[SEG_CS].limit = 0xffff;
}

/* Descriptor of @sel, or the fault for one that is outside its table */
static int fetch(struct vcpu *v, u16 sel, u32 ext, struct task_span *span,
		 u8 raw[DESC_BYTES], struct segment *s)
{
	int err = task_descriptor(v, sel, span, raw);

	if (err == -ENOENT)
		return fault(v, EXC_TS, sel, ext);
	if (!err)
		*s = task_segment(sel, raw);
	return err;
}

static int load_ldt(struct vcpu *v, u32 ext)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u16 sel = r->seg[SEG_LDTR].sel;
	struct task_span span;
	u8 raw[DESC_BYTES];
	struct segment s;
	int err;

	if (!SEL_ERROR(sel))
		return 0;
	if (sel & SEL_TI)
		return fault(v, EXC_TS, sel, ext);
	err = fetch(v, sel, ext, &span, raw, &s);
	if (err)
		return err;
	if ((s.attr & (SEG_ATTR_P | SEG_ATTR_S | SEG_ATTR_TYPE)) !=
	    SEG_ATTR_LDT)
		return fault(v, EXC_TS, sel, ext);
	r->seg[SEG_LDTR] = s;
	return 0;
}

static int load_segment(struct vcpu *v, enum seg seg, u32 ext)
{
	struct vcpu_regs *r = vcpu_regs(v);
	u16 sel = r->seg[seg].sel;
	bool needed = seg == SEG_CS || seg == SEG_SS;
	struct task_span span;
	u8 raw[DESC_BYTES], vector;
	struct segment s;
	int err;

	if (!SEL_ERROR(sel))
		return needed ? fault(v, EXC_TS, sel, ext) : 0;
	err = fetch(v, sel, ext, &span, raw, &s);
	if (err)
		return err;
	vector = task_check_segment(seg, &s, vcpu_cpl(r));
	if (vector)
		return fault(v, vector == EXC_GP ? EXC_TS : vector, sel, ext);
	err = task_mark_accessed(v, &span, raw);
	if (err)
		return err;
	s.attr |= SEG_ATTR_ACCESSED;
	r->seg[seg] = s;
	return 0;
}

int task_load_segments(struct vcpu *v, u32 ext)
{
	static const u8 order[] = { SEG_CS, SEG_SS, SEG_ES,
				    SEG_DS, SEG_FS, SEG_GS };
	struct vcpu_regs *r = vcpu_regs(v);
	int err;

	err = load_ldt(v, ext);
	if (err)
		return err;
	if (r->rflags & RFLAGS_VM)
		return 0; /* they are as they must be */
	for (u32 i = 0; i < ARRAY_SIZE(order); i++) {
		err = load_segment(v, (enum seg)order[i], ext);
		if (err)
			return err;
	}
	return 0;
}
