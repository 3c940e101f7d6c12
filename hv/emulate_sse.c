// SPDX-License-Identifier: BSD-2-Clause
/*
 * SSE moves between memory and XMM0-15 (SDM 2A, 2B): stock firmware's copy
 * routines use them on devices and ROMs. The guest's XMM registers are in the
 * core while its exit is handled: the hypervisor itself uses none. VEX forms
 * are not emulated: no compiler makes one of a device access, and no firmware
 * turns AVX on. Called through the opcode table of hv/emulate.c.
 */
#include "hv/emulate_priv.h"

#include "arch/x86/cpu/fpu.h"

#define WIDE 16

enum sse_prefix { SSE_NONE, SSE_66, SSE_F3, SSE_F2 };

static enum sse_prefix prefix_of(const struct emu *m)
{
	if (m->insn.repne)
		return SSE_F2;
	if (m->insn.rep)
		return SSE_F3;
	return m->insn.opsize ? SSE_66 : SSE_NONE;
}

/* What the CPU checks before it looks at the operand (SDM 3A 2.5) */
static int sse_ready(struct emu *m)
{
	const struct vcpu_regs *r = m->r;

	vcpu_need(m->v, RG_CR);
	if ((r->cr0 & CR0_EM) || !(r->cr4 & CR4_OSFXSR))
		return emu_ud(m);
	if (!(r->cr0 & CR0_TS))
		return EMU_OK;
	vcpu_inject_exception(m->v, EXC_NM, false, 0);
	return EMU_FAULT;
}

/* Whole register, @aligned or not */
static int move_wide(struct emu *m, bool store, bool aligned)
{
	u8 access = store ? ACCESS_W : ACCESS_R;
	struct emu_span span;
	u64 value[2];
	int err = aligned ? emu_resolve_aligned(m, access, &span)
			  : emu_resolve_operand(m, WIDE, access, &span);

	if (err)
		return err;
	if (store) {
		fpu_xmm_read(m->insn.reg, value);
		emu_store_wide(m, &span, value);
	} else {
		emu_load_wide(m, &span, value);
		fpu_xmm_write(m->insn.reg, value);
	}
	return EMU_OK;
}

/* The low @size bytes; a load clears the rest */
static int move_low(struct emu *m, bool store, u8 size)
{
	struct emu_span span;
	u64 value[2] = { 0, 0 };
	int err = emu_resolve_operand(m, size, store ? ACCESS_W : ACCESS_R,
				      &span);

	if (err)
		return err;
	if (store) {
		fpu_xmm_read(m->insn.reg, value);
		emu_store(m, &span, size, value[0]);
	} else {
		value[0] = emu_load(m, &span, size);
		fpu_xmm_write(m->insn.reg, value);
	}
	return EMU_OK;
}

int op_sse_move(struct emu *m) /* 0F 10 11, 28 29, 2B */
{
	bool store = m->insn.opcode & 1;
	enum sse_prefix prefix = prefix_of(m);
	int err = sse_ready(m);

	if (err)
		return err;
	if (m->insn.opcode >= 0x28)
		return prefix > SSE_66 ? EMU_UNKNOWN
				       : move_wide(m, store, true);
	if (prefix > SSE_66)
		return move_low(m, store, prefix == SSE_F3 ? 4 : 8);
	return move_wide(m, store, false);
}

int op_sse_half(struct emu *m) /* 0F 12 13, 16 17: one half, the other stays */
{
	u8 half = m->insn.opcode & 4 ? 1 : 0;
	bool store = m->insn.opcode & 1;
	struct emu_span span;
	u64 value[2];
	int err = sse_ready(m);

	if (!err && prefix_of(m) > SSE_66)
		return EMU_UNKNOWN;
	if (!err)
		err = emu_resolve_operand(m, 8, store ? ACCESS_W : ACCESS_R,
					  &span);
	if (err)
		return err;
	fpu_xmm_read(m->insn.reg, value);
	if (store) {
		emu_store(m, &span, 8, value[half]);
		return EMU_OK;
	}
	value[half] = emu_load(m, &span, 8);
	fpu_xmm_write(m->insn.reg, value);
	return EMU_OK;
}

/* clang-format off */
static const struct {
	u8 opcode;
	u8 prefix;	/* enum sse_prefix */
	u8 size;	/* 0: 4, or 8 with REX.W */
	bool store, aligned;
} integer_moves[] = {
	{ 0x6e, SSE_66, 0, false, false },	/* MOVD, MOVQ */
	{ 0x6f, SSE_66, WIDE, false, true },	/* MOVDQA */
	{ 0x6f, SSE_F3, WIDE, false, false },	/* MOVDQU */
	{ 0x7e, SSE_66, 0, true, false },	/* MOVD, MOVQ */
	{ 0x7e, SSE_F3, 8, false, false },	/* MOVQ */
	{ 0x7f, SSE_66, WIDE, true, true },	/* MOVDQA */
	{ 0x7f, SSE_F3, WIDE, true, false },	/* MOVDQU */
	{ 0xd6, SSE_66, 8, true, false },	/* MOVQ */
	{ 0xe7, SSE_66, WIDE, true, true },	/* MOVNTDQ */
	{ 0xf0, SSE_F2, WIDE, false, false },	/* LDDQU */
};
/* clang-format on */

int op_sse_integer(struct emu *m) /* 0F 6E 6F 7E 7F D6 E7 F0 */
{
	enum sse_prefix prefix = prefix_of(m);
	u32 i;
	int err;

	for (i = 0; i < ARRAY_SIZE(integer_moves); i++) {
		u8 size = integer_moves[i].size;

		if (integer_moves[i].opcode != m->insn.opcode ||
		    integer_moves[i].prefix != prefix)
			continue;
		err = sse_ready(m);
		if (err)
			return err;
		if (size == WIDE)
			return move_wide(m, integer_moves[i].store,
					 integer_moves[i].aligned);
		if (!size)
			size = m->insn.rex & REX_W ? 8 : 4;
		return move_low(m, integer_moves[i].store, size);
	}
	return EMU_UNKNOWN; /* MMX */
}

int op_sse_nontemporal_load(struct emu *m) /* 66 0F 38 2A: MOVNTDQA */
{
	int err;

	if (prefix_of(m) != SSE_66)
		return emu_ud(m);
	err = sse_ready(m);
	return err ? err : move_wide(m, false, true);
}
