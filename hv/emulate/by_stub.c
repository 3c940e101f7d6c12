/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is common to the instructions that the CPU does in the guest's place
 * (arch/x86/machine/stub.h): flags, and exceptions, which are the guest's.
 * Called by hv/emulate/vector.c, x87.c and fxsave.c.
 */
#include "hv/emulate/priv.h"

/* What the guest has not enabled is #UD (SDM 3A 2.5, CR4.OSXMMEXCPT) */
static int simd_fault(struct emu *m)
{
	vcpu_need(m->v, RG_CR);
	return emu_fault_plain(m, m->r->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
}

static int fault(struct emu *m, u8 vector)
{
	switch (vector) {
	case EXC_XM:
		return simd_fault(m);
	case EXC_UD:
	case EXC_MF:
		return emu_fault_plain(m, vector);
	case EXC_GP:
		return emu_fault(m, EXC_GP, 0);
	default:
		return EMU_UNKNOWN;
	}
}

int emu_stub(struct emu *m, const u8 *code, u8 len, void *memory,
	     struct stub_regs *r)
{
	u8 vector;

	vcpu_need(m->v, RG_RIP);
	r->flags = m->r->rflags & ALU_FLAGS;
	vector = stub_run(code, len, memory, r);
	if (vector != STUB_DONE)
		return fault(m, vector);
	emu_flags_set(m, merge_bits(m->r->rflags, r->flags, ALU_FLAGS));
	return EMU_OK;
}
