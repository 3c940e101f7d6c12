/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XLAT and BOUND, of the 8086 and the 80186 (SDM 2A, 2D). Called through the
 * opcode table of hv/emulate/emulate.c.
 */
#include "hv/emulate/priv.h"

int op_xlat(struct emu *m) /* D7 */
{
	u8 seg = m->insn.seg == SEG_COUNT ? SEG_DS : m->insn.seg;
	u64 at = m->r->gpr[GPR_RBX] + (u8)m->r->gpr[GPR_RAX];
	struct emu_span span;
	int err = emu_resolve(m, seg, at & ones_of(m->insn.addr_size), 1,
			      ACCESS_R, &span);

	if (!err)
		emu_reg_set(m, GPR_RAX, 1, emu_load(m, &span, 1));
	return err;
}

int op_bound(struct emu *m) /* 62: two signed bounds, of an index */
{
	u8 size = m->size;
	s64 index = (s64)sign_extend(emu_reg_get(m, m->insn.reg, size), size);
	struct emu_span low, high;
	int err = emu_resolve_operand(m, size, ACCESS_R, &low);

	m->insn.disp += size;
	if (!err)
		err = emu_resolve_operand(m, size, ACCESS_R, &high);
	m->insn.disp -= size;
	if (err)
		return err;
	if (index >= (s64)sign_extend(emu_load(m, &low, size), size) &&
	    index <= (s64)sign_extend(emu_load(m, &high, size), size))
		return EMU_OK;
	return emu_fault_plain(m, EXC_BR);
}
