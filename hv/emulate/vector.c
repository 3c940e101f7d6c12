/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of MMX, SSE and AVX, and those of later extensions on general
 * registers, with one memory operand (hv/emulate/vector.h). The CPU does them
 * itself, on a buffer in the operand's place: arch/x86/machine/stub.h. While an
 * exit is handled, the guest's vector registers are in the core, with its XCR0,
 * as the hypervisor itself uses none. Called by hv/emulate/emulate.c for what
 * its own tables do not have.
 */
#include "hv/emulate/vector.h"

#include "arch/x86/machine/fpu.h"
#include "hv/emulate/priv.h"

#define BUFFER_BYTES 32u
#define VEX3         0xc4u
#define RM_RDI       7u /* ModRM.rm with mod 0: the buffer */
#define VVVV_RCX     1u

static bool names_gpr(const struct vector_row *row)
{
	return row->shape == SHAPE_GPR || row->shape == SHAPE_INTEGER ||
	       row->shape == SHAPE_MULX;
}

/* No vector register takes part */
static bool is_integer(const struct vector_row *row)
{
	return row->shape >= SHAPE_INTEGER;
}

static bool is_mmx(const struct emu *m, const struct vector_row *row)
{
	bool sized = row->size == SIZE_MMX || row->size == SIZE_MMX_LOW ||
		     row->size == SIZE_COUNT;

	return (row->flags & MMX) ||
	       (sized && vector_prefix_of(&m->insn) == NP);
}

/* CVTPS2PI and its like have an XMM register, too */
static bool is_mmx_alone(const struct emu *m, const struct vector_row *row)
{
	return is_mmx(m, row) && (m->insn.opcode & 0xf8) != 0x28;
}

/* W counts in 64-bit code alone where it makes a general register wider */
static bool has_w(const struct emu *m, const struct vector_row *row)
{
	bool of_gpr = row->size == SIZE_GPR || row->shape != SHAPE_VECTOR;

	if (m->insn.vector && !of_gpr)
		return m->insn.vex_w;
	return m->insn.rex & REX_W;
}

static u8 whole(const struct emu *m)
{
	return m->insn.vector ? m->insn.vector : (u8)VECTOR_WIDE;
}

static bool is_fma_scalar(u8 opcode)
{
	return (opcode & 0xf) > 8 && (opcode & 1);
}

static u8 size_fp(const struct emu *m)
{
	if (m->insn.repne)
		return 8;
	return m->insn.rep ? 4 : whole(m);
}

/* How much memory it is */
static u8 size_of(const struct emu *m, const struct vector_row *row)
{
	bool np = vector_prefix_of(&m->insn) == NP;

	switch (row->size) {
	case SIZE_HALF:
	case SIZE_QUARTER:
	case SIZE_EIGHTH:
		return (u8)(whole(m) >> (row->size - SIZE_WHOLE));
	case SIZE_MMX:
		return np ? 8 : whole(m);
	case SIZE_MMX_LOW:
		return np ? 4 : whole(m);
	case SIZE_COUNT:
		return np ? 8 : VECTOR_WIDE;
	case SIZE_FP:
		return size_fp(m);
	case SIZE_COMPARE:
		return np ? 4 : 8;
	case SIZE_DUP:
		return m->insn.vector > VECTOR_WIDE ? m->insn.vector : 8;
	case SIZE_FMA:
		if (is_fma_scalar(m->insn.opcode))
			return m->insn.vex_w ? 8 : 4;
		return whole(m);
	case SIZE_GPR:
		return m->insn.rex & REX_W ? 8 : 4;
	case SIZE_CRC:
		return m->insn.opcode & 1 ? m->insn.operand_size : 1;
	default:
		return row->size == SIZE_WHOLE ? whole(m)
					       : (u8)(1 << row->size);
	}
}

/* A form that VEX does not have is #UD (SDM 2A 2.4 *AVX and SSE Instruction
 * Exception Classification*) */
