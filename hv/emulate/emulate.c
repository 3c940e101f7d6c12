/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that touched device memory. Decoded at CS:RIP, found in the
 * opcode tables, done by the function there (hv/emulate/). Called by the
 * EXIT_MMIO handler on the home core; no lock is held. The operand may be
 * anything by then: RAM, ROM, a device, or some of each. An instruction that is
 * not in the tables is #UD, but at CPL 0 it ends the guest, with its bytes in
 * the log.
 */
#include "hv/emulate/emulate.h"

#include "hv/core/gmem.h"
#include "hv/emulate/priv.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"

#define OP_WIDE    1u /* never a byte, whatever bit 0 of the opcode */
#define OP_ALONE   2u /* no memory by ModRM: strings, the stack */
#define OP_LOCK    4u /* takes LOCK, in some of its forms at least */
#define OP_OTHERS  8u /* memory besides the ModRM operand, or instead of it */
#define OP_REP     (OP_ALONE | OP_OTHERS)
#define OP_STACK   (OP_ALONE | OP_OTHERS | OP_WIDE)
#define OP_OPERAND (OP_OTHERS | OP_WIDE)

struct op {
	emu_fn fn;
	u8 flags;
};

/* clang-format off */
#define ALU_ROW(at)							\
	[(at) ... (at) + 1] = { op_alu, OP_LOCK },			\
	[(at) + 2 ... (at) + 3] = { op_alu, 0 }

static const struct op ops_one[256] = {
	ALU_ROW(0x00), ALU_ROW(0x08), ALU_ROW(0x10), ALU_ROW(0x18),
	ALU_ROW(0x20), ALU_ROW(0x28), ALU_ROW(0x30), ALU_ROW(0x38),
	[0x06] = { op_push_segment, OP_STACK },
	[0x07] = { op_pop_segment, OP_STACK },
	[0x0e] = { op_push_segment, OP_STACK },
	[0x16] = { op_push_segment, OP_STACK },
	[0x17] = { op_pop_segment, OP_STACK },
	[0x1e] = { op_push_segment, OP_STACK },
	[0x1f] = { op_pop_segment, OP_STACK },
	[0x50 ... 0x57] = { op_push_reg, OP_STACK },
	[0x58 ... 0x5f] = { op_pop_reg, OP_STACK },
	[0x60] = { op_pusha, OP_STACK },
	[0x61] = { op_popa, OP_STACK },
	[0x62] = { op_bound, OP_OPERAND },
	[0x63] = { op_movsxd, OP_WIDE },
	[0x68] = { op_push_imm, OP_STACK },
	[0x69] = { op_imul, OP_WIDE },
	[0x6a] = { op_push_imm, OP_STACK },
	[0x6b] = { op_imul, OP_WIDE },
	[0x80 ... 0x83] = { op_alu_imm, OP_LOCK },
	[0x84 ... 0x85] = { op_test, 0 },
	[0x86 ... 0x87] = { op_xchg, OP_LOCK },
	[0x88 ... 0x89] = { op_mov_store, 0 },
	[0x8a ... 0x8b] = { op_mov_load, 0 },
	[0x8c] = { op_mov_segment, OP_WIDE },
	[0x8e] = { op_mov_to_segment, OP_OPERAND },
	[0x8f] = { op_pop_operand, OP_OPERAND },
	[0x9c] = { op_pushf, OP_STACK },
	[0x9d] = { op_popf, OP_STACK },
	[0xa0 ... 0xa3] = { op_moffs, 0 },
	[0xa4 ... 0xa5] = { op_movs, OP_REP },
	[0xa6 ... 0xa7] = { op_cmps, OP_REP },
	[0xaa ... 0xab] = { op_stos, OP_REP },
	[0xac ... 0xad] = { op_lods, OP_REP },
	[0xae ... 0xaf] = { op_scas, OP_REP },
	[0xc0 ... 0xc1] = { op_shift, 0 },
	[0xc2 ... 0xc3] = { op_ret, OP_STACK },
	[0xc4 ... 0xc5] = { op_load_far, OP_OPERAND },
	[0xc6 ... 0xc7] = { op_mov_imm, 0 },
	[0xc8] = { op_enter, OP_STACK },
	[0xc9] = { op_leave, OP_STACK },
	[0xd0 ... 0xd3] = { op_shift, 0 },
	[0xd7] = { op_xlat, OP_REP },
	[0xd8 ... 0xdf] = { op_x87, 0 },
	[0xe8] = { op_call, OP_STACK },
	[0xf6 ... 0xf7] = { op_group3, OP_LOCK },
	[0xfe ... 0xff] = { op_group45, OP_LOCK | OP_OTHERS },
};

