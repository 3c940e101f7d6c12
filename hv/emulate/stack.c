/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PUSH, POP, ENTER, LEAVE, CALL, RET and JMP where the operand, the stack or
 * both are not in RAM (SDM 1 6.2 *Stacks*; SDM 2A, 2B). Called through the
 * opcode table of hv/emulate/emulate.c. A jump is a RIP that the dispatcher's
 * step over this instruction takes to the target.
 */
#include "hv/core/retire.h"
#include "hv/emulate/priv.h"

#define IOPL_SHIFT 12

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

	vcpu_need(m->v, RG_RSP);
	vcpu_dirty(m->v, RG_RSP);
	m->r->gpr[GPR_RSP] = gpr_merge(m->r->gpr[GPR_RSP], rsp, width);
}

int emu_push_sized(struct emu *m, u8 size, u64 value)
{
	u8 width = stack_width(m);
	u64 rsp = (emu_reg_get(m, GPR_RSP, width) - size) & ones_of(width);
	struct emu_span span;
	int err = emu_resolve(m, SEG_SS, rsp, size, ACCESS_W, &span);

	if (err)
		return err;
	emu_store(m, &span, size, value);
	rsp_set(m, rsp);
	return EMU_OK;
}

int emu_push(struct emu *m, u64 value)
{
	return emu_push_sized(m, stack_size(m), value);
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

int emu_top(struct emu *m, u64 *value)
{
	return top_value(m, stack_size(m), value);
}

void emu_drop(struct emu *m)
{
	drop_bytes(m, stack_size(m));
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

	return emu_push(m, emu_reg_get(m, reg, 8));
}

int op_pop_reg(struct emu *m) /* 58-5F */
{
	u8 reg = (m->insn.opcode & 7) | (m->insn.rex & REX_B ? 8 : 0);
	u64 value;
	int err = emu_top(m, &value);

	if (err)
		return err;
	emu_drop(m);
	emu_reg_set(m, reg, stack_size(m), value);
	return EMU_OK;
}

int op_push_imm(struct emu *m) /* 68 6A */
{
	return emu_push(m, m->insn.imm);
}

int op_push_operand(struct emu *m) /* FF /6 */
{
	u8 size = stack_size(m);
	u64 value;
	int err = load_operand(m, size, &value);

	return err ? err : emu_push_sized(m, size, value);
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
	err = emu_top(m, &value);
	if (err)
		return err;
	/* A destination relative to RSP uses its value after the pop */
	emu_drop(m);
	err = emu_resolve_operand(m, size, ACCESS_W, &to);
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	emu_store(m, &to, size, value);
	return EMU_OK;
}

/* AX CX DX BX SP BP SI DI, SP as it was; the whole or nothing */
int op_pusha(struct emu *m) /* 60 */
{
	u64 rsp = emu_reg_get(m, GPR_RSP, 8);
	int err = EMU_OK;
	u8 reg;

	for (reg = GPR_RAX; reg <= GPR_RDI && !err; reg++)
		err = emu_push(m, reg == GPR_RSP ? rsp : m->r->gpr[reg]);
	if (err)
		m->r->gpr[GPR_RSP] = rsp;
	return err;
}

int op_popa(struct emu *m) /* 61 */
{
	u64 rsp = emu_reg_get(m, GPR_RSP, 8);
	u64 value[GPR_RDI + 1];
	int reg, err = EMU_OK;

	for (reg = GPR_RDI; reg >= GPR_RAX && !err; reg--) {
		err = emu_top(m, &value[reg]);
		if (!err)
			emu_drop(m);
	}
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	for (reg = GPR_RAX; reg <= GPR_RDI; reg++)
		if (reg != GPR_RSP)
			emu_reg_set(m, (u8)reg, stack_size(m), value[reg]);
	return EMU_OK;
}

/* Virtual-8086 code leaves the flags to its monitor (SDM 3A 21.2.7); with
 * CR4.VME its 16-bit forms work on VIF, which is not emulated */
static int flags_allowed(struct emu *m)
{
	vcpu_need(m->v, RG_RIP | RG_CR);
	if (!(m->r->rflags & RFLAGS_VM) ||
	    (m->r->rflags & RFLAGS_IOPL) == RFLAGS_IOPL)
		return EMU_OK;
	return m->r->cr4 & CR4_VME ? EMU_UNKNOWN : emu_fault(m, EXC_GP, 0);
}

int op_pushf(struct emu *m) /* 9C */
{
	int err = flags_allowed(m);

	return err ? err : emu_push(m, m->r->rflags & ~(RFLAGS_VM | RFLAGS_RF));
}

/* What POPF changes depends on CPL and IOPL (SDM 2B, POPF, table 4-16) */
static u64 popf_mask(struct emu *m)
{
	u64 mask = ALU_FLAGS | RFLAGS_TF | RFLAGS_DF | RFLAGS_NT | RFLAGS_AC |
		   RFLAGS_ID;
	u32 cpl = emu_cpl(m);

	if (!cpl)
		mask |= RFLAGS_IOPL;
	if (cpl <= (m->r->rflags & RFLAGS_IOPL) >> IOPL_SHIFT)
		mask |= RFLAGS_IF;
	return stack_size(m) == 2 ? mask & 0xffff : mask;
}

int op_popf(struct emu *m) /* 9D */
{
	int err = flags_allowed(m);
	u64 value, mask;

	if (!err)
		err = emu_top(m, &value);
	if (err)
		return err;
	emu_drop(m);
	mask = popf_mask(m);
	/* The trap after it is by the old TF */
	retire_insn(m->v);
	emu_flags_set(m, merge_bits(m->r->rflags, value, mask));
	return emu_step_over(m);
}

int op_leave(struct emu *m) /* C9 */
{
	u64 rsp = emu_reg_get(m, GPR_RSP, 8);
	u64 value;
	int err;

	rsp_set(m, emu_reg_get(m, GPR_RBP, stack_width(m)));
	err = emu_top(m, &value);
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	emu_drop(m);
	emu_reg_set(m, GPR_RBP, stack_size(m), value);
	return EMU_OK;
}

/* The frame pointers of the enclosing procedures, then this one's */
static int push_frames(struct emu *m, u64 frame, u32 level)
{
	u8 size = stack_size(m), width = stack_width(m);
	u64 rbp = emu_reg_get(m, GPR_RBP, width), value;
	struct emu_span span;
	int err;

	for (; level > 1; level--) {
		rbp = (rbp - size) & ones_of(width);
		err = emu_resolve(m, SEG_SS, rbp, size, ACCESS_R, &span);
		if (err)
			return err;
		value = emu_load(m, &span, size);
		err = emu_push(m, value);
		if (err)
			return err;
	}
	return level ? emu_push(m, frame) : EMU_OK;
}

#define ENTER_LEVELS 32u
/* More frame pointers than that are up to 61 accesses of a device, which may be
 * configuration space: too many for one go */
#define ENTER_LEVELS_MOST 8u

int op_enter(struct emu *m) /* C8 */
{
	u32 level = (u32)(m->insn.imm >> 16) % ENTER_LEVELS;
	u64 rsp = emu_reg_get(m, GPR_RSP, 8), frame, top;
	struct emu_span span;
	int err;

	if (level > ENTER_LEVELS_MOST)
		return EMU_UNKNOWN;
	err = emu_push(m, emu_reg_get(m, GPR_RBP, 8));
	frame = emu_reg_get(m, GPR_RSP, stack_width(m));
	if (!err)
		err = push_frames(m, frame, level);
	top = emu_reg_get(m, GPR_RSP, stack_width(m)) - (m->insn.imm & 0xffff);
	top &= ones_of(stack_width(m));
	/* The new top of the stack can be written */
	if (!err)
		err = emu_resolve(m, SEG_SS, top, stack_size(m), ACCESS_W,
				  &span);
	if (err) {
		m->r->gpr[GPR_RSP] = rsp;
		return err;
	}
	rsp_set(m, top);
	emu_reg_set(m, GPR_RBP, stack_size(m), frame);
	return EMU_OK;
}

/* The target's limit and canonical checks (SDM 2A, CALL, JMP) */
static int check_target(struct emu *m, u64 *target)
{
	*target &= ones_of(branch_size(m));
	vcpu_need(m->v, RG_SEG | RG_CR | RG_RIP);
	if (m->mode == INSN_64BIT ? emu_is_canonical(m, *target)
				  : *target <= m->r->seg[SEG_CS].limit)
		return EMU_OK;
	vcpu_raise_gp(m->v);
	return EMU_FAULT;
}

void emu_jump(struct emu *m, u64 target)
{
	m->r->rip = target - m->insn.len;
	vcpu_dirty(m->v, RG_RIP);
}

static int call_to(struct emu *m, u64 target)
{
	u8 size = branch_size(m);
	int err = check_target(m, &target);

	if (!err)
		err = emu_push_sized(m, size, m->r->rip + m->insn.len);
	if (!err)
		emu_jump(m, target);
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
		emu_jump(m, target);
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
	emu_jump(m, target);
	return EMU_OK;
}
