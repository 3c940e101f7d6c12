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
#include "hv/emulate/vector.h"
#include "include/hw/cpuid.h"

#define RM_RDI           7u /* ModRM.rm with mod 0: the buffer */
#define XSAVE_ALIGN      64u
#define AREA_MOST        2752u /* bytes; with all that is offered, 2696 */
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

union area {
	u64 words[AREA_MOST / sizeof(u64)];
	struct {
		u64 legacy[XSAVE_HEADER / sizeof(u64)];
		u64 xstate_bv, xcomp_bv;
	};
};

/* Components @which of the guest's area are loaded or stored; their places are
 * as the format has them */
struct transfer {
	struct emu *m;
	union area *area;
	struct emu_span span;
	void (*move)(struct emu *m, const struct emu_span *span, u16 at,
		     u16 size, u64 *value);
	u64 format, which;
	bool compact;
};

static void move(const struct transfer *t, u32 from, u32 to)
{
	t->move(t->m, &t->span, (u16)from, (u16)(to - from),
		&t->area->words[from / sizeof(u64)]);
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
static void transfer(const struct transfer *t)
{
	if (t->which & XCR0_X87) {
		move(t, 0, X87_END);
		move(t, MXCSR_END, ST_END);
	}
	if (t->which & XCR0_SSE)
		move(t, ST_END, XMM_END);
	each_extended(t, move);
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

static int run(struct emu *m, u8 opcode, u8 reg, union area *area)
{
	const u8 code[] = { (u8)(REX | (m->insn.rex & REX_W)), 0x0f, opcode,
			    (u8)((u32)reg << 3 | RM_RDI) };
	u64 components = requested(m);
	struct stub_regs r = { .rax = (u32)components,
			       .rdx = components >> 32 };

	return emu_stub(m, code, sizeof(code), area, &r);
}

static int resolve(struct transfer *t, u8 access)
{
	u32 size = each_extended(t, NULL);

	if (size > AREA_MOST)
		return EMU_UNKNOWN;
	return emu_resolve_aligned(t->m, (u16)size, XSAVE_ALIGN, access,
				   &t->span);
}

/* XSAVEOPT may do what XSAVE does (SDM 1 13.9). XSAVEC leaves out what is in
 * its initial state. */
static int save(struct emu *m, u8 opcode)
{
	union area area __aligned(XSAVE_ALIGN) = { 0 };
	struct transfer t = { .m = m,
			      .area = &area,
			      .move = emu_load_piece,
			      .format = requested(m),
			      .compact = opcode == OP_XSAVEC };
	u64 with_mxcsr = t.compact ? XCR0_SSE : XCR0_SSE | XCR0_AVX;
	int err = resolve(&t, ACCESS_W);

	if (err)
		return err;
	if (!t.compact)
		move(&t, XSAVE_HEADER, XSAVE_HEADER + 8);
	err = run(m, opcode, REG_XSAVE, &area);
	if (err)
		return err;
	t.move = emu_store_piece;
	t.which = t.compact ? area.xstate_bv : t.format;
	transfer(&t);
	if (t.which & with_mxcsr)
		move(&t, X87_END, MXCSR_END);
	move(&t, XSAVE_HEADER,
	     t.compact ? XSAVE_HEADER + 16 : XSAVE_HEADER + 8);
	return EMU_OK;
}

/* The header says which format it is */
static int restore(struct emu *m)
{
	union area area __aligned(XSAVE_ALIGN) = { 0 };
	struct transfer t = { .m = m, .area = &area, .move = emu_load_piece };
	u64 rfbm = requested(m);
	int err = resolve(&t, ACCESS_R);

	if (err)
		return err;
	move(&t, XSAVE_HEADER, XSAVE_HEADER_END);
	t.compact = area.xcomp_bv & COMPACT;
	t.format = t.compact ? area.xcomp_bv & fpu_xcr0() : rfbm;
	t.which = area.xstate_bv & rfbm & t.format;
	err = resolve(&t, ACCESS_R);
	if (err)
		return err;
	transfer(&t);
	if ((t.compact ? t.which : rfbm) & (XCR0_SSE | XCR0_AVX))
		move(&t, X87_END, MXCSR_END);
	return run(m, OP_XSAVE, REG_XRSTOR, &area);
}

int op_xsave(struct emu *m) /* 0F AE /4 /5 /6, 0F C7 /4 */
{
	int err = check_ready(m);

	if (err)
		return err;
	if (m->insn.opcode == OP_XSAVE && (m->insn.reg & 7) == REG_XRSTOR)
		return restore(m);
	return save(m, m->insn.opcode);
}