static bool has_form(const struct insn *i, const struct vector_row *row)
{
	u32 never = (i->vector > VECTOR_WIDE ? L0 : L1) | (i->vex_w ? W0 : W1);

	if (row->shape == SHAPE_GROUP && !((i->reg & 7) - 1u < 3))
		return false;
	return !(row->flags & never) && (!i->vvvv || (row->flags & VVVV));
}

/* So is VEX that the guest has not enabled (SDM 1 14.3) */
static bool vex_ok(struct emu *m, const struct vector_row *row)
{
	if (!has_form(&m->insn, row) || !emu_protected(m))
		return false;
	return is_integer(row) || ((m->r->cr4 & CR4_OSXSAVE) &&
				   (~fpu_xcr0() & (XCR0_SSE | XCR0_AVX)) == 0);
}

static bool legacy_ok(const struct emu *m, const struct vector_row *row)
{
	if (is_integer(row))
		return true;
	return !(m->r->cr0 & CR0_EM) &&
	       ((m->r->cr4 & CR4_OSFXSR) || is_mmx_alone(m, row));
}

/* What the CPU checks before it looks at the operand: #UD, #NM, #MF (SDM 3A
 * 2.5; SDM 3B 22.25.3 *Exceptions and MMX Instructions*) */
static int check_ready(struct emu *m, const struct vector_row *row)
{
	vcpu_need(m->v, RG_CR | RG_RIP);
	if (m->insn.vector ? !vex_ok(m, row) : !legacy_ok(m, row))
		return emu_ud(m);
	if (is_integer(row))
		return EMU_OK;
	if (m->r->cr0 & CR0_TS)
		return emu_fault_plain(m, EXC_NM);
	if (is_mmx(m, row) && fpu_error_pending())
		return emu_fault_plain(m, EXC_MF);
	return EMU_OK;
}

/* Outside 64-bit mode its top bit does not count (SDM 2A 2.3.5.6) */
static u8 vvvv_of(const struct emu *m)
{
	return m->insn.vvvv & (m->mode == INSN_64BIT ? 15 : 7);
}

/* ---- the same instruction, for the stub ---- */

struct code {
	u8 bytes[STUB_INSN_MAX];
	u8 len;
};

static void put(struct code *c, u8 byte)
{
	c->bytes[c->len++] = byte;
}

static void put_legacy(struct code *c, const struct emu *m,
		       const struct vector_row *row, u8 reg)
{
	static const u8 prefixes[] = {
		[P66] = 0x66, [PF3] = 0xf3, [PF2] = 0xf2
	};
	enum vector_prefix prefix = vector_prefix_of(&m->insn);

	if (row->size == SIZE_CRC && m->insn.operand_size == 2)
		put(c, 0x66);
	if (prefix != NP)
		put(c, prefixes[prefix]);
	put(c, (u8)(REX | (has_w(m, row) ? REX_W : 0) | (reg & 8 ? REX_R : 0)));
	put(c, 0x0f);
	if (row->map != MAP_0F)
		put(c, row->map == MAP_0F38 ? 0x38 : 0x3a);
}

/* R, X, B and vvvv are inverted (SDM 2A 2.3.5) */
static void put_vex(struct code *c, const struct emu *m,
		    const struct vector_row *row, u8 reg)
{
	static const u8 pp[] = { [NP] = 0, [P66] = 1, [PF3] = 2, [PF2] = 3 };
	u8 vvvv = vvvv_of(m);

	if (row->shape != SHAPE_VECTOR)
		vvvv = row->flags & VVVV ? VVVV_RCX : 0;
	put(c, VEX3);
	put(c, (u8)((reg & 8 ? 0x60 : 0xe0) | (row->map - MAP_0F + 1)));
	put(c, (u8)((has_w(m, row) ? 0x80 : 0) | (~vvvv & 15) << 3 |
		    (m->insn.vector > VECTOR_WIDE ? 4 : 0) |
		    pp[vector_prefix_of(&m->insn)]));
}

