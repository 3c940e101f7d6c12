/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moves between memory and MMX, XMM and YMM registers (SDM 2A, 2B). Copy
 * routines of firmware and drivers use them on devices and ROMs. While an exit
 * is handled, the guest's registers are in the core, with its XCR0, as the
 * hypervisor itself uses none. Called through the opcode table of
 * hv/emulate/emulate.c.
 */
#include "arch/x86/machine/fpu.h"
#include "hv/emulate/priv.h"

#define WIDE 16

/* The prefix that is part of the opcode, as a mask */
#define NP  1u
#define P66 2u
#define PF3 4u
#define PF2 8u

enum move_form {
	FORM_ALL,     /* the whole register */
	FORM_ALIGNED, /* the same, with memory aligned to its size */
	FORM_LOW4,    /* its low part; a load clears the rest */
	FORM_LOW8,
	FORM_GPR,  /* so, of 4 bytes, or 8 with REX.W */
	FORM_HALF, /* 8 bytes of 16, the others stay */
	FORM_MMX,  /* an MMX register */
	FORM_MMX_GPR
};
enum move_way { LOAD, STORE };

/* clang-format off */
static const struct move {
	u8 opcode;
	u8 prefixes;
	u8 form;	/* enum move_form */
	u8 way;		/* enum move_way */
} moves[] = {
	{ 0x10, NP | P66, FORM_ALL, LOAD },	/* MOVUPS MOVUPD */
	{ 0x10, PF3, FORM_LOW4, LOAD },	/* MOVSS */
	{ 0x10, PF2, FORM_LOW8, LOAD },	/* MOVSD */
	{ 0x11, NP | P66, FORM_ALL, STORE },
	{ 0x11, PF3, FORM_LOW4, STORE },
	{ 0x11, PF2, FORM_LOW8, STORE },
	{ 0x12, NP | P66, FORM_HALF, LOAD },	/* MOVLPS MOVLPD */
	{ 0x13, NP | P66, FORM_HALF, STORE },
	{ 0x16, NP | P66, FORM_HALF, LOAD },	/* MOVHPS MOVHPD */
	{ 0x17, NP | P66, FORM_HALF, STORE },
	{ 0x28, NP | P66, FORM_ALIGNED, LOAD },	/* MOVAPS MOVAPD */
	{ 0x29, NP | P66, FORM_ALIGNED, STORE },
	{ 0x2a, P66, FORM_ALIGNED, LOAD },	/* MOVNTDQA (0F38) */
	{ 0x2b, NP | P66, FORM_ALIGNED, STORE },	/* MOVNTPS MOVNTPD */
	{ 0x6e, NP, FORM_MMX_GPR, LOAD },	/* MOVD MOVQ */
	{ 0x6e, P66, FORM_GPR, LOAD },
	{ 0x6f, NP, FORM_MMX, LOAD },		/* MOVQ */
	{ 0x6f, P66, FORM_ALIGNED, LOAD },	/* MOVDQA */
	{ 0x6f, PF3, FORM_ALL, LOAD },		/* MOVDQU */
	{ 0x7e, NP, FORM_MMX_GPR, STORE },
	{ 0x7e, P66, FORM_GPR, STORE },
	{ 0x7e, PF3, FORM_LOW8, LOAD },	/* MOVQ */
	{ 0x7f, NP, FORM_MMX, STORE },
	{ 0x7f, P66, FORM_ALIGNED, STORE },
	{ 0x7f, PF3, FORM_ALL, STORE },
	{ 0xd6, P66, FORM_LOW8, STORE },	/* MOVQ */
	{ 0xe7, NP, FORM_MMX, STORE },		/* MOVNTQ */
	{ 0xe7, P66, FORM_ALIGNED, STORE },	/* MOVNTDQ */
	{ 0xf0, PF2, FORM_ALL, LOAD },		/* LDDQU */
};
/* clang-format on */

static u8 prefix_of(const struct emu *m)
{
	if (m->insn.repne)
		return PF2;
	if (m->insn.rep)
		return PF3;
	return m->insn.opsize ? P66 : NP;
}

static const struct move *find_move(const struct emu *m)
{
	u8 prefix = prefix_of(m);

	for (u32 i = 0; i < ARRAY_SIZE(moves); i++)
		if (moves[i].opcode == m->insn.opcode &&
		    (moves[i].prefixes & prefix))
			return &moves[i];
	return NULL;
}

static bool is_mmx(const struct move *move)
{
	return move->form >= FORM_MMX;
}

