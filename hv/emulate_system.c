// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the CPU itself writes of a descriptor, when the descriptor tables are in
 * ROM, as firmware's are: the busy bit by LTR, which is done here, and the
 * accessed bit by any load of a segment register (SDM 3A 3.4.5.1). Called
 * through the opcode table of hv/emulate.c and by the EXIT_MMIO handler.
 */
#include "hv/emulate_priv.h"
#include "hv/gmem.h"
#include "hv/task.h"
#include "lib/errno.h"

#define GROUP6_LTR   3
#define TYPE_BITS    0x1fu /* type and S */
#define TYPE_TSS16   0x01u
#define TYPE_TSS32   0x09u
#define DESC_CODE    BIT(4) /* S: code or data */
#define DESC_PRESENT BIT(7)

static int fault(struct emu *m, u8 vector, u32 error)
{
	vcpu_inject_exception(m->v, vector, true, error);
	return EMU_FAULT;
}

static int source(struct emu *m, u16 *sel)
{
	struct emu_span span;
	int err;

	if (!m->insn.mem) {
		*sel = (u16)emu_reg_get(m, m->insn.rm, 2);
		return EMU_OK;
	}
	err = emu_resolve_operand(m, 2, ACCESS_R, &span);
	if (!err)
		*sel = (u16)emu_load(m, &span, 2);
	return err;
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

/* SDM 2A *LTR* */
static int load_tr(struct emu *m, u16 sel)
{
	u8 raw[DESC_BYTES], type;
	struct task_span at;
	int err;

	if (!(sel & ~3u))
		return fault(m, EXC_GP, 0);
	if (sel & SEL_TI)
		return fault(m, EXC_GP, SEL_ERROR(sel));
	err = task_descriptor(m->v, sel, &at, raw);
	if (err == -EFAULT)
		return EMU_FAULT;
	if (err == -EINVAL)
		return EMU_UNKNOWN;
	type = raw[DESC_TYPE_BYTE] & TYPE_BITS;
	if (err || (type != TYPE_TSS16 && type != TYPE_TSS32))
		return fault(m, EXC_GP, SEL_ERROR(sel));
	if (!(raw[DESC_TYPE_BYTE] & DESC_PRESENT))
		return fault(m, EXC_NP, SEL_ERROR(sel));
	set_busy(m, &at, raw[DESC_TYPE_BYTE]);
	m->r->seg[SEG_TR] = task_segment(sel, raw);
	m->r->seg[SEG_TR].attr |= DESC_BUSY;
	vcpu_dirty(m->v, RG_SEG);
	return EMU_OK;
}

int op_group6(struct emu *m) /* 0F 00 */
{
	u16 sel;
	int err;

	vcpu_need(m->v, RG_SEG | RG_DT | RG_CR | RG_RIP);
	if (m->insn.reg != GROUP6_LTR || (m->r->efer & EFER_LMA))
		return EMU_UNKNOWN;
	if (m->insn.lock || !(m->r->cr0 & CR0_PE) || (m->r->rflags & RFLAGS_VM))
		return emu_ud(m);
	if (SEG_ATTR_DPL(m->r->seg[SEG_SS].attr))
		return fault(m, EXC_GP, 0);
	err = source(m, &sel);
	return err ? err : load_tr(m, sel);
}

/* Where @gpa is in the GDT, in bytes from its start; false: it is not there.
 * Counted from there, for the table may end where addresses do. */
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
	    (type & (DESC_PRESENT | DESC_CODE | DESC_ACCESSED)) !=
		    (DESC_PRESENT | DESC_CODE))
		return false;
	type |= DESC_ACCESSED;
	return !gmem_write_rom(v->vm, at, &type, 1);
}
