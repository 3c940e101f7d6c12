// SPDX-License-Identifier: BSD-2-Clause
/*
 * Operands of an emulated instruction: registers, and memory that is RAM or a
 * region of the MMIO bus. An access is first resolved (all checks, may queue a
 * fault), then done (cannot fail). Called by hv/emulate*.c on the home core.
 */
#include "hv/bus.h"
#include "hv/emulate_priv.h"
#include "hv/gmem.h"
#include "lib/errno.h"
#include "lib/string.h"

#define SEG_TYPE_CODE    BIT(3)
#define SEG_TYPE_DOWN    BIT(2) /* data: expand-down */
#define SEG_TYPE_WRITE   BIT(1) /* data; code: readable */
#define CANONICAL_4LEVEL 47
#define CANONICAL_5LEVEL 56

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
	return m->r->gpr[reg] & emu_mask(size);
}

void emu_reg_set(struct emu *m, u8 reg, u8 size, u64 value)
{
	u64 *gpr = &m->r->gpr[reg];
	u64 mask = emu_mask(size);

	if (high_byte(m, reg, size)) {
		gpr = &m->r->gpr[reg & 3];
		*gpr = (*gpr & ~0xff00ull) | (value & 0xff) << 8;
		return;
	}
	if (reg == GPR_RSP) {
		vcpu_need(m->v, RG_RSP);
		vcpu_dirty(m->v, RG_RSP);
	}
	if (size == 4)
		*gpr = (u32)value;
	else
		*gpr = (*gpr & ~mask) | (value & mask);
}

u64 emu_effective(struct emu *m)
{
	const struct insn *i = &m->insn;
	u64 ea = (u64)i->disp;

	if (i->base != INSN_NO_REG)
		ea += emu_reg_get(m, i->base, 8);
	if (i->index != INSN_NO_REG)
		ea += m->r->gpr[i->index] * i->scale;
	if (i->rip_relative)
		ea += m->r->rip + i->len;
	return ea & emu_mask(i->addr_size);
}

u8 emu_data_segment(const struct emu *m)
{
	const struct insn *i = &m->insn;

	if (i->seg != SEG_COUNT)
		return i->seg;
	if (i->has_modrm && (i->base == GPR_RSP || i->base == GPR_RBP))
		return SEG_SS;
	return SEG_DS;
}

static int seg_fault(struct emu *m, u8 seg)
{
	vcpu_inject_exception(m->v, seg == SEG_SS ? EXC_SS : EXC_GP, true, 0);
	return EMU_FAULT;
}

static int linear64(struct emu *m, u8 seg, u64 offset, u64 *lin)
{
	u32 top = m->r->cr4 & CR4_LA57 ? CANONICAL_5LEVEL : CANONICAL_4LEVEL;
	s64 high;

	*lin = offset;
	if (seg == SEG_FS || seg == SEG_GS) {
		vcpu_need(m->v, RG_SEG);
		*lin += m->r->seg[seg].base;
	}
	high = (s64)*lin >> top;
	return high == 0 || high == -1 ? EMU_OK : seg_fault(m, seg);
}

static bool in_limit(const struct segment *s, u64 offset, u8 size)
{
	u64 last = offset + size - 1;
	u64 top = s->attr & SEG_ATTR_DB ? 0xffffffffull : 0xffffull;

	if ((s->attr & (SEG_TYPE_CODE | SEG_TYPE_DOWN)) == SEG_TYPE_DOWN)
		return offset > s->limit && last <= top;
	return last <= s->limit;
}

/* SDM 3A 5.3 *Limit Checking*, 5.5 *Privilege Levels* (type checks) */
static int linear_segment(struct emu *m, u8 seg, u64 offset, u8 size, u8 access,
			  u64 *lin)
{
	const struct segment *s = &m->r->seg[seg];
	bool protected_mode;

	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	protected_mode = (m->r->cr0 & CR0_PE) && !(m->r->rflags & RFLAGS_VM);
	*lin = (u32)(s->base + offset);
	if (protected_mode) {
		bool code = s->attr & SEG_TYPE_CODE;
		bool flag = s->attr & SEG_TYPE_WRITE;

		if (s->attr & SEG_ATTR_UNUSABLE)
			return seg_fault(m, seg);
		if (access & ACCESS_W ? code || !flag : code && !flag)
			return seg_fault(m, seg);
	}
	return in_limit(s, offset, size) ? EMU_OK : seg_fault(m, seg);
}

