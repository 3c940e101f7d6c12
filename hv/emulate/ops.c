/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves and arithmetic with a memory operand (SDM 2A to 2B). Called through the
 * opcode table of hv/emulate/emulate.c, which has set m->size.
 */
#include "hv/emulate/priv.h"

static int load_operand(struct emu *m, u8 size, u64 *value)
{
	struct emu_span span;
	int err = emu_resolve_operand(m, size, ACCESS_R, &span);

	if (!err)
		*value = emu_load(m, &span, size);
	return err;
}

static int store_operand(struct emu *m, u8 size, u64 value)
{
	struct emu_span span;
	int err = emu_resolve_operand(m, size, ACCESS_W, &span);

	if (!err)
		emu_store(m, &span, size, value);
	return err;
}

int op_nop(struct emu *m) /* 0F 0D, 0F 18-1F: hints */
{
	return EMU_OK;
}

int op_mov_store(struct emu *m) /* 88 89 */
{
	return store_operand(m, m->size, emu_reg_get(m, m->insn.reg, m->size));
}

int op_mov_load(struct emu *m) /* 8A 8B */
{
	u64 value;
	int err = load_operand(m, m->size, &value);

	if (!err)
		emu_reg_set(m, m->insn.reg, m->size, value);
	return err;
}

int op_mov_imm(struct emu *m) /* C6 C7 /0 */
{
	if (m->insn.reg & 7)
		return emu_ud(m);
	return store_operand(m, m->size, m->insn.imm);
}

int op_mov_segment(struct emu *m) /* 8C: two bytes, whatever the size */
{
	u8 seg = m->insn.reg & 7;

	if (seg > SEG_GS)
		return emu_ud(m);
	vcpu_need(m->v, RG_SEG);
	return store_operand(m, 2, m->r->seg[seg].sel);
}

int op_moffs(struct emu *m) /* A0-A3: AL or rAX */
{
	m->insn.reg = GPR_RAX;
	return m->insn.opcode & 2 ? op_mov_store(m) : op_mov_load(m);
}

int op_movnti(struct emu *m) /* 0F C3 */
{
	if (m->insn.rep || m->insn.repne || m->insn.opsize)
		return emu_ud(m);
	m->size = MAX(m->size, 4); /* 16-bit code has no other form */
	return op_mov_store(m);
}

int op_movsxd(struct emu *m) /* 63 */
{
	u8 size = m->size == 2 ? 2 : 4;
	u64 value;
	int err;

	if (m->mode != INSN_64BIT)
		return op_arpl(m);
	err = load_operand(m, size, &value);
	if (!err)
		emu_reg_set(m, m->insn.reg, m->size, sign_extend(value, size));
	return err;
}

int op_movx(struct emu *m) /* 0F B6 B7 BE BF */
{
	u8 size = m->insn.opcode & 1 ? 2 : 1;
	u64 value;
	int err = load_operand(m, size, &value);

	if (err)
		return err;
	if (m->insn.opcode >= 0xbe)
		value = sign_extend(value, size);
	emu_reg_set(m, m->insn.reg, m->size, value);
	return EMU_OK;
}

int op_movbe(struct emu *m) /* 0F 38 F0 F1 */
{
	u32 shift = 64 - 8u * m->size;
	u64 value;
	int err;

	if (m->insn.repne || m->insn.rep)
		return op_vector(m); /* CRC32 */
	if (m->insn.opcode & 1) {
		value = emu_reg_get(m, m->insn.reg, m->size);
		return store_operand(m, m->size,
				     __builtin_bswap64(value) >> shift);
	}
	err = load_operand(m, m->size, &value);
	if (!err)
		emu_reg_set(m, m->insn.reg, m->size,
			    __builtin_bswap64(value) >> shift);
	return err;
}

int op_movdiri(struct emu *m) /* 0F 38 F9 */
{
	if (m->insn.repne || m->insn.rep || m->insn.opsize)
		return EMU_UNKNOWN;
	m->size = m->insn.rex & REX_W ? 8 : 4;
	return op_mov_store(m);
}

