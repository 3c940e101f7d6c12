/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hv/emulate*.c. An emulation is one struct emu on the stack: the
 * instruction, its operand size, and where its memory operand is. Functions
 * return 0 or EMU_FAULT (an exception is queued, nothing of the guest's
 * registers changed) or EMU_UNKNOWN (no such instruction here).
 */
#ifndef HV_EMULATE_PRIV_H
#define HV_EMULATE_PRIV_H

#include "arch/x86/cpu/cpu_regs.h"
#include "hv/emulate.h"
#include "hv/insn.h"

enum emu_result { EMU_OK, EMU_FAULT, EMU_UNKNOWN, EMU_AGAIN };

struct emu {
	struct vcpu *v;
	struct vcpu_regs *r;
	const struct vcpu_exit *exit;
	struct insn insn;
	enum insn_mode mode;
	u8 size; /* of the memory operand, bytes */
};

/* A piece of guest memory whose translation is done: at most two pages */
struct emu_span {
	gpa_t gpa[2];
	u8 first; /* bytes in gpa[0] */
};

enum alu_op {
	ALU_ADD,
	ALU_OR,
	ALU_ADC,
	ALU_SBB,
	ALU_AND,
	ALU_SUB,
	ALU_XOR,
	ALU_CMP
};
#define ALU_FLAGS                                                              \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* emulate_alu.c: pure. @flags: RFLAGS before and after */
u64 emu_alu(enum alu_op op, u64 a, u64 b, u8 size, u64 *flags);
u64 emu_inc_dec(u64 a, bool dec, u8 size, u64 *flags);
static inline u64 emu_mask(u8 size)
{
	return size == 8 ? ~0ull : BIT(size * 8) - 1;
}

/* emulate_mem.c */
/* GPR by number: byte registers AH..BH as @insn's REX says */
u64 emu_reg_get(struct emu *m, u8 reg, u8 size);
void emu_reg_set(struct emu *m, u8 reg, u8 size, u64 value);
/* Effective address of the ModRM or moffs operand, cut to the address size */
u64 emu_effective(struct emu *m);
/* Segment, limit, canonical and paging checks of @size bytes at seg:offset */
int emu_resolve(struct emu *m, u8 seg, u64 offset, u8 size, u8 access,
		struct emu_span *span);
/* The operand of this exit: its gpa is known, the CPU has checked the rest */
int emu_resolve_operand(struct emu *m, u8 size, u8 access,
			struct emu_span *span);
u64 emu_load(struct emu *m, const struct emu_span *span, u8 size);
void emu_store(struct emu *m, const struct emu_span *span, u8 size, u64 value);
u8 emu_data_segment(const struct emu *m);

/* emulate_string.c */
int emu_movs(struct emu *m);
int emu_stos(struct emu *m);
int emu_lods(struct emu *m);

#endif
