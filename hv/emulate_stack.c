// SPDX-License-Identifier: BSD-2-Clause
/*
 * PUSH, POP, CALL, RET and JMP where the operand, the stack or both are not in
 * RAM (SDM 1 6.2 *Stacks*; SDM 2A, 2B). Called through the opcode table of
 * hv/emulate.c. A jump is a RIP that the dispatcher's step over this
 * instruction takes to the target.
 */
#include "hv/emulate_priv.h"

/* 64-bit code pushes and pops 8 bytes, or 2 behind 66 */
static u8 stack_size(const struct emu *m)
{
	if (m->mode != INSN_64BIT)
		return m->insn.operand_size;
	return m->insn.opsize && !(m->insn.rex & REX_W) ? 2 : 8;
}

/* Near branches of 64-bit code have no other size (SDM 1 6.3.7) */
static u8 branch_size(const struct emu *m)
{
	return m->mode == INSN_64BIT ? 8 : m->insn.operand_size;
}

/* How many bytes of RSP count */
static u8 stack_width(struct emu *m)
{
	if (m->mode == INSN_64BIT)
		return 8;
	vcpu_need(m->v, RG_SEG);
	return m->r->seg[SEG_SS].attr & SEG_ATTR_DB ? 4 : 2;
}

static void rsp_set(struct emu *m, u64 rsp)
{
	u8 width = stack_width(m);
	u64 mask = emu_mask(width);

	vcpu_need(m->v, RG_RSP);
	vcpu_dirty(m->v, RG_RSP);
	if (width == 4)
		m->r->gpr[GPR_RSP] = (u32)rsp;
	else
		m->r->gpr[GPR_RSP] =
			(m->r->gpr[GPR_RSP] & ~mask) | (rsp & mask);
}

static int push_value(struct emu *m, u8 size, u64 value)
{
	u8 width = stack_width(m);
	u64 rsp = (emu_reg_get(m, GPR_RSP, width) - size) & emu_mask(width);
	struct emu_span span;
	int err = emu_resolve(m, SEG_SS, rsp, size, ACCESS_W, &span);

	if (err)
		return err;
	emu_store(m, &span, size, value);
	rsp_set(m, rsp);
	return EMU_OK;
}

/* The value on top; RSP stays */
static int top_value(struct emu *m, u8 size, u64 *value)
{
	u64 rsp = emu_reg_get(m, GPR_RSP, stack_width(m));
	struct emu_span span;
	int err = emu_resolve(m, SEG_SS, rsp, size, ACCESS_R, &span);

	if (!err)
		*value = emu_load(m, &span, size);
	return err;
}

static void drop_bytes(struct emu *m, u64 bytes)
{
	rsp_set(m, emu_reg_get(m, GPR_RSP, stack_width(m)) + bytes);
}

static int load_operand(struct emu *m, u8 size, u64 *value)
{
	struct emu_span span;
	int err = emu_resolve_operand(m, size, ACCESS_R, &span);

	if (!err)
		*value = emu_load(m, &span, size);
	return err;
}

int op_push_reg(struct emu *m) /* 50-57 */
{
	u8 reg = (m->insn.opcode & 7) | (m->insn.rex & REX_B ? 8 : 0);

	return push_value(m, stack_size(m), emu_reg_get(m, reg, 8));
}

int op_pop_reg(struct emu *m) /* 58-5F */
{
	u8 reg = (m->insn.opcode & 7) | (m->insn.rex & REX_B ? 8 : 0);
	u8 size = stack_size(m);
	u64 value;
	int err = top_value(m, size, &value);

	if (err)
		return err;
	drop_bytes(m, size);
	emu_reg_set(m, reg, size, value);
	return EMU_OK;
}

int op_push_imm(struct emu *m) /* 68 6A */
{
	return push_value(m, stack_size(m), m->insn.imm);
}

int op_push_operand(struct emu *m) /* FF /6 */
{
	u8 size = stack_size(m);
	u64 value;
	int err = load_operand(m, size, &value);

	return err ? err : push_value(m, size, value);
}

int op_pop_operand(struct emu *m) /* 8F /0 */
{
	u64 rsp = emu_reg_get(m, GPR_RSP, 8);
	u8 size = stack_size(m);
	struct emu_span to;
	u64 value;
	int err;

	if (m->insn.reg & 7)
		return emu_ud(m);
	err = top_value(m, size, &value);
	if (err)
		return err;
	/* A destination relative to RSP uses its value after the pop */
	drop_bytes(m, size);
	err = emu_resolve_operand(m, size, ACCESS_W, &to);
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	emu_store(m, &to, size, value);
	return EMU_OK;
}

/* The target's limit and canonical checks (SDM 2A, CALL, JMP) */
static int check_target(struct emu *m, u64 *target)
{
	*target &= emu_mask(branch_size(m));
	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	if (m->mode == INSN_64BIT ? emu_is_canonical(m, *target)
				  : *target <= m->r->seg[SEG_CS].limit)
		return EMU_OK;
	vcpu_inject_gp(m->v);
	return EMU_FAULT;
}

static void jump_to(struct emu *m, u64 target)
{
	m->r->rip = target - m->insn.len;
	vcpu_dirty(m->v, RG_RIP);
}

static int call_to(struct emu *m, u64 target)
{
	u8 size = branch_size(m);
	int err = check_target(m, &target);

	if (!err)
		err = push_value(m, size, m->r->rip + m->insn.len);
	if (!err)
		jump_to(m, target);
	return err;
}

int op_call(struct emu *m) /* E8 */
{
	vcpu_need(m->v, RG_RIP);
	return call_to(m, m->r->rip + m->insn.len + m->insn.imm);
}

int op_call_operand(struct emu *m) /* FF /2 */
{
	u64 target;
	int err = load_operand(m, branch_size(m), &target);

	return err ? err : call_to(m, target);
}

int op_jmp_operand(struct emu *m) /* FF /4 */
{
	u64 target;
	int err = load_operand(m, branch_size(m), &target);

	if (!err)
		err = check_target(m, &target);
	if (!err)
		jump_to(m, target);
	return err;
}

int op_ret(struct emu *m) /* C2 C3 */
{
	u8 size = branch_size(m);
	u64 target;
	int err = top_value(m, size, &target);

	if (!err)
		err = check_target(m, &target);
	if (err)
		return err;
	drop_bytes(m, size + (m->insn.opcode & 1 ? 0 : m->insn.imm & 0xffff));
	jump_to(m, target);
	return EMU_OK;
}
