/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segment registers where the selector, the stack or the far pointer is not in
 * RAM (SDM 2A, 2B: MOV, POP, LDS/LES/LFS/LGS/LSS, CALL, JMP). Called through
 * the opcode table of hv/emulate/emulate.c. Gates and task switches by such a
 * pointer are not emulated.
 */
#include "hv/emulate/priv.h"
#include "hv/emulate/task.h"
#include "lib/errno.h"

#define SELECTOR_BYTES 2
#define SYSTEM_GATES   0x1a3au /* 1 3-5, 9 11 12: TSS, call and task gates */

/* The error of emu_descriptor() and of what follows it */
int emu_fault(struct emu *m, u8 vector, u32 error)
{
	vcpu_raise_exception(m->v, vector, true, error);
	return EMU_FAULT;
}

int emu_fault_plain(struct emu *m, u8 vector)
{
	vcpu_raise_exception(m->v, vector, false, 0);
	return EMU_FAULT;
}

u32 emu_cpl(struct emu *m)
{
	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	return vcpu_cpl(m->r);
}

int emu_of_task(int err)
{
	if (!err)
		return EMU_OK;
	return err == -EFAULT ? EMU_FAULT : EMU_UNKNOWN;
}

int emu_descriptor(struct emu *m, u16 sel, struct task_span *at,
		   u8 raw[DESC_BYTES])
{
	int err;

	vcpu_need(m->v, RG_SEG | RG_DT);
	err = task_descriptor(m->v, sel, at, raw);
	if (err == -ENOENT)
		return emu_fault(m, EXC_GP, SEL_ERROR(sel));
	return emu_of_task(err);
}

static void segment_set(struct emu *m, enum seg seg, const struct segment *s)
{
	m->r->seg[seg] = *s;
	vcpu_dirty(m->v, RG_SEG);
}

/* In real mode a selector sets the base, and nothing else (SDM 3A 21.1.1) */
static struct segment real_segment(struct emu *m, enum seg seg, u16 sel)
{
	struct segment s = m->r->seg[seg];

	s.sel = sel;
	s.base = (u64)sel << 4;
	if (s.attr & SEG_ATTR_UNUSABLE)
		s.attr = SEG_ATTR_REAL_DATA;
	return s;
}

/* SS may be null only in 64-bit code, and not at CPL 3 */
static int load_null(struct emu *m, enum seg seg, u16 sel)
{
	u32 cpl = emu_cpl(m);
	struct segment s = { .sel = sel, .attr = SEG_ATTR_UNUSABLE };

	if (seg == SEG_SS) {
		if (m->mode != INSN_64BIT || cpl == CPL_USER ||
		    SEL_RPL(sel) != cpl)
			return emu_fault(m, EXC_GP, 0);
		s.attr |= m->r->seg[SEG_SS].attr & SEG_ATTR_DPL_MASK;
	}
	segment_set(m, seg, &s);
	return EMU_OK;
}

/* The descriptor of a code or data segment, checked and marked */
static int find_segment(struct emu *m, enum seg seg, u16 sel, struct segment *s)
{
	u8 raw[DESC_BYTES], vector;
	struct task_span at;
	int err = emu_descriptor(m, sel, &at, raw);

	if (err)
		return err;
	*s = task_segment(sel, raw);
	if (seg == SEG_CS && !(s->attr & SEG_ATTR_S) &&
	    (SYSTEM_GATES >> (s->attr & SEG_ATTR_TYPE) & 1))
		return EMU_UNKNOWN;
	vector = task_check_segment(seg, s, emu_cpl(m));
	if (seg == SEG_CS && !vector && (m->r->efer & EFER_LMA) &&
	    (s->attr & SEG_ATTR_L) && (s->attr & SEG_ATTR_DB))
		vector = EXC_GP;
	if (vector)
		return emu_fault(m, vector, SEL_ERROR(sel));
	s->attr |= SEG_ATTR_ACCESSED;
	return emu_of_task(task_mark_accessed(m->v, &at, raw));
}

static int load_segment(struct emu *m, enum seg seg, u16 sel)
{
	struct segment s;
	int err;

	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	if (!emu_protected(m)) {
		s = real_segment(m, seg, sel);
	} else {
		if (!SEL_ERROR(sel))
			return load_null(m, seg, sel);
		err = find_segment(m, seg, sel, &s);
		if (err)
			return err;
	}
	segment_set(m, seg, &s);
	return EMU_OK;
}

/* A load of SS holds back interrupts and traps for one instruction (SDM 3A
 * 6.8.3): the dispatcher's step would end that at once. A shadow that STI cast
 * over the load itself is over. */
