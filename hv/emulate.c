// SPDX-License-Identifier: BSD-2-Clause
/*
 * Instructions that touched device memory. Decoded at CS:RIP, found in a table
 * by map and opcode, done in three steps: resolve the memory operand (checks
 * and faults), load, store. Called by the EXIT_MMIO handler on the home core.
 * What is not in the table ends the guest with the bytes in the log.
 */
#include "hv/emulate.h"

#include "hv/emulate_priv.h"
#include "hv/gmem.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"

#define TAG "mmio"

#define OP_WIDE   1u /* never a byte, whatever bit 0 of the opcode */
#define OP_STRING 2u /* memory by rSI and rDI, not by ModRM */

typedef int (*op_fn)(struct emu *m);

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

static void flags_set(struct emu *m, u64 flags)
{
	m->r->rflags = flags;
	vcpu_dirty(m->v, RG_RIP);
}

static int op_mov_store(struct emu *m) /* 88 89, 0F C3 */
{
	return store_operand(m, m->size, emu_reg_get(m, m->insn.reg, m->size));
}

static int op_mov_load(struct emu *m) /* 8A 8B */
{
	u64 value;
	int err = load_operand(m, m->size, &value);

	if (!err)
		emu_reg_set(m, m->insn.reg, m->size, value);
	return err;
}

static int op_mov_imm(struct emu *m) /* C6 C7 /0 */
{
	if (m->insn.reg & 7) {
		vcpu_inject_ud(m->v);
		return EMU_FAULT;
	}
	return store_operand(m, m->size, m->insn.imm);
}

static int op_moffs(struct emu *m) /* A0-A3: AL or rAX */
{
	m->insn.reg = GPR_RAX;
	return m->insn.opcode & 2 ? op_mov_store(m) : op_mov_load(m);
}

static u64 sign_extend(u64 value, u8 size)
{
	u32 shift = 64 - 8u * size;

	return (u64)((s64)(value << shift) >> shift);
}

static int op_movx(struct emu *m) /* 0F B6 B7 BE BF, 63 */
{
	u8 size = m->insn.opcode & 1 ? 2 : 1;
	bool sign = m->insn.opcode >= 0xbe;
	u64 value;
	int err;

	if (m->insn.map == MAP_ONE) {
		if (m->mode != INSN_64BIT)
			return EMU_UNKNOWN; /* ARPL */
		size = 4;
		sign = true;
	}
	err = load_operand(m, size, &value);
	if (err)
		return err;
	if (sign)
		value = sign_extend(value, size);
	emu_reg_set(m, m->insn.reg, m->insn.operand_size, value);
	return EMU_OK;
}