static int translate(struct emu *m, u64 lin, u8 access, gpa_t *gpa)
{
	u32 error;
	int err = gva_translate(m->v, GVA(lin), access, gpa, &error);

	if (!err)
		return EMU_OK;
	if (err != -EFAULT)
		return EMU_UNKNOWN; /* its page tables are not in RAM */
	vcpu_inject_pf(m->v, GVA(lin), error);
	return EMU_FAULT;
}

int emu_resolve(struct emu *m, u8 seg, u64 offset, u8 size, u8 access,
		struct emu_span *span)
{
	u64 lin;
	int err;

	vcpu_need(m->v, RG_CR);
	if (m->mode == INSN_64BIT)
		err = linear64(m, seg, offset, &lin);
	else
		err = linear_segment(m, seg, offset, size, access, &lin);
	if (err)
		return err;
	span->first = (u8)MIN(size, PAGE_SIZE - (lin & PAGE_MASK));
	err = translate(m, lin, access, &span->gpa[0]);
	if (!err && span->first < size)
		err = translate(m, lin + span->first, access, &span->gpa[1]);
	return err;
}

int emu_resolve_operand(struct emu *m, u8 size, u8 access,
			struct emu_span *span)
{
	u64 gpa = m->exit->mmio.gpa.v;
	u64 ea = emu_effective(m);
	u8 seg = emu_data_segment(m);

	/*
	 * The exit is for the operand's first byte: page offsets survive
	 * paging, and in 64-bit code segmentation too but for FS and GS.
	 */
	if (likely(m->mode == INSN_64BIT && seg < SEG_FS &&
		   (ea & PAGE_MASK) == (gpa & PAGE_MASK) &&
		   (gpa & PAGE_MASK) + size <= PAGE_SIZE)) {
		span->gpa[0].v = gpa;
		span->first = size;
		return EMU_OK;
	}
	return emu_resolve(m, seg, ea, size, access, span);
}

static u64 load_part(struct emu *m, gpa_t gpa, u8 size)
{
	const struct bus *bus = &m->v->vm->mmio;
	const void *ram = gmem_map(m->v->vm, gpa);
	u64 value = 0;
	u8 i;

	if (ram) {
		memcpy(&value, ram, size);
		return value;
	}
	if ((size & (size - 1)) == 0)
		return bus_read(bus, m->v, gpa.v, size);
	for (i = 0; i < size; i++)
		value |= (bus_read(bus, m->v, gpa.v + i, 1) & 0xff) << (8 * i);
	return value;
}

static void store_part(struct emu *m, gpa_t gpa, u8 size, u64 value)
{
	const struct bus *bus = &m->v->vm->mmio;
	void *ram = gmem_map(m->v->vm, gpa);
	u8 i;

	if (ram) {
		memcpy(ram, &value, size);
		return;
	}
	if ((size & (size - 1)) == 0) {
		bus_write(bus, m->v, gpa.v, size, value & emu_mask(size));
		return;
	}
	for (i = 0; i < size; i++)
		bus_write(bus, m->v, gpa.v + i, 1, value >> (8 * i) & 0xff);
}

u64 emu_load(struct emu *m, const struct emu_span *span, u8 size)
{
	u64 value = load_part(m, span->gpa[0], span->first);
	u8 rest = (u8)(size - span->first);

	if (unlikely(rest))
		value |= load_part(m, span->gpa[1], rest) << (8 * span->first);
	return value & emu_mask(size);
}

void emu_store(struct emu *m, const struct emu_span *span, u8 size, u64 value)
{
	u8 rest = (u8)(size - span->first);

	store_part(m, span->gpa[0], span->first, value);
	if (unlikely(rest))
		store_part(m, span->gpa[1], rest, value >> (8 * span->first));
}