static int loaded(struct emu *m, enum seg seg)
{
	if (seg != SEG_SS)
		return EMU_OK;
	m->r->shadow = (u8)((m->r->shadow & ~AFTER_SHADOW) | SHADOW_MOV_SS);
	m->r->rflags &= ~RFLAGS_RF;
	return emu_step_over(m);
}

int op_mov_to_segment(struct emu *m) /* 8E */
{
	enum seg seg = m->insn.reg & 7;
	struct emu_span span;
	int err;

	if (seg > SEG_GS || seg == SEG_CS)
		return emu_ud(m);
	err = emu_resolve_operand(m, SELECTOR_BYTES, ACCESS_R, &span);
	if (!err)
		err = load_segment(m, seg,
				   (u16)emu_load(m, &span, SELECTOR_BYTES));
	return err ? err : loaded(m, seg);
}

/* 06 0E 16 1E, 07 17 1F; 0F A0 A8, 0F A1 A9 */
static enum seg stack_segment(const struct emu *m)
{
	return m->insn.opcode >> 3 & (m->insn.map == MAP_0F ? 5 : 3);
}

int op_push_segment(struct emu *m)
{
	vcpu_need(m->v, RG_SEG);
	return emu_push(m, m->r->seg[stack_segment(m)].sel);
}

/* RSP moves in the size of the stack that is left */
int op_pop_segment(struct emu *m)
{
	enum seg seg = stack_segment(m);
	u64 value, rsp = emu_reg_get(m, GPR_RSP, 8);
	int err = emu_top(m, &value);

	if (err)
		return err;
	emu_drop(m);
	err = load_segment(m, seg, (u16)value);
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	return loaded(m, seg);
}

/* The offset, and behind it the selector */
static int load_far_pointer(struct emu *m, u16 *sel, u64 *offset)
{
	struct emu_span low, high;
	int err = emu_resolve_operand(m, m->size, ACCESS_R, &low);

	m->insn.disp += m->size;
	if (!err)
		err = emu_resolve_operand(m, SELECTOR_BYTES, ACCESS_R, &high);
	m->insn.disp -= m->size;
	if (err)
		return err;
	*offset = emu_load(m, &low, m->size);
	*sel = (u16)emu_load(m, &high, SELECTOR_BYTES);
	return EMU_OK;
}

int op_load_far(struct emu *m) /* C4 C5; 0F B2 B4 B5 */
{
	enum seg seg = m->insn.opcode & 7;
	u64 offset;
	u16 sel;
	int err = load_far_pointer(m, &sel, &offset);

	if (m->insn.map == MAP_ONE)
		seg = m->insn.opcode & 1 ? SEG_DS : SEG_ES;
	if (!err)
		err = load_segment(m, seg, sel);
	if (!err)
		emu_reg_set(m, m->insn.reg, m->size, offset);
	return err;
}

/* Where a far CALL or JMP through memory goes */
static int far_target(struct emu *m, struct segment *cs, u64 *target)
{
	u16 sel;
	int err = load_far_pointer(m, &sel, target);
	bool fits;

	if (err)
		return err;
	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	if (!emu_protected(m)) {
		*cs = real_segment(m, SEG_CS, sel);
	} else {
		if (!SEL_ERROR(sel))
			return emu_fault(m, EXC_GP, 0);
		err = find_segment(m, SEG_CS, sel, cs);
		if (err)
			return err;
		cs->sel = (u16)(SEL_ERROR(sel) | emu_cpl(m));
	}
	if ((m->r->efer & EFER_LMA) && (cs->attr & SEG_ATTR_L))
		fits = emu_is_canonical(m, *target);
	else
		fits = *target <= cs->limit;
	return fits ? EMU_OK : emu_fault(m, EXC_GP, 0);
}

int op_jmp_far(struct emu *m) /* FF /5 */
{
	struct segment cs;
	u64 target;
	int err = far_target(m, &cs, &target);

	if (err)
		return err;
	segment_set(m, SEG_CS, &cs);
	emu_jump(m, target);
	return EMU_OK;
}

int op_call_far(struct emu *m) /* FF /3 */
{
	u64 rsp = emu_reg_get(m, GPR_RSP, 8);
	struct segment cs;
	u64 target;
	int err = far_target(m, &cs, &target);

	if (!err)
		err = emu_push_sized(m, m->size, m->r->seg[SEG_CS].sel);
	if (err)
		return err;
	err = emu_push_sized(m, m->size, m->r->rip + m->insn.len);
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	segment_set(m, SEG_CS, &cs);
	emu_jump(m, target);
	return EMU_OK;
}