static int op_movbe(struct emu *m) /* 0F 38 F0 F1 */
{
	u32 shift = 64 - 8u * m->size;
	u64 value;
	int err;

	if (m->insn.repne)
		return EMU_UNKNOWN; /* CRC32 */
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

/* mem = mem OP value, or flags alone for CMP */
static int alu_to_memory(struct emu *m, enum alu_op op, u64 value)
{
	u8 access = op == ALU_CMP ? ACCESS_R : ACCESS_R | ACCESS_W;
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 result;
	int err = emu_resolve_operand(m, m->size, access, &span);

	if (err)
		return err;
	result = emu_alu(op, emu_load(m, &span, m->size),
			 value & emu_mask(m->size), m->size, &flags);
	if (op != ALU_CMP)
		emu_store(m, &span, m->size, result);
	flags_set(m, flags);
	return EMU_OK;
}

static int op_alu(struct emu *m) /* 00-3B: direction in bit 1 */
{
	enum alu_op op = m->insn.opcode >> 3 & 7;
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	u64 flags = m->r->rflags;
	u64 value;
	int err;

	if (!(m->insn.opcode & 2))
		return alu_to_memory(m, op, reg);
	err = load_operand(m, m->size, &value);
	if (err)
		return err;
	value = emu_alu(op, reg, value, m->size, &flags);
	if (op != ALU_CMP)
		emu_reg_set(m, m->insn.reg, m->size, value);
	flags_set(m, flags);
	return EMU_OK;
}

static int op_alu_imm(struct emu *m) /* 80 81 83 */
{
	return alu_to_memory(m, m->insn.reg & 7, m->insn.imm);
}

static int test_memory(struct emu *m, u64 with)
{
	u64 flags = m->r->rflags;
	u64 value;
	int err = load_operand(m, m->size, &value);

	if (err)
		return err;
	emu_alu(ALU_AND, value, with & emu_mask(m->size), m->size, &flags);
	flags_set(m, flags);
	return EMU_OK;
}

static int op_test(struct emu *m) /* 84 85 */
{
	return test_memory(m, emu_reg_get(m, m->insn.reg, m->size));
}

static int op_not_neg(struct emu *m, bool neg)
{
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 value;
	int err;

	err = emu_resolve_operand(m, m->size, ACCESS_R | ACCESS_W, &span);
	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	value = neg ? emu_alu(ALU_SUB, 0, value, m->size, &flags) : ~value;
	emu_store(m, &span, m->size, value);
	flags_set(m, flags);
	return EMU_OK;
}

static int op_group3(struct emu *m) /* F6 F7 */
{
	switch (m->insn.reg & 7) {
	case 0:
	case 1:
		return test_memory(m, m->insn.imm);
	case 2:
		return op_not_neg(m, false);
	case 3:
		return op_not_neg(m, true);
	default:
		return EMU_UNKNOWN; /* MUL, DIV */
	}
}

static int inc_dec(struct emu *m, bool dec)
{
	u64 flags = m->r->rflags;
	struct emu_span span;
	int err;

	err = emu_resolve_operand(m, m->size, ACCESS_R | ACCESS_W, &span);
	if (err)
		return err;
	emu_store(
		m, &span, m->size,
		emu_inc_dec(emu_load(m, &span, m->size), dec, m->size, &flags));
	flags_set(m, flags);
	return EMU_OK;
}

/* 64-bit code pushes and pops 8 bytes, or 2 behind 66 */
static u8 stack_size(const struct emu *m)
{
	if (m->mode != INSN_64BIT)
		return m->insn.operand_size;
	return m->insn.opsize ? 2 : 8;
}

/* How many bytes of RSP count */
static u8 stack_width(struct emu *m)
{
	if (m->mode == INSN_64BIT)
		return 8;
	vcpu_need(m->v, RG_SEG);
	return m->r->seg[SEG_SS].attr & SEG_ATTR_DB ? 4 : 2;
}

static int push_operand(struct emu *m) /* FF /6 */
{
	u8 size = stack_size(m), width = stack_width(m);
	u64 rsp = emu_reg_get(m, GPR_RSP, width);
	struct emu_span span;
	u64 value;
	int err = load_operand(m, size, &value);

	if (err)
		return err;
	rsp = (rsp - size) & emu_mask(width);
	err = emu_resolve(m, SEG_SS, rsp, size, ACCESS_W, &span);
	if (err)
		return err;
	emu_store(m, &span, size, value);
	emu_reg_set(m, GPR_RSP, width, rsp);
	return EMU_OK;
}

static int op_pop(struct emu *m) /* 8F /0 */
{
	u8 size = stack_size(m), width = stack_width(m);
	u64 rsp = emu_reg_get(m, GPR_RSP, width);
	struct emu_span from, to;
	u64 base_rsp = m->r->gpr[GPR_RSP];
	int err;

	if (m->insn.reg & 7)
		return EMU_UNKNOWN;
	err = emu_resolve(m, SEG_SS, rsp, size, ACCESS_R, &from);
	if (err)
		return err;
	/* A destination relative to RSP uses its value after the pop */
	emu_reg_set(m, GPR_RSP, width, (rsp + size) & emu_mask(width));
	err = emu_resolve_operand(m, size, ACCESS_W, &to);
	if (err) {
		m->r->gpr[GPR_RSP] = base_rsp;
		return err;
	}
	emu_store(m, &to, size, emu_load(m, &from, size));
	return EMU_OK;
}

static int op_group5(struct emu *m) /* FE FF */
{
	switch (m->insn.reg & 7) {
	case 0:
	case 1:
		return inc_dec(m, m->insn.reg & 1);
	case 6:
		return m->size == 1 ? EMU_UNKNOWN : push_operand(m);
	default:
		return EMU_UNKNOWN; /* CALL, JMP */
	}
}

static int op_xchg(struct emu *m) /* 86 87 */
{
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	struct emu_span span;
	u64 value;
	int err;

	err = emu_resolve_operand(m, m->size, ACCESS_R | ACCESS_W, &span);
	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	emu_store(m, &span, m->size, reg);
	emu_reg_set(m, m->insn.reg, m->size, value);
	return EMU_OK;
}

static int op_xadd(struct emu *m) /* 0F C0 C1 */
{
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 value, sum;
	int err;

	err = emu_resolve_operand(m, m->size, ACCESS_R | ACCESS_W, &span);
	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	sum = emu_alu(ALU_ADD, value, reg, m->size, &flags);
	emu_store(m, &span, m->size, sum);
	emu_reg_set(m, m->insn.reg, m->size, value);
	flags_set(m, flags);
	return EMU_OK;
}

static int op_cmpxchg(struct emu *m) /* 0F B0 B1 */
{
	u64 rax = emu_reg_get(m, GPR_RAX, m->size);
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 value;
	int err;

	err = emu_resolve_operand(m, m->size, ACCESS_R | ACCESS_W, &span);
	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	emu_alu(ALU_CMP, rax, value, m->size, &flags);
	if (value == rax) {
		emu_store(m, &span, m->size,
			  emu_reg_get(m, m->insn.reg, m->size));
	} else {
		emu_store(m, &span, m->size, value);
		emu_reg_set(m, GPR_RAX, m->size, value);
	}
	flags_set(m, flags);
	return EMU_OK;
}

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static int bit_operate(struct emu *m, enum bit_op op, s64 offset)
{
	u32 bits = m->size * 8u;
	u64 bit = BIT((u64)offset & (bits - 1));
	struct emu_span span;
	u64 value;
	int err;

	/* The bit string reaches beyond the operand (SDM 2A, BT) */
	m->insn.disp += (offset >> __builtin_ctz(bits)) * m->size;
	err = emu_resolve_operand(
		m, m->size, op == BIT_TEST ? ACCESS_R : ACCESS_R | ACCESS_W,
		&span);
	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	flags_set(m,
		  (m->r->rflags & ~RFLAGS_CF) | (value & bit ? RFLAGS_CF : 0));
	if (op == BIT_TEST)
		return EMU_OK;
	if (op == BIT_SET)
		value |= bit;
	else if (op == BIT_RESET)
		value &= ~bit;
	else
		value ^= bit;
	emu_store(m, &span, m->size, value);
	return EMU_OK;
}

static int op_bt(struct emu *m) /* 0F A3 AB B3 BB */
{
	u64 offset = emu_reg_get(m, m->insn.reg, m->size);

	return bit_operate(m, m->insn.opcode >> 3 & 3,
			   (s64)sign_extend(offset, m->size));
}

static int op_bt_imm(struct emu *m) /* 0F BA /4-/7 */
{
	if ((m->insn.reg & 7) < 4)
		return EMU_UNKNOWN;
	return bit_operate(m, m->insn.reg & 3,
			   (s64)(m->insn.imm & (m->size * 8u - 1)));
}

/* clang-format off */
static const struct op {
	u8 map, first, last;
	u8 flags;
	op_fn fn;
} ops[] = {
	{ MAP_ONE, 0x88, 0x89, 0, op_mov_store },
	{ MAP_ONE, 0x8a, 0x8b, 0, op_mov_load },
	{ MAP_ONE, 0xc6, 0xc7, 0, op_mov_imm },
	{ MAP_ONE, 0xa0, 0xa3, 0, op_moffs },
	{ MAP_ONE, 0xa4, 0xa5, OP_STRING, emu_movs },
	{ MAP_ONE, 0xaa, 0xab, OP_STRING, emu_stos },
	{ MAP_ONE, 0xac, 0xad, OP_STRING, emu_lods },
	{ MAP_ONE, 0x63, 0x63, 0, op_movx },
	{ MAP_ONE, 0x80, 0x83, 0, op_alu_imm },
	{ MAP_ONE, 0x84, 0x85, 0, op_test },
	{ MAP_ONE, 0x86, 0x87, 0, op_xchg },
	{ MAP_ONE, 0x8f, 0x8f, 0, op_pop },
	{ MAP_ONE, 0xf6, 0xf7, 0, op_group3 },
	{ MAP_ONE, 0xfe, 0xff, 0, op_group5 },
	{ MAP_ONE, 0x00, 0x3b, 0, op_alu },
	{ MAP_0F, 0xb6, 0xb7, 0, op_movx },
	{ MAP_0F, 0xbe, 0xbf, 0, op_movx },
	{ MAP_0F, 0xc3, 0xc3, 0, op_mov_store },
	{ MAP_0F, 0xa3, 0xa3, 0, op_bt },
	{ MAP_0F, 0xab, 0xab, 0, op_bt },
	{ MAP_0F, 0xb3, 0xb3, 0, op_bt },
	{ MAP_0F, 0xbb, 0xbb, 0, op_bt },
	{ MAP_0F, 0xba, 0xba, OP_WIDE, op_bt_imm },
	{ MAP_0F, 0xb0, 0xb1, 0, op_cmpxchg },
	{ MAP_0F, 0xc0, 0xc1, 0, op_xadd },
	{ MAP_0F38, 0xf0, 0xf1, OP_WIDE, op_movbe },
};
/* clang-format on */

static const struct op *op_find(const struct insn *insn)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (ops[i].map == insn->map && insn->opcode >= ops[i].first &&
		    insn->opcode <= ops[i].last)
			return &ops[i];
	return NULL;
}

