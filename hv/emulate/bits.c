/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bit operations, shifts and exchanges on memory (SDM 2A to 2B): all of them
 * read, modify, and write what they have read. Called through the opcode table
 * of hv/emulate/emulate.c.
 */
#include "hv/emulate/priv.h"

#define RMW (ACCESS_R | ACCESS_W)

int op_xchg(struct emu *m) /* 86 87: locked in any case */
{
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	struct emu_span span;
	u64 value;
	int err = emu_resolve_operand(m, m->size, RMW, &span);

	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	err = emu_replace(m, &span, m->size, value, reg);
	if (!err)
		emu_reg_set(m, m->insn.reg, m->size, value);
	return err;
}

int op_xadd(struct emu *m) /* 0F C0 C1 */
{
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 value, sum;
	int err = emu_resolve_operand(m, m->size, RMW, &span);

	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	sum = alu_binary(ALU_ADD, m->size, value, reg, &flags);
	err = emu_replace(m, &span, m->size, value, sum);
	if (err)
		return err;
	emu_reg_set(m, m->insn.reg, m->size, value);
	emu_flags_set(m, flags);
	return EMU_OK;
}

int op_cmpxchg(struct emu *m) /* 0F B0 B1: writes in any case */
{
	u64 rax = emu_reg_get(m, GPR_RAX, m->size);
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 value, new;
	int err = emu_resolve_operand(m, m->size, RMW, &span);

	if (err)
		return err;
	value = emu_load(m, &span, m->size);
	alu_binary(ALU_CMP, m->size, rax, value, &flags);
	new = value == rax ? emu_reg_get(m, m->insn.reg, m->size) : value;
	err = emu_replace(m, &span, m->size, value, new);
	if (err)
		return err;
	if (value != rax)
		emu_reg_set(m, GPR_RAX, m->size, value);
	emu_flags_set(m, flags);
	return EMU_OK;
}

static int cmpxchg8b(struct emu *m)
{
	const u64 *gpr = m->r->gpr;
	u64 want = (u32)gpr[GPR_RAX] | gpr[GPR_RDX] << 32;
	u64 new = (u32)gpr[GPR_RBX] | gpr[GPR_RCX] << 32;
	struct emu_span span;
	u64 value;
	int err = emu_resolve_operand(m, 8, RMW, &span);

	if (err)
		return err;
	value = emu_load(m, &span, 8);
	err = emu_replace(m, &span, 8, value, value == want ? new : value);
	if (err)
		return err;
	if (value != want) {
		emu_reg_set(m, GPR_RAX, 4, value);
		emu_reg_set(m, GPR_RDX, 4, value >> 32);
	}
	emu_zero_flag_set(m, value == want);
	return EMU_OK;
}

static int cmpxchg16b(struct emu *m)
{
	const u64 *gpr = m->r->gpr;
	const u64 new[2] = { gpr[GPR_RBX], gpr[GPR_RCX] };
	struct emu_span span;
	u64 value[2];
	bool same;
	int err = emu_resolve_aligned(m, 16, 16, RMW, &span);

	if (err)
		return err;
	emu_load_wide(m, &span, 16, value);
	same = value[0] == gpr[GPR_RAX] && value[1] == gpr[GPR_RDX];
	err = emu_replace_wide(m, &span, value, same ? new : value);
	if (err)
		return err;
	if (!same) {
		emu_reg_set(m, GPR_RAX, 8, value[0]);
		emu_reg_set(m, GPR_RDX, 8, value[1]);
	}
	emu_zero_flag_set(m, same);
	return EMU_OK;
}

int op_cmpxchg_wide(struct emu *m) /* 0F C7 /1 */
{
	bool prefix = m->insn.opsize || m->insn.rep || m->insn.repne;

	if ((m->insn.reg & 7) == 4 && !prefix)
		return m->insn.lock ? emu_ud(m) : op_xsave(m); /* XSAVEC */
	if ((m->insn.reg & 7) != 1)
		return EMU_UNKNOWN; /* XSAVES, VMX instructions */
	return m->insn.rex & REX_W ? cmpxchg16b(m) : cmpxchg8b(m);
}

static int bit_operate(struct emu *m, enum alu_bit op, u64 bit)
{
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 old, value;
	int err = op == ALU_BT ? emu_no_lock(m) : EMU_OK;

	if (!err)
		err = emu_resolve_operand(m, m->size,
					  op == ALU_BT ? ACCESS_R : RMW, &span);
	if (err)
		return err;
	old = emu_load(m, &span, m->size);
	value = alu_bit(op, m->size, old, bit, &flags);
	if (op != ALU_BT)
		err = emu_replace(m, &span, m->size, old, value);
	if (!err)
		emu_flags_set(m, flags);
	return err;
}

int op_bt(struct emu *m) /* 0F A3 AB B3 BB */
{
	u64 reg = emu_reg_get(m, m->insn.reg, m->size);
	s64 offset = (s64)sign_extend(reg, m->size);
	u32 bits = m->size * 8u;

	/* The bit string reaches beyond the operand (SDM 2A, BT) */
	m->insn.disp += (offset >> __builtin_ctz(bits)) * m->size;
	return bit_operate(m, m->insn.opcode >> 3 & 3,
			   (u64)offset & (bits - 1));
}

int op_bt_imm(struct emu *m) /* 0F BA /4-/7 */
{
	if ((m->insn.reg & 7) < 4)
		return emu_ud(m);
	return bit_operate(m, m->insn.reg & 3,
			   m->insn.imm & (m->size * 8u - 1));
}

int op_shift(struct emu *m) /* C0 C1, D0-D3 */
{
	u64 flags = m->r->rflags;
	u8 count = (u8)m->insn.imm;
	struct emu_span span;
	u64 old, value;
	int err = emu_resolve_operand(m, m->size, RMW, &span);

	if (err)
		return err;
	if (m->insn.opcode >= 0xd0)
		count = m->insn.opcode & 2 ? (u8)m->r->gpr[GPR_RCX] : 1;
	/* The manual masks it to five bits, six for 64-bit operands */
	count &= m->size == 8 ? 63 : 31;
	old = emu_load(m, &span, m->size);
	value = alu_shift(m->insn.reg & 7, m->size, old, count, &flags);
	err = emu_replace(m, &span, m->size, old, value);
	if (!err)
		emu_flags_set(m, flags);
	return err;
}

int op_shift_double(struct emu *m) /* 0F A4 A5 (SHLD), AC AD (SHRD) */
{
	u64 fill = emu_reg_get(m, m->insn.reg, m->size);
	u8 count =
		m->insn.opcode & 1 ? (u8)m->r->gpr[GPR_RCX] : (u8)m->insn.imm;
	u64 flags = m->r->rflags;
	struct emu_span span;
	u64 old, value;
	int err = emu_resolve_operand(m, m->size, RMW, &span);

	if (err)
		return err;
	old = emu_load(m, &span, m->size);
	value = alu_shift_double(m->insn.opcode & 8, m->size, old, fill, count,
				 &flags);
	err = emu_replace(m, &span, m->size, old, value);
	if (!err)
		emu_flags_set(m, flags);
	return err;
}
