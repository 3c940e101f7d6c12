/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FXSAVE and FXRSTOR where the area is not in RAM, and what else is behind 0F
 * AE (SDM 1 10.5; SDM 2A). The CPU does them itself on a buffer, with the
 * guest's state, which is in the core: arch/x86/machine/stub.h. Called through
 * the opcode table of hv/emulate/emulate.c.
 */
#include "hv/emulate/priv.h"
#include "hv/emulate/stage.h"
#include "hv/emulate/vector.h"

#define OPCODE       0xaeu
#define RM_RDI       7u /* ModRM.rm with mod 0: the buffer */
#define FXSAVE_BYTES 512u
#define FXSAVE_ALIGN 16u
#define XMM_END      416u /* bytes with sixteen XMM registers, */
#define XMM_END_OLD  288u /* and with eight, */
#define ST_END       160u /* and with none */

/* ModRM.reg */
enum group15 { FXSAVE, FXRSTOR, LDMXCSR, STMXCSR, XSAVE, XRSTOR, XSAVEOPT };

static int run(struct emu *m, enum group15 reg, struct emu_stage *s)
{
	const u8 code[] = { (u8)(REX | (m->insn.rex & REX_W)), 0x0f, OPCODE,
			    (u8)(reg << 3 | RM_RDI) };
	struct stub_regs r = { 0 };

	return emu_stub(m, code, sizeof(code), s->area.words, &r);
}

static int run_fxrstor(struct emu_stage *s)
{
	return run(&s->m, FXRSTOR, s);
}

/* Where the registers that it has to do with end. What lies behind is
 * software's; registers that are not there stay. With EFER.FFXSR a kernel's has
 * no XMM registers (APM 2 3.1.7 *Extended Feature Enable Register*). */
static u16 area_end(struct emu *m)
{
	if (m->mode != INSN_64BIT)
		return XMM_END_OLD;
	return (m->r->efer & EFER_FFXSR) && !emu_cpl(m) ? ST_END : XMM_END;
}

/* What FXRSTOR does not load is as it is now */
static int fxsave_or_restore(struct emu *m, enum group15 reg)
{
	u8 access = reg == FXSAVE ? ACCESS_W : ACCESS_R;
	struct emu_stage *s;
	struct emu_span span;
	int err;

	vcpu_need(m->v, RG_CR);
	if (m->r->cr0 & (CR0_EM | CR0_TS))
		return emu_fault_plain(m, EXC_NM);
	err = emu_resolve_aligned(m, FXSAVE_BYTES, FXSAVE_ALIGN, access, &span);
	if (err)
		return err;
	s = emu_stage_take(m);
	if (!s)
		return EMU_AGAIN;
	err = run(m, FXSAVE, s);
	if (err)
		return emu_stage_drop(s, err);
	s->span = span;
	emu_stage_mark(s, 0, area_end(m));
	return emu_stage_move(s, m, reg == FXSAVE ? NULL : run_fxrstor);
}

int op_group15(struct emu *m) /* 0F AE */
{
	u8 reg = m->insn.reg & 7;

	if (vector_prefix_of(&m->insn) != NP || reg > XSAVEOPT)
		return op_cache_line(m);
	if (reg >= XSAVE)
		return op_xsave(m);
	if (reg == FXSAVE || reg == FXRSTOR)
		return fxsave_or_restore(m, reg);
	return op_vector(m);
}