static int emulate(struct emu *m)
{
	const struct op *op = op_find(&m->insn);
	bool wide;

	if (!op || (!m->insn.mem && !(op->flags & OP_STRING)))
		return EMU_UNKNOWN;
	wide = (op->flags & OP_WIDE) || (m->insn.opcode & 1);
	m->size = wide ? m->insn.operand_size : 1;
	return op->fn(m);
}

static enum verdict refuse(struct emu *m, const u8 *bytes, size_t have)
{
	char text[3 * INSN_MAX + 1] = "";
	size_t i;

	for (i = 0; i < have; i++)
		bh_snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ",
			    bytes[i]);
	log_error(TAG,
		  "%s: the instruction at RIP %llx (%s) touches device memory "
		  "at %llx and is not emulated",
		  m->v->vm->name, (unsigned long long)m->r->rip, text,
		  (unsigned long long)m->exit->mmio.gpa.v);
	return exit_kill(m->v, "instruction that is not emulated");
}

enum verdict emulate_mmio(struct vcpu *v, const struct vcpu_exit *e)
{
	struct emu m = { .v = v, .r = vcpu_regs(v), .exit = e };
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));
	int result;

	m.mode = insn_mode(m.r);
	result = insn_decode(&m.insn, bytes, have, m.mode);
	if (result == -EAGAIN)
		return VERDICT_RESUME; /* its code is unmapped by now */
	if (result)
		return refuse(&m, bytes, have);
	v->hw.exit.insn_len = m.insn.len;
	switch (emulate(&m)) {
	case EMU_OK:
		return VERDICT_ADVANCE;
	case EMU_AGAIN:
		return VERDICT_RESUME;
	case EMU_FAULT:
		return VERDICT_INJECT;
	default:
		return refuse(&m, bytes, have);
	}
}
