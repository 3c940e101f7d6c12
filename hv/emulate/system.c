/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor tables and the machine status word (SDM 2A, 2B: SLDT, STR, LLDT,
 * LTR, SGDT, SIDT, LGDT, LIDT, SMSW, LMSW). They come here where an operand or
 * a table is not in RAM. Also the accessed bit that a load of a segment
 * register sets (SDM 3A 3.4.5.1), for tables in ROM, as firmware's are. Called
 * through the opcode table of hv/emulate/emulate.c and by the EXIT_MMIO
 * handler.
 */
#include "hv/core/gmem.h"
#include "hv/emulate/priv.h"
#include "hv/emulate/task.h"
#include "hv/policy/cr.h"
#include "lib/errno.h"
#include "lib/string.h"

#define GROUP6_SLDT 0
#define GROUP6_LLDT 2
#define GROUP6_LTR  3
#define GROUP6_VERR 4
#define GROUP6_VERW 5
#define GROUP7_LIDT 3
#define GROUP7_SMSW 4
#define GROUP7_LMSW 6
#define LIMIT_BYTES 2
#define BASE24      0xffffffu /* what a 16-bit LGDT loads */

static int load_word(struct emu *m, u16 *value)
{
	struct emu_span span;
	int err;

	if (!m->insn.mem) {
		*value = (u16)emu_reg_get(m, m->insn.rm, 2);
		return EMU_OK;
	}
	err = emu_resolve_operand(m, 2, ACCESS_R, &span);
	if (!err)
		*value = (u16)emu_load(m, &span, 2);
	return err;
}

/* A store to memory is of two bytes, whatever the operand size */
static int store_word(struct emu *m, u16 value)
{
	struct emu_span span;
	int err = emu_resolve_operand(m, 2, ACCESS_W, &span);

	if (!err)
		emu_store(m, &span, 2, value);
	return err;
}

static int privileged(struct emu *m)
{
	return emu_cpl(m) ? emu_fault(m, EXC_GP, 0) : EMU_OK;
}

/* SGDT, SIDT, SLDT, SMSW and STR (SDM 3A 2.5, CR4.UMIP) */
static int user_allowed(struct emu *m)
{
	vcpu_need(m->v, RG_CR);
	return m->r->cr4 & CR4_UMIP ? privileged(m) : EMU_OK;
}

/* The busy bit is lost in ROM, and kept in RAM */
static void set_busy(struct emu *m, const struct task_span *at, u8 type)
{
	u32 second = DESC_TYPE_BYTE - at->first; /* of gpa[1], if it is there */
	struct emu_span span = { .first = 1 };

	span.gpa[0] = DESC_TYPE_BYTE < at->first
			      ? GPA(at->gpa[0].v + DESC_TYPE_BYTE)
			      : GPA(at->gpa[1].v + second);
	emu_store(m, &span, 1, type | DESC_BUSY);
}

/* The second half of a system descriptor of long mode (SDM 3A figure 7-4) */
static int upper_base(struct emu *m, u16 sel, u64 *base)
{
	u8 raw[DESC_BYTES];
	struct task_span at;
	u32 upper;
	int err;

	if (!(m->r->efer & EFER_LMA))
		return EMU_OK;
	if (SEL_INDEX(sel) + 2 * DESC_BYTES - 1 > m->r->gdtr.limit)
		return emu_fault(m, EXC_GP, SEL_ERROR(sel));
	err = emu_descriptor(m, (u16)(sel + DESC_BYTES), &at, raw);
	if (err)
		return err;
	memcpy(&upper, raw, sizeof(upper));
	*base |= (u64)upper << 32;
	if ((raw[DESC_TYPE_BYTE] & DESC_TYPE) || !emu_is_canonical(m, *base))
		return emu_fault(m, EXC_GP, SEL_ERROR(sel));
	return EMU_OK;
}

/* A descriptor of the GDT, @sel not null, of @types (a mask) */
static int find_system(struct emu *m, u16 sel, u32 types, struct task_span *at,
		       struct segment *s)
{
	u8 raw[DESC_BYTES], type;
	int err;

	if (sel & SEL_TI)
		return emu_fault(m, EXC_GP, SEL_ERROR(sel));
	err = emu_descriptor(m, sel, at, raw);
	if (err)
		return err;
	type = raw[DESC_TYPE_BYTE] & DESC_TYPE;
	if (!(types >> type & 1))
		return emu_fault(m, EXC_GP, SEL_ERROR(sel));
	if (!(raw[DESC_TYPE_BYTE] & DESC_P))
		return emu_fault(m, EXC_NP, SEL_ERROR(sel));
	*s = task_segment(sel, raw);
	return upper_base(m, sel, &s->base);
}

static int load_tr(struct emu *m, u16 sel)
{
	bool long_mode = m->r->efer & EFER_LMA;
	u32 types = BIT(DESC_TYPE_TSS) | (long_mode ? 0 : BIT(DESC_TYPE_TSS16));
	struct task_span at = { 0 };
	struct segment s = { 0 };
	int err;

	if (!SEL_ERROR(sel))
		return emu_fault(m, EXC_GP, 0);
	err = find_system(m, sel, types, &at, &s);
	if (!err)
		err = emu_of_task(task_resolve_write(m->v, &at));
	if (err)
		return err;
	set_busy(m, &at, (u8)s.attr);
	s.attr |= SEG_ATTR_BUSY;
	m->r->seg[SEG_TR] = s;
	vcpu_dirty(m->v, RG_SEG);
	return EMU_OK;
}