/* A form that VEX does not have is #UD (SDM 2A 2.4 *AVX and SSE Instruction
 * Exception Classification*). So is VEX that the guest has not enabled (SDM 1
 * 14.3). */
static bool vex_ok(struct emu *m, const struct move *move)
{
	const struct insn *i = &m->insn;
	bool three = move->form == FORM_HALF && move->way == LOAD;
	bool scalar = move->opcode < 0x12; /* of these: VEX.L is ignored */

	if (is_mmx(move) || (i->vvvv && !three))
		return false;
	if (i->vector > WIDE && move->form >= FORM_LOW4 && !scalar)
		return false;
	return emu_protected(m) && (m->r->cr4 & CR4_OSXSAVE) &&
	       (~fpu_xcr0() & (XCR0_SSE | XCR0_AVX)) == 0;
}

static bool legacy_ok(const struct emu *m, const struct move *move)
{
	return !(m->r->cr0 & CR0_EM) &&
	       (is_mmx(move) || (m->r->cr4 & CR4_OSFXSR));
}

/* What the CPU checks before it looks at the operand: #UD, #NM, #MF (SDM 3A
 * 2.5; SDM 3B 22.25.3 *Exceptions and MMX Instructions*) */
static int check_ready(struct emu *m, const struct move *move)
{
	vcpu_need(m->v, RG_CR | RG_RIP);
	if (m->insn.vector ? !vex_ok(m, move) : !legacy_ok(m, move))
		return emu_ud(m);
	if (m->r->cr0 & CR0_TS) {
		vcpu_raise_exception(m->v, EXC_NM, false, 0);
		return EMU_FAULT;
	}
	if (is_mmx(move) && fpu_error_pending()) {
		vcpu_raise_exception(m->v, EXC_MF, false, 0);
		return EMU_FAULT;
	}
	return EMU_OK;
}

static enum fpu_file file_of(const struct emu *m, const struct move *move)
{
	if (is_mmx(move))
		return FPU_MMX;
	if (!m->insn.vector)
		return FPU_XMM;
	return m->insn.vector > WIDE ? FPU_YMM : FPU_XMM_VEX;
}

/* How much memory it is */
static u8 size_of(const struct emu *m, const struct move *move)
{
	switch (move->form) {
	case FORM_LOW4:
		return 4;
	case FORM_GPR:
	case FORM_MMX_GPR:
		return m->insn.rex & REX_W ? 8 : 4;
	case FORM_LOW8:
	case FORM_HALF:
	case FORM_MMX:
		return 8;
	default:
		return m->insn.vector > WIDE ? m->insn.vector : WIDE;
	}
}

/* Which 8 bytes of the register: MOVHPS has the upper ones */
static u32 half_of(const struct emu *m, const struct move *move)
{
	return move->form == FORM_HALF && (m->insn.opcode & 4) ? 1 : 0;
}

/* Outside 64-bit mode its top bit does not count (SDM 2A 2.3.5.6) */
static u8 vvvv_of(const struct emu *m)
{
	return m->insn.vvvv & (m->mode == INSN_64BIT ? 15 : 7);
}

static void load(struct emu *m, const struct move *move,
		 const struct emu_span *span, u8 size)
{
	enum fpu_file file = file_of(m, move);
	u64 value[FPU_WORDS] = { 0 };

	/* A scalar's load clears all the rest, whatever VEX.L */
	if (file == FPU_YMM && size < WIDE)
		file = FPU_XMM_VEX;
	if (move->form == FORM_HALF)
		fpu_reg_read(file, m->insn.vector ? vvvv_of(m) : m->insn.reg,
			     value);
	emu_load_wide(m, span, size, value + half_of(m, move));
	fpu_reg_write(file, m->insn.reg, value);
}

static void store(struct emu *m, const struct move *move,
		  const struct emu_span *span, u8 size)
{
	u64 value[FPU_WORDS];

	fpu_reg_read(file_of(m, move), m->insn.reg, value);
	emu_store_wide(m, span, size, value + half_of(m, move));
}

int op_vector_move(struct emu *m)
{
	const struct move *move = find_move(m);
	struct emu_span span;
	u8 access, size;
	int err;

	if (!move)
		return EMU_UNKNOWN;
	err = check_ready(m, move);
	if (err)
		return err;
	size = size_of(m, move);
	access = move->way == STORE ? ACCESS_W : ACCESS_R;
	err = move->form == FORM_ALIGNED
		      ? emu_resolve_aligned(m, size, access, &span)
		      : emu_resolve_operand(m, size, access, &span);
	if (err)
		return err;
	(move->way == STORE ? store : load)(m, move, &span, size);
	return EMU_OK;
}
