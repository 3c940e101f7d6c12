/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XSAVE, XSAVEC, XSAVEOPT and XRSTOR where the area is not in RAM (SDM 1 13
 * *Managing State Using the XSAVE Feature Set*). The CPU does them itself on a
 * buffer, with the guest's state and XCR0, which are in the core:
 * arch/x86/machine/stub.h. Of the guest's memory those parts are read or
 * written that it would touch. In 64-bit code alone. Called through the opcode
 * table of hv/emulate/emulate.c.
 */
#include "arch/x86/cpu/asm.h"
#include "arch/x86/machine/fpu.h"
#include "hv/emulate/priv.h"
#include "hv/emulate/stage.h"
#include "hv/emulate/vector.h"
#include "include/hw/cpuid.h"

#define RM_RDI           7u /* ModRM.rm with mod 0: the buffer */
#define X87_END          24u
#define MXCSR_END        32u
#define ST_END           160u
#define XMM_END          416u
#define XSAVE_HEADER     512u
#define XSAVE_HEADER_END 576u
#define COMPACT          BIT(63)
#define EXT_FIRST        2u
#define EXT_LAST         62u
#define SUB_ALIGNED      BIT(1) /* CPUID D.n ECX */
#define OP_XSAVE         0xaeu
#define OP_XSAVEC        0xc7u
#define REG_XSAVE        4u
#define REG_XRSTOR       5u

/* Components @which of the guest's area are moved; their places are as the
 * format has them */
struct transfer {
	struct emu *m;
	struct emu_stage *stage;
	u64 format, which;
	bool compact;
};

static void mark(const struct transfer *t, u32 from, u32 to)
{
	emu_stage_mark(t->stage, from, to);
}

/* Where component @i begins; *@end: of those before it, then of it, too */
static u32 place(const struct transfer *t, u32 i, u32 *end)
{
	struct cpuid r = cpuid_count(CPUID_XSAVE, i);
	u32 at = r.ebx;

	if (t->compact)
		at = r.ecx & SUB_ALIGNED ? (u32)ALIGN_UP(*end, XSAVE_ALIGN)
					 : *end;
	*end = at + r.eax;
	return at;
}

/* With @fn, of each that is transferred; returns the area's size */
static u32 each_extended(const struct transfer *t,
			 void (*fn)(const struct transfer *t, u32 from, u32 to))
{
	u32 most = XSAVE_HEADER_END, end = XSAVE_HEADER_END, at;

	for (u32 i = EXT_FIRST; i <= EXT_LAST && t->format >> i; i++) {
		if (!(t->format >> i & 1))
			continue;
		at = place(t, i, &end);
		if (fn && (t->which >> i & 1))
			fn(t, at, end);
		most = MAX(most, end);
	}
	return most;
}

/* All but the header and MXCSR */
static void mark_components(const struct transfer *t)
{
	if (t->which & XCR0_X87) {
		mark(t, 0, X87_END);
		mark(t, MXCSR_END, ST_END);
	}
	if (t->which & XCR0_SSE)
		mark(t, ST_END, XMM_END);
	each_extended(t, mark);
}

static int check_ready(struct emu *m)
{
	vcpu_need(m->v, RG_CR);
	if (!(m->r->cr4 & CR4_OSXSAVE))
		return emu_ud(m);
	if (m->r->cr0 & CR0_TS)
		return emu_fault_plain(m, EXC_NM);
	return m->mode == INSN_64BIT ? EMU_OK : EMU_UNKNOWN;
}

static u64 requested(const struct emu *m)
{
	const u64 *gpr = m->r->gpr;

	return ((u32)gpr[GPR_RAX] | gpr[GPR_RDX] << 32) & fpu_xcr0();
}

static int run(struct emu *m, u8 opcode, u8 reg, union emu_area *area)
{
	const u8 code[] = { (u8)(REX | (m->insn.rex & REX_W)), 0x0f, opcode,
			    (u8)((u32)reg << 3 | RM_RDI) };
	u64 components = requested(m);
	struct stub_regs r = { .rax = (u32)components,
			       .rdx = components >> 32 };

	return emu_stub(m, code, sizeof(code), area, &r);
}

static int run_xrstor(struct emu_stage *s)
{
	return run(&s->m, OP_XSAVE, REG_XRSTOR, &s->area);
}

static int resolve(struct transfer *t, u8 access)
{
	u32 size = each_extended(t, NULL);

	if (size > AREA_MOST)
		return EMU_UNKNOWN;
	return emu_resolve_aligned(t->m, (u16)size, XSAVE_ALIGN, access,
				   &t->stage->span);
}

/* The header's first words, which say what the rest is */
static void load_header(struct transfer *t, u16 bytes)
{
	emu_load_piece(t->m, &t->stage->span, XSAVE_HEADER, bytes,
		       &t->stage->area.xstate_bv);
}

/* XSAVEOPT may do what XSAVE does (SDM 1 13.9). XSAVEC leaves out what is in
 * its initial state. */
static int save(struct transfer *t, u8 opcode)
{
	struct emu_stage *s = t->stage;
	u64 with_mxcsr;
	int err;

	t->format = requested(t->m);
	t->compact = opcode == OP_XSAVEC;
	with_mxcsr = t->compact ? XCR0_SSE : XCR0_SSE | XCR0_AVX;
	err = resolve(t, ACCESS_W);
	if (err)
		return emu_stage_drop(s, err);
	if (!t->compact)
		load_header(t, 8);
	err = run(t->m, opcode, REG_XSAVE, &s->area);
	if (err)
		return emu_stage_drop(s, err);
	t->which = t->compact ? s->area.xstate_bv : t->format;
	mark_components(t);
	if (t->which & with_mxcsr)
		mark(t, X87_END, MXCSR_END);
	mark(t, XSAVE_HEADER,
	     t->compact ? XSAVE_HEADER + 16 : XSAVE_HEADER + 8);
	return emu_stage_move(s, t->m, NULL);
}

/* The header says which format it is */
static int restore(struct transfer *t)
{
	struct emu_stage *s = t->stage;
	u64 rfbm = requested(t->m);
	int err = resolve(t, ACCESS_R);

	if (err)
		return emu_stage_drop(s, err);
	load_header(t, XSAVE_HEADER_END - XSAVE_HEADER);
	t->compact = s->area.xcomp_bv & COMPACT;
	t->format = t->compact ? s->area.xcomp_bv & fpu_xcr0() : rfbm;
	t->which = s->area.xstate_bv & rfbm & t->format;
	err = resolve(t, ACCESS_R);
	if (err)
		return emu_stage_drop(s, err);
	mark_components(t);
	if ((t->compact ? t->which : rfbm) & (XCR0_SSE | XCR0_AVX))
		mark(t, X87_END, MXCSR_END);
	return emu_stage_move(s, t->m, run_xrstor);
}

int op_xsave(struct emu *m) /* 0F AE /4 /5 /6, 0F C7 /4 */
{
	struct transfer t = { .m = m };
	int err = check_ready(m);

	if (err)
		return err;
	t.stage = emu_stage_take(m);
	if (!t.stage)
		return EMU_AGAIN;
	if (m->insn.opcode == OP_XSAVE && (m->insn.reg & 7) == REG_XRSTOR)
		return restore(&t);
	return save(&t, m->insn.opcode);
}