int op_cmov(struct emu *m) /* 0F 40-4F: loads in any case */
{
	u64 value;
	int err = load_operand(m, m->size, &value);

	if (err)
		return err;
	vcpu_need(m->v, RG_RIP);
	if (!alu_condition(m->insn.opcode, m->r->rflags))
		value = emu_reg_get(m, m->insn.reg, m->size);
	emu_reg_set(m, m->insn.reg, m->size, value);
	return EMU_OK;
}

int op_setcc(struct emu *m) /* 0F 90-9F */
{
	vcpu_need(m->v, RG_RIP);
	return store_operand(m, 1, alu_condition(m->insn.opcode, m->r->rflags));
}

/* mem = mem OP value, or flags alone for CMP */
static int alu_to_memory(struct emu *m, enum alu_op op, u64 value)
{
	u8 access = op == ALU_CMP ? ACCESS_R : ACCESS_R | ACCESS_W;
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 old, result;
	int err = op == ALU_CMP ? emu_no_lock(m) : EMU_OK;

	if (!err)
		err = emu_resolve_operand(m, m->size, access, &span);
	if (err)
		return err;
	old = emu_load(m, &span, m->size);
	result = alu_binary(op, m->size, old, value & ones_of(m->size), &flags);
	if (op != ALU_CMP)
		err = emu_replace(m, &span, m->size, old, result);
	if (!err)
		emu_flags_set(m, flags);
	return err;
}

int op_alu(struct emu *m) /* 00-3B: direction in bit 1 */
{
	enum alu_op op = m->insn.opcode >> 3 & 7;
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	u64 flags = m->r->rflags;
	u64 value;
	int err;

	if (!(m->insn.opcode & 2))
		return alu_to_memory(m, op, reg);
	err = emu_no_lock(m);
	if (!err)
		err = load_operand(m, m->size, &value);
	if (err)
		return err;
	value = alu_binary(op, m->size, reg, value, &flags);
	if (op != ALU_CMP)
		emu_reg_set(m, m->insn.reg, m->size, value);
	emu_flags_set(m, flags);
	return EMU_OK;
}

int op_alu_imm(struct emu *m) /* 80-83 */
{
	return alu_to_memory(m, m->insn.reg & 7, m->insn.imm);
}

static int test_memory(struct emu *m, u64 with)
{
	u64 flags = m->r->rflags;
	u64 value;
	int err = emu_no_lock(m);

	if (!err)
		err = load_operand(m, m->size, &value);
	if (err)
		return err;
	alu_binary(ALU_AND, m->size, value, with & ones_of(m->size), &flags);
	emu_flags_set(m, flags);
	return EMU_OK;
}

int op_test(struct emu *m) /* 84 85 */
{
	return test_memory(m, emu_reg_get(m, m->insn.reg, m->size));
}

static int unary_memory(struct emu *m, enum alu_unary op)
{
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 old, value;
	int err = emu_resolve_operand(m, m->size, ACCESS_R | ACCESS_W, &span);

	if (err)
		return err;
	old = emu_load(m, &span, m->size);
	value = alu_unary(op, m->size, old, &flags);
	err = emu_replace(m, &span, m->size, old, value);
	if (!err)
		emu_flags_set(m, flags);
	return err;
}

/* rDX:rAX; of bytes, AH:AL */
static void set_pair(struct emu *m, u64 lo, u64 hi)
{
	if (m->size == 1) {
		emu_reg_set(m, GPR_RAX, 2, (lo & 0xff) | hi << 8);
	} else {
		emu_reg_set(m, GPR_RAX, m->size, lo);
		emu_reg_set(m, GPR_RDX, m->size, hi);
	}
}

static int multiply(struct emu *m, bool is_signed)
{
	u64 lo = m->r->gpr[GPR_RAX], hi = m->r->gpr[GPR_RDX];
	u64 flags = m->r->rflags;
	u64 value;
	int err = emu_no_lock(m);

	if (!err)
		err = load_operand(m, m->size, &value);
	if (err)
		return err;
	alu_multiply(is_signed, m->size, &lo, &hi, value, &flags);
	set_pair(m, lo, m->size == 1 ? lo >> 8 : hi);
	emu_flags_set(m, flags);
	return EMU_OK;
}

