/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operands of an emulated instruction: registers, and where memory operands
 * are. An access is resolved here: segment, limit, canonical, alignment and
 * paging checks, which may queue a fault. It is done, and cannot fail, in
 * hv/emulate/mem.c. Called by hv/emulate/ on the home core.
 */
#include "hv/core/breakpoint.h"
#include "hv/core/gmem.h"
#include "hv/core/retire.h"
#include "hv/emulate/priv.h"

#define ALIGNED_MOST 16u /* bytes; what more needs is no matter of #AC */
#define X87_BYTES    10u /* of an 80-bit operand */

static bool high_byte(const struct emu *m, u8 reg, u8 size)
{
	return size == 1 && !m->insn.rex && reg >= GPR_RSP && reg <= GPR_RDI;
}

u64 emu_reg_get(struct emu *m, u8 reg, u8 size)
{
	if (high_byte(m, reg, size))
		return m->r->gpr[reg & 3] >> 8 & 0xff;
	if (reg == GPR_RSP)
		vcpu_need(m->v, RG_RSP);
	return m->r->gpr[reg] & ones_of(size);
}

void emu_reg_set(struct emu *m, u8 reg, u8 size, u64 value)
{
	u64 *gpr = &m->r->gpr[reg];

	if (high_byte(m, reg, size)) {
		gpr = &m->r->gpr[reg & 3];
		*gpr = (*gpr & ~0xff00ull) | (value & 0xff) << 8;
		return;
	}
	if (reg == GPR_RSP) {
		vcpu_need(m->v, RG_RSP);
		vcpu_dirty(m->v, RG_RSP);
	}
	*gpr = gpr_merge(*gpr, value, size);
}

/* Effective address of the ModRM or moffs operand, cut to the address size */
static u64 effective(struct emu *m)
{
	const struct insn *i = &m->insn;
	u64 ea = (u64)i->disp;

	if (i->base != INSN_NO_REG)
		ea += emu_reg_get(m, i->base, 8);
	if (i->index != INSN_NO_REG)
		ea += m->r->gpr[i->index] * i->scale;
	if (i->rip_relative)
		ea += m->r->rip + i->len;
	return ea & ones_of(i->addr_size);
}

static u8 data_segment(const struct emu *m)
{
	const struct insn *i = &m->insn;

	if (i->seg != SEG_COUNT)
		return i->seg;
	if (i->has_modrm && (i->base == GPR_RSP || i->base == GPR_RBP))
		return SEG_SS;
	return SEG_DS;
}

void emu_flags_set(struct emu *m, u64 flags)
{
	m->r->rflags = flags;
	vcpu_dirty(m->v, RG_RIP);
}

void emu_zero_flag_set(struct emu *m, bool zero)
{
	emu_flags_set(m, (m->r->rflags & ~RFLAGS_ZF) | (zero ? RFLAGS_ZF : 0));
}

int emu_step_over(struct emu *m)
{
	m->r->rip += m->insn.len;
	retire_wrap_rip(m->v);
	vcpu_dirty(m->v, RG_RIP);
	return EMU_AGAIN;
}

int emu_ud(struct emu *m)
{
	vcpu_raise_ud(m->v);
	return EMU_FAULT;
}

int emu_no_lock(struct emu *m)
{
	return m->insn.lock ? emu_ud(m) : EMU_OK;
}

void emu_operand_address(struct emu *m, u8 *seg, u64 *offset)
{
	*seg = data_segment(m);
	*offset = effective(m);
}

static int seg_fault(struct emu *m, u8 seg)
{
	vcpu_raise_exception(m->v, seg == SEG_SS ? EXC_SS : EXC_GP, true, 0);
	return EMU_FAULT;
}

static int linear64(struct emu *m, u8 seg, u64 offset, u16 size, u64 *lin)
{
	*lin = offset;
	if (seg == SEG_FS || seg == SEG_GS) {
		vcpu_need(m->v, RG_SEG);
		*lin += m->r->seg[seg].base;
	}
	if (emu_is_canonical(m, *lin) && emu_is_canonical(m, *lin + size - 1))
		return EMU_OK;
	return seg_fault(m, seg);
}

static bool in_limit(const struct segment *s, u64 offset, u16 size)
{
	u64 last = offset + size - 1;
	u64 top = s->attr & SEG_ATTR_DB ? 0xffffffffull : 0xffffull;

	if ((s->attr & (SEG_ATTR_CODE | SEG_ATTR_DOWN)) == SEG_ATTR_DOWN)
		return offset > s->limit && last <= top;
	return last <= s->limit;
}

bool emu_protected(const struct emu *m)
{
	return (m->r->cr0 & CR0_PE) && !(m->r->rflags & RFLAGS_VM);
}