static const struct op ops_0f[256] = {
	[0x00] = { op_group6, OP_OPERAND | OP_ALONE | OP_LOCK },
	[0x01] = { op_group7, OP_OPERAND },
	[0x02 ... 0x03] = { op_lar_lsl, OP_OPERAND | OP_ALONE },
	[0x0d] = { op_nop, 0 },
	[0x18 ... 0x1f] = { op_nop, 0 },
	[0x40 ... 0x4f] = { op_cmov, OP_WIDE },
	[0x90 ... 0x9f] = { op_setcc, 0 },
	[0xa0] = { op_push_segment, OP_STACK },
	[0xa1] = { op_pop_segment, OP_STACK },
	[0xa3] = { op_bt, OP_WIDE },
	[0xa4 ... 0xa5] = { op_shift_double, OP_WIDE },
	[0xa8] = { op_push_segment, OP_STACK },
	[0xa9] = { op_pop_segment, OP_STACK },
	[0xab] = { op_bt, OP_WIDE | OP_LOCK },
	[0xac ... 0xad] = { op_shift_double, OP_WIDE },
	[0xae] = { op_group15, 0 },
	[0xaf] = { op_imul, OP_WIDE },
	[0xb0 ... 0xb1] = { op_cmpxchg, OP_LOCK },
	[0xb2] = { op_load_far, OP_OPERAND },
	[0xb3] = { op_bt, OP_WIDE | OP_LOCK },
	[0xb4 ... 0xb5] = { op_load_far, OP_OPERAND },
	[0xb6 ... 0xb7] = { op_movx, OP_WIDE },
	[0xb8] = { op_bit_scan, OP_WIDE },
	[0xba] = { op_bt_imm, OP_WIDE | OP_LOCK },
	[0xbb] = { op_bt, OP_WIDE | OP_LOCK },
	[0xbc ... 0xbd] = { op_bit_scan, OP_WIDE },
	[0xbe ... 0xbf] = { op_movx, OP_WIDE },
	[0xc0 ... 0xc1] = { op_xadd, OP_LOCK },
	[0xc3] = { op_movnti, OP_WIDE },
	[0xc7] = { op_cmpxchg_wide, OP_WIDE | OP_LOCK },
};

static const struct op ops_0f38[256] = {
	[0xf0 ... 0xf1] = { op_movbe, OP_WIDE },
	[0xf9] = { op_movdiri, OP_WIDE },
};
/* clang-format on */

static const struct op *const op_maps[] = {
	[MAP_ONE] = ops_one,
	[MAP_0F] = ops_0f,
	[MAP_0F38] = ops_0f38,
};
/* What else has one operand in memory (hv/emulate/vector.h) */
static const struct op other = { op_vector, 0 };

static const struct op *op_find(const struct insn *insn)
{
	const struct op *op = &other;

	if (insn->map < ARRAY_SIZE(op_maps) &&
	    op_maps[insn->map][insn->opcode].fn)
		op = &op_maps[insn->map][insn->opcode];
	return insn->mem || (op->flags & OP_ALONE) ? op : NULL;
}

static int emulate(struct emu *m)
{
	const struct op *op = op_find(&m->insn);
	bool wide;

	if (!op)
		return EMU_UNKNOWN;
	if (m->insn.lock && !(op->flags & OP_LOCK))
		return emu_ud(m);
	wide = (op->flags & OP_WIDE) || (m->insn.opcode & 1);
	m->size = wide ? m->insn.operand_size : 1;
	m->direct = !(op->flags & OP_OTHERS) && !m->exit->mmio.walk;
	return op->fn(m);
}

static void log_refused(struct emu *m, const u8 *bytes, size_t have)
{
	char text[3 * INSN_MAX + 1] = "";
	size_t i;

	for (i = 0; i < have; i++)
		bh_snprintf(text + 3 * i, sizeof(text) - 3 * i, "%02x ",
			    bytes[i]);
	log_error("mmio",
		  "%s: the instruction at RIP %llx (%s) touches device memory "
		  "at %llx and is not emulated",
		  m->v->vm->name, m->r->rip, text, m->exit->mmio.gpa.v);
}

/* A process learns of it by #UD, as of what its CPU does not have; no line in
 * the log, which it could fill */
static enum verdict refuse(struct emu *m, const u8 *bytes, size_t have)
{
	enum verdict verdict = emu_verdict(m->v, EMU_UNKNOWN);

	if (verdict == VERDICT_KILL)
		log_refused(m, bytes, have);
	return verdict;
}

/* Byte @have of the instruction cannot be fetched: its page is gone since, or
 * the page tables are where there is no RAM */
static enum verdict fetch_fault(struct emu *m, size_t have)
{
	u64 lin = m->r->rip + have;
	u32 error;
	gpa_t gpa;

	if (m->mode != INSN_64BIT)
		lin = (u32)(lin + m->r->seg[SEG_CS].base);
	if (!gva_translate(m->v, GVA(lin), ACCESS_X, &gpa, &error))
		return VERDICT_RESUME;
	vcpu_raise_pf(m->v, GVA(lin), error);
	return VERDICT_INJECT;
}

enum verdict emu_verdict(struct vcpu *v, int result)
{
	switch (result) {
	case EMU_OK:
		return VERDICT_ADVANCE;
	case EMU_LATER:
		vcpu_post(v, VE_INSN);
		return VERDICT_RESUME;
	case EMU_AGAIN:
		return VERDICT_RESUME;
	case EMU_FAULT:
		return VERDICT_INJECT;
	default:
		return exit_cannot(v, EXC_UD,
				   "instruction that is not emulated");
	}
}

enum verdict emulate_mmio(struct vcpu *v, const struct vcpu_exit *e)
{
	struct emu m = { .v = v, .r = vcpu_regs(v), .exit = e };
	u8 bytes[INSN_MAX];
	size_t have = gmem_fetch(v, bytes, sizeof(bytes));
	int result;

	m.mode = insn_mode(m.r);
	result = insn_decode(&m.insn, bytes, have, m.mode);
	if (result == -EAGAIN)
		return fetch_fault(&m, have);
	if (result)
		return refuse(&m, bytes, have);
	v->hw.exit.insn_len = m.insn.len;
	result = emulate(&m);
	return result == EMU_UNKNOWN ? refuse(&m, bytes, have)
				     : emu_verdict(v, result);
}
