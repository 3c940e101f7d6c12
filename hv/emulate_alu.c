// SPDX-License-Identifier: BSD-2-Clause
/* Results and flags of the integer operations (SDM 1 appendix A *EFLAGS
 * Cross-Reference*). Pure; called by hv/emulate.c. */
#include "hv/emulate_priv.h"

/* Of the low byte: set for an even number of ones */
static u64 parity_flag(u64 r)
{
	return __builtin_parity((u8)r) ? 0 : RFLAGS_PF;
}

static u64 result_flags(u64 r, u8 size)
{
	u64 flags = parity_flag(r);

	if (!(r & emu_mask(size)))
		flags |= RFLAGS_ZF;
	if (r >> (size * 8 - 1) & 1)
		flags |= RFLAGS_SF;
	return flags;
}

/* @carries: bit n is the carry or borrow out of bit n */
static u64 carry_flags(u64 carries, u64 overflow, u8 size)
{
	u32 top = size * 8u - 1;
	u64 flags = 0;

	if (carries >> top & 1)
		flags |= RFLAGS_CF;
	if (carries >> 3 & 1)
		flags |= RFLAGS_AF;
	if (overflow >> top & 1)
		flags |= RFLAGS_OF;
	return flags;
}

static u64 alu_add(u64 a, u64 b, u64 carry, u8 size, u64 *flags)
{
	u64 r = a + b + carry;

	*flags = carry_flags((a & b) | ((a | b) & ~r), (a ^ r) & (b ^ r), size);
	return r;
}

static u64 alu_sub(u64 a, u64 b, u64 borrow, u8 size, u64 *flags)
{
	u64 r = a - b - borrow;

	*flags =
		carry_flags((~a & b) | ((~a | b) & r), (a ^ b) & (a ^ r), size);
	return r;
}

u64 emu_alu(enum alu_op op, u64 a, u64 b, u8 size, u64 *flags)
{
	u64 carry = *flags & RFLAGS_CF ? 1 : 0;
	u64 arith = 0, r;

	switch (op) {
	case ALU_ADD:
	case ALU_ADC:
		r = alu_add(a, b, op == ALU_ADC ? carry : 0, size, &arith);
		break;
	case ALU_SUB:
	case ALU_CMP:
	case ALU_SBB:
		r = alu_sub(a, b, op == ALU_SBB ? carry : 0, size, &arith);
		break;
	case ALU_OR:
		r = a | b;
		break;
	case ALU_AND:
		r = a & b;
		break;
	default:
		r = a ^ b;
		break;
	}
	*flags = (*flags & ~ALU_FLAGS) | arith | result_flags(r, size);
	return r & emu_mask(size);
}

/* As ADD and SUB of one, with CF left alone */
u64 emu_inc_dec(u64 a, bool dec, u8 size, u64 *flags)
{
	u64 carry = *flags & RFLAGS_CF;
	u64 r = emu_alu(dec ? ALU_SUB : ALU_ADD, a, 1, size, flags);

	*flags = (*flags & ~RFLAGS_CF) | carry;
	return r;
}