/* SDM 3A 5.5 *Privilege Levels* (type checks), 5.3 *Limit Checking* */
static int linear_segment(struct emu *m, u8 seg, u64 offset, u16 size,
			  u8 access, u64 *lin)
{
	const struct segment *s = &m->r->seg[seg];

	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	*lin = (u32)(s->base + offset);
	if (emu_protected(m)) {
		bool code = s->attr & SEG_ATTR_CODE;
		bool flag = s->attr & SEG_ATTR_RW;

		if (s->attr & SEG_ATTR_UNUSABLE)
			return seg_fault(m, seg);
		if (access & ACCESS_W ? code || !flag : code && !flag)
			return seg_fault(m, seg);
	}
	return in_limit(s, offset, size) ? EMU_OK : seg_fault(m, seg);
}

/* SDM 3A 6.15, *Interrupt 17*, table 6-7. It ends at 16 bytes. Of x87 it has 80
 * bits, environments (28 or 14 bytes) and states (108 or 94). */
static u32 alignment_of(u32 size)
{
	if ((size & (size - 1)) == 0)
		return MIN(size, ALIGNED_MOST);
	if (size == X87_BYTES)
		return 8;
	return size % 4 ? 2 : 4;
}

static int check_alignment(struct emu *m, u64 lin, u16 size)
{
	const struct vcpu_regs *r = m->r;
	u64 skew = lin & (alignment_of(size) - 1);

	if (likely(!(r->rflags & RFLAGS_AC)) || !(r->cr0 & CR0_AM) ||
	    !(r->cr0 & CR0_PE) || !skew)
		return EMU_OK;
	vcpu_need(m->v, RG_SEG);
	if (vcpu_cpl(r) != CPL_USER)
		return EMU_OK;
	vcpu_raise_exception(m->v, EXC_AC, true, 0);
	return EMU_FAULT;
}

static int translate(struct emu *m, u64 lin, u8 access, gpa_t *gpa)
{
	u32 error;

	if (m->mode != INSN_64BIT)
		lin = (u32)lin;
	if (!gva_translate(m->v, GVA(lin), access, gpa, &error))
		return EMU_OK;
	vcpu_raise_pf(m->v, GVA(lin), error);
	return EMU_FAULT;
}

/* The first page's fault comes first; its dirty bit waits for the second's */
static int translate_two(struct emu *m, u64 lin, u8 access,
			 struct emu_span *span)
{
	u64 second = lin + span->first;
	int err = translate(m, lin, access | ACCESS_PROBE, &span->gpa[0]);

	if (!err)
		err = translate(m, second, access, &span->gpa[1]);
	return err ? err : translate(m, lin, access, &span->gpa[0]);
}

static int resolve_linear(struct emu *m, u64 lin, u16 size, u8 access,
			  struct emu_span *span)
{
	if (unlikely(m->r->breakpoints))
		breakpoint_data(m->v, lin, size, access);
	span->first = (u16)MIN(size, PAGE_SIZE - (lin & PAGE_MASK));
	if (unlikely(span->first < size))
		return translate_two(m, lin, access, span);
	return translate(m, lin, access, &span->gpa[0]);
}

static int linear(struct emu *m, u8 seg, u64 offset, u16 size, u8 access,
		  u64 *lin)
{
	vcpu_need(m->v, RG_CR);
	if (m->mode == INSN_64BIT)
		return linear64(m, seg, offset, size, lin);
	return linear_segment(m, seg, offset, size, access, lin);
}

int emu_resolve(struct emu *m, u8 seg, u64 offset, u16 size, u8 access,
		struct emu_span *span)
{
	u64 lin;
	int err = linear(m, seg, offset, size, access, &lin);

	if (!err)
		err = check_alignment(m, lin, size);
	return err ? err : resolve_linear(m, lin, size, access, span);
}

int emu_resolve_operand(struct emu *m, u16 size, u8 access,
			struct emu_span *span)
{
	u64 gpa = m->exit->mmio.gpa.v;
	u64 ea = effective(m);
	u8 seg = data_segment(m);

	/*
	 * The exit is for the operand's first byte: page offsets survive
	 * paging, and in 64-bit code segmentation too but for FS and GS. The
	 * CPU has made all checks, for the access that it was: the bytes may be
	 * another instruction's since. Breakpoints need the linear address.
	 */
	if (likely(m->direct && m->mode == INSN_64BIT && seg < SEG_FS &&
		   !m->r->breakpoints &&
		   !(access & ACCESS_W & ~m->exit->mmio.access) &&
		   (ea & PAGE_MASK) == (gpa & PAGE_MASK) &&
		   (gpa & PAGE_MASK) + size <= PAGE_SIZE)) {
		span->gpa[0].v = gpa;
		span->first = size;
		return EMU_OK;
	}
	return emu_resolve(m, seg, ea, size, access, span);
}

int emu_resolve_aligned(struct emu *m, u16 size, u16 align, u8 access,
			struct emu_span *span)
{
	u64 ea = effective(m);
	u8 seg = data_segment(m);
	u64 lin;
	int err = linear(m, seg, ea, size, access, &lin);

	if (!err && (lin & (align - 1u))) {
		vcpu_raise_exception(m->v, EXC_GP, true, 0);
		return EMU_FAULT;
	}
	return err ? err : resolve_linear(m, lin, size, access, span);
}
