/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An intercepted access to CR0 of which the CPU does not tell the instruction
 * (SDM 2A and 2B: CLTS, LMSW, MOV, SMSW). Another vCPU may have changed the
 * bytes at CS:RIP meanwhile: all is checked again, and into an instruction of
 * another kind the guest runs itself. Called by the dispatcher on the home
 * core; no lock.
 */
#include "hv/core/gmem.h"
#include "hv/emulate/priv.h"
#include "hv/policy/cr.h"

#define OP_GROUP7      0x01
#define OP_CLTS        0x06
#define OP_MOV_FROM_CR 0x20
#define OP_MOV_TO_CR   0x22
#define GROUP7_SMSW    4
#define GROUP7_LMSW    6

/* MOV and CLTS, as if the back-end had told */
static enum verdict access(struct emu *m)
{
	struct vcpu_exit *e = &m->v->hw.exit;

	if (emu_cpl(m)) {
		emu_fault(m, EXC_GP, 0);
		return VERDICT_INJECT;
	}
	e->cr.clts = m->insn.opcode == OP_CLTS;
	if (!e->cr.clts) {
		e->cr.cr = m->insn.reg;
		e->cr.gpr = m->insn.rm;
	}
	return exit_cr(m->v, e);
}

/* LMSW and SMSW; the latter has a form for a whole register */
static enum verdict machine_status_word(struct emu *m)
{
	if ((m->insn.reg & 7) == GROUP7_SMSW && !m->insn.mem) {
		if ((m->r->cr4 & CR4_UMIP) && emu_cpl(m)) {
			emu_fault(m, EXC_GP, 0);
			return VERDICT_INJECT;
		}
		emu_reg_set(m, m->insn.rm, m->insn.operand_size, m->r->cr0);
		return VERDICT_ADVANCE;
	}
	return op_group7(m) == EMU_OK ? VERDICT_ADVANCE : VERDICT_INJECT;
}

/*
 * Is it what made the exit? QUIRK(tcg-10.0): any MOV from a control register is
 * taken for one from CR0, its intercept and its exit code too (the decoder adds
 * no number to that of a read). So whatever it reads is read here.
 */
static bool matches(const struct insn *insn, bool write)
{
	if (insn->map != MAP_0F || insn->lock)
		return false;
	switch (insn->opcode) {
	case OP_GROUP7:
		return (insn->reg & 7) == (write ? GROUP7_LMSW : GROUP7_SMSW);
	case OP_CLTS:
		return write;
	case OP_MOV_FROM_CR:
		return !write;
	case OP_MOV_TO_CR:
		return write && !insn->reg;
	default:
		return false;
	}
}

enum verdict emulate_cr0(struct vcpu *v, const struct vcpu_exit *e)
{
	struct emu m = { .v = v, .r = vcpu_regs(v), .exit = e };
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));

	m.mode = insn_mode(m.r);
	if (insn_decode(&m.insn, bytes, have, m.mode) ||
	    !matches(&m.insn, e->cr.write))
		return VERDICT_RESUME;
	v->hw.exit.insn_len = m.insn.len;
	vcpu_need(v, RG_SEG | RG_CR | RG_RIP);
	if (m.insn.opcode == OP_GROUP7)
		return machine_status_word(&m);
	return access(&m);
}