/* The flags, which the manual leaves undefined, stay */
static int divide(struct emu *m, bool is_signed)
{
	u64 lo = m->r->gpr[GPR_RAX];
	u64 hi = m->size == 1 ? lo >> 8 : m->r->gpr[GPR_RDX];
	u64 value;
	int err = emu_no_lock(m);

	if (!err)
		err = load_operand(m, m->size, &value);
	if (err)
		return err;
	if (!alu_divide(is_signed, m->size, &lo, &hi, value)) {
		vcpu_raise_exception(m->v, EXC_DE, false, 0);
		return EMU_FAULT;
	}
	set_pair(m, lo, hi);
	return EMU_OK;
}

int op_group3(struct emu *m) /* F6 F7 */
{
	switch (m->insn.reg & 7) {
	case 0:
	case 1:
		return test_memory(m, m->insn.imm);
	case 2:
		return unary_memory(m, ALU_NOT);
	case 3:
		return unary_memory(m, ALU_NEG);
	case 4:
		return multiply(m, false);
	case 5:
		return multiply(m, true);
	case 6:
		return divide(m, false);
	default:
		return divide(m, true);
	}
}

int op_group45(struct emu *m) /* FE FF */
{
	u8 reg = m->insn.reg & 7;
	int err;

	if (reg < 2)
		return unary_memory(m, reg ? ALU_DEC : ALU_INC);
	err = emu_no_lock(m);
	if (err)
		return err;
	if (m->size == 1)
		return emu_ud(m);
	switch (reg) {
	case 2:
		return op_call_operand(m);
	case 3:
		return op_call_far(m);
	case 4:
		return op_jmp_operand(m);
	case 5:
		return op_jmp_far(m);
	case 6:
		return op_push_operand(m);
	default:
		return emu_ud(m);
	}
}

int op_imul(struct emu *m) /* 0F AF; 69 6B */
{
	u64 with = m->insn.map == MAP_0F ? emu_reg_get(m, m->insn.reg, m->size)
					 : m->insn.imm;
	u64 flags = m->r->rflags;
	u64 value;
	int err = load_operand(m, m->size, &value);

	if (err)
		return err;
	value = alu_imul(m->size, value, with, &flags);
	emu_reg_set(m, m->insn.reg, m->size, value);
	emu_flags_set(m, flags);
	return EMU_OK;
}

/* 0F B8, BC, BD. Behind F3 they are POPCNT, TZCNT, LZCNT, and the last two are
 * BSF and BSR still on a CPU that has no such thing: here as there. */
int op_bit_scan(struct emu *m)
{
	u64 to = emu_reg_get(m, m->insn.reg, 8);
	bool counts = m->insn.rep;
	u64 flags = m->r->rflags;
	enum alu_scan op;
	u64 from;
	int err;

	if (m->insn.opcode == 0xb8 && !counts)
		return emu_ud(m); /* JMPE */
	err = load_operand(m, m->size, &from);
	if (err)
		return err;
	if (m->insn.opcode == 0xb8)
		op = ALU_POPCNT;
	else if (m->insn.opcode == 0xbc)
		op = counts ? ALU_TZCNT : ALU_BSF;
	else
		op = counts ? ALU_LZCNT : ALU_BSR;
	emu_reg_set(m, m->insn.reg, 8, alu_scan(op, m->size, to, from, &flags));
	emu_flags_set(m, flags);
	return EMU_OK;
}

int op_cache_line(struct emu *m) /* 0F AE /6 /7: CLWB, CLFLUSH, CLFLUSHOPT */
{
	u8 reg = m->insn.reg & 7;
	struct emu_span span;

	if (m->insn.rep || m->insn.repne || reg < 6 ||
	    (reg == 6 && !m->insn.opsize))
		return EMU_UNKNOWN; /* XSAVE ... */
	return emu_resolve_operand(m, 1, ACCESS_R, &span);
}