static bool has_immediate(const struct emu *m, const struct vector_row *row)
{
	u8 op = m->insn.opcode;

	return row->map == MAP_0F3A ||
	       (row->map == MAP_0F &&
		(op == 0x70 || op == 0xc2 || op == 0xc4 || op == 0xc6));
}

/* Of VBLENDVPS and its like it is a register (SDM 2A 2.3.8), outside 64-bit
 * code one of eight */
static u8 immediate(const struct emu *m, const struct vector_row *row)
{
	u8 op = m->insn.opcode, imm = (u8)m->insn.imm;
	bool is_register = row->map == MAP_0F3A && op >= 0x4a && op <= 0x4c;

	return is_register && m->mode != INSN_64BIT ? imm & 0x7f : imm;
}

static struct code encode(const struct emu *m, const struct vector_row *row)
{
	u8 reg = names_gpr(row) ? GPR_RAX : m->insn.reg;
	struct code c = { .len = 0 };

	(m->insn.vector ? put_vex : put_legacy)(&c, m, row, reg);
	put(&c, m->insn.opcode);
	put(&c, (u8)((reg & 7u) << 3 | RM_RDI));
	if (has_immediate(m, row))
		put(&c, immediate(m, row));
	return c;
}

/* ---- run ---- */

static void registers_in(struct emu *m, const struct vector_row *row,
			 struct stub_regs *r)
{
	bool string = row->shape == SHAPE_STRING;

	r->rax = emu_reg_get(m, string ? GPR_RAX : m->insn.reg, 8);
	r->rcx = emu_reg_get(m, string ? GPR_RCX : vvvv_of(m), 8);
	r->rdx = emu_reg_get(m, GPR_RDX, 8);
}

/* MULX with one register for both: the upper half stays */
static void registers_out(struct emu *m, const struct vector_row *row,
			  const struct stub_regs *r)
{
	if (row->shape == SHAPE_STRING)
		emu_reg_set(m, GPR_RCX, 8, r->rcx);
	if (row->shape == SHAPE_GROUP || row->shape == SHAPE_MULX)
		emu_reg_set(m, vvvv_of(m), 8, r->rcx);
	if (names_gpr(row))
		emu_reg_set(m, m->insn.reg, 8, r->rax);
}

static int run(struct emu *m, const struct vector_row *row, void *memory)
{
	struct code c = encode(m, row);
	struct stub_regs r = { 0 };
	int err;

	if (row->shape != SHAPE_VECTOR)
		registers_in(m, row, &r);
	err = emu_stub(m, c.bytes, c.len, memory, &r);
	if (!err && row->shape != SHAPE_VECTOR)
		registers_out(m, row, &r);
	return err;
}

/* SDM 2A 2.4: without VEX, 16 bytes are aligned */
static bool must_align(const struct emu *m, const struct vector_row *row,
		       u8 size)
{
	if (row->flags & ALIGNED)
		return true;
	return !m->insn.vector && size == VECTOR_WIDE &&
	       !(row->flags & UNALIGNED);
}

static int resolve(struct emu *m, const struct vector_row *row, u8 size,
		   struct emu_span *span)
{
	u8 access = row->flags & STORE ? ACCESS_W : ACCESS_R;

	if (must_align(m, row, size))
		return emu_resolve_aligned(m, size, size, access, span);
	return emu_resolve_operand(m, size, access, span);
}

int op_vector(struct emu *m)
{
	const struct vector_row *row = vector_find(&m->insn);
	u64 buffer[BUFFER_BYTES / sizeof(u64)] __aligned(BUFFER_BYTES) = { 0 };
	struct emu_span span;
	u8 size;
	int err;

	if (!row)
		return EMU_UNKNOWN;
	err = check_ready(m, row);
	if (err)
		return err;
	size = size_of(m, row);
	err = resolve(m, row, size, &span);
	if (err)
		return err;
	if (!(row->flags & STORE))
		emu_load_wide(m, &span, size, buffer);
	err = run(m, row, buffer);
	if (!err && (row->flags & STORE))
		emu_store_wide(m, &span, size, buffer);
	return err;
}