static int load_ldtr(struct emu *m, u16 sel)
{
	struct segment s = { .sel = sel, .attr = SEG_ATTR_UNUSABLE };
	struct task_span at;
	int err = EMU_OK;

	if (SEL_ERROR(sel))
		err = find_system(m, sel, BIT(DESC_TYPE_LDT), &at, &s);
	if (err)
		return err;
	m->r->seg[SEG_LDTR] = s;
	vcpu_dirty(m->v, RG_SEG);
	return EMU_OK;
}

int op_group6(struct emu *m) /* 0F 00 */
{
	u8 reg = m->insn.reg & 7;
	u16 sel;
	int err;

	vcpu_need(m->v, RG_SEG | RG_DT | RG_CR | RG_RIP);
	if (reg == GROUP6_VERR || reg == GROUP6_VERW)
		return op_verify(m);
	if (reg > GROUP6_LTR || (!m->insn.mem && reg < GROUP6_LLDT))
		return EMU_UNKNOWN;
	if (m->insn.lock || !emu_protected(m))
		return emu_ud(m);
	if (reg < GROUP6_LLDT) {
		sel = m->r->seg[reg == GROUP6_SLDT ? SEG_LDTR : SEG_TR].sel;
		err = user_allowed(m);
		return err ? err : store_word(m, sel);
	}
	err = privileged(m);
	if (!err)
		err = load_word(m, &sel);
	if (err)
		return err;
	return reg == GROUP6_LTR ? load_tr(m, sel) : load_ldtr(m, sel);
}

static u8 base_bytes(const struct emu *m)
{
	return m->mode == INSN_64BIT ? 8 : 4;
}

/* Limit, and base behind it */
static int resolve_table(struct emu *m, u8 access, struct emu_span *limit,
			 struct emu_span *base)
{
	int err = emu_resolve_operand(m, LIMIT_BYTES, access, limit);

	m->insn.disp += LIMIT_BYTES;
	if (!err)
		err = emu_resolve_operand(m, base_bytes(m), access, base);
	m->insn.disp -= LIMIT_BYTES;
	return err;
}

static int store_table(struct emu *m, const struct segment *table)
{
	struct emu_span limit, base;
	int err = user_allowed(m);

	if (!err)
		err = resolve_table(m, ACCESS_W, &limit, &base);
	if (err)
		return err;
	emu_store(m, &limit, LIMIT_BYTES, table->limit);
	emu_store(m, &base, base_bytes(m), table->base);
	return EMU_OK;
}

static int load_table(struct emu *m, struct segment *table)
{
	struct emu_span limit, base;
	u64 value;
	int err = privileged(m);

	if (!err)
		err = resolve_table(m, ACCESS_R, &limit, &base);
	if (err)
		return err;
	value = emu_load(m, &base, base_bytes(m));
	if (m->insn.operand_size == 2 && m->mode != INSN_64BIT)
		value &= BASE24;
	if (m->mode == INSN_64BIT && !emu_is_canonical(m, value))
		return emu_fault(m, EXC_GP, 0);
	table->limit = (u16)emu_load(m, &limit, LIMIT_BYTES);
	table->base = value;
	vcpu_dirty(m->v, RG_DT);
	return EMU_OK;
}

static int load_msw(struct emu *m)
{
	u16 value;
	int err = privileged(m);

	if (!err)
		err = load_word(m, &value);
	if (!err && msw_load(m->v, value))
		return emu_fault(m, EXC_GP, 0);
	return err;
}

int op_group7(struct emu *m) /* 0F 01 */
{
	u8 reg = m->insn.reg & 7;
	struct segment *table;
	int err;

	vcpu_need(m->v, RG_DT | RG_CR);
	table = reg & 1 ? &m->r->idtr : &m->r->gdtr;
	if (reg < 2)
		return store_table(m, table);
	if (reg <= GROUP7_LIDT)
		return load_table(m, table);
	if (reg == GROUP7_LMSW)
		return load_msw(m);
	if (reg != GROUP7_SMSW)
		return EMU_UNKNOWN; /* RSTORSSP, INVLPG: no data */
	err = user_allowed(m);
	return err ? err : store_word(m, (u16)m->r->cr0);
}

/* Where @gpa is in the GDT, in bytes from its start; false: it is not there.
 * The search counts from the start, as the table may end where addresses do. */
static bool in_gdt(struct vcpu *v, u64 gpa, u64 *offset)
{
	const struct segment *gdtr = &vcpu_regs(v)->gdtr;
	u32 error;
	gpa_t at;

	*offset = (gpa - gdtr->base) & PAGE_MASK;
	for (; *offset <= gdtr->limit; *offset += PAGE_SIZE)
		if (!gva_translate(v, GVA(gdtr->base + *offset),
				   ACCESS_R | ACCESS_SYSTEM | ACCESS_PROBE, &at,
				   &error) &&
		    at.v == gpa)
			return true;
	return false;
}

bool emulate_rom_accessed(struct vcpu *v, gpa_t gpa)
{
	u64 offset;
	gpa_t at;
	u8 type;

	vcpu_need(v, RG_DT | RG_CR | RG_RIP | RG_SEG);
	if (!in_gdt(v, gpa.v, &offset))
		return false;
	/* The type is in the same page as @gpa, unless the GDT is skewed */
	at = GPA(gpa.v - offset % DESC_BYTES + DESC_TYPE_BYTE);
	if (gmem_read(v->vm, at, &type, 1) ||
	    (type & (DESC_P | DESC_S | DESC_ACCESSED)) != (DESC_P | DESC_S))
		return false;
	type |= DESC_ACCESSED;
	return !gmem_write_rom(v->vm, at, &type, 1);
}
