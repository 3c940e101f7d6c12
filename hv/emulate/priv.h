/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hv/emulate/. An emulation is one struct emu on the stack: the
 * instruction, its operand size, and what the exit told of its memory operand.
 *
 * An instruction is done in three steps: its checks, which may queue a fault;
 * loads; and at the end one store and the registers, which cannot fail. So a
 * fault leaves the guest's registers as they were.
 */
#ifndef HV_EMULATE_PRIV_H
#define HV_EMULATE_PRIV_H

#include "arch/x86/machine/stub.h"
#include "hv/core/regs.h"
#include "hv/emulate/emulate.h"
#include "hv/emulate/insn.h"
#include "hv/emulate/task.h"
#include "include/hw/cpu.h"

enum emu_result {
	EMU_OK,
	EMU_FAULT,   /* an exception is queued */
	EMU_UNKNOWN, /* not emulated: the end of the guest */
	EMU_AGAIN,   /* registers are as between two steps: the guest goes on */
	EMU_LATER /* in part; VE_INSN does the rest before the guest goes on */
};

struct emu {
	struct vcpu *v;
	struct vcpu_regs *r;
	const struct vcpu_exit *exit;
	struct insn insn;
	enum insn_mode mode;
	u8 size;     /* of the operands, bytes */
	bool direct; /* the exit's address is that of the only operand */
};

typedef int (*emu_fn)(struct emu *m);

/* emulate.c: what becomes of an instruction that @result is the end of */
enum verdict emu_verdict(struct vcpu *v, int result);

/* A piece of guest memory whose translation is done: at most two pages */
struct emu_span {
	gpa_t gpa[2];
	u16 first; /* bytes in gpa[0] */
};

#define ALU_FLAGS                                                              \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* In the order of the opcodes (00-3F) and of ModRM.reg in group 1 */
enum alu_op {
	ALU_ADD,
	ALU_OR,
	ALU_ADC,
	ALU_SBB,
	ALU_AND,
	ALU_SUB,
	ALU_XOR,
	ALU_CMP,
};
/* Of one operand */
enum alu_unary { ALU_NOT, ALU_NEG, ALU_INC, ALU_DEC };
/* ModRM.reg of group 2; 6 is SHL again */
enum alu_shift {
	ALU_ROL,
	ALU_ROR,
	ALU_RCL,
	ALU_RCR,
	ALU_SHL,
	ALU_SHR,
	ALU_SAL,
	ALU_SAR
};
/* ModRM.reg of group 8, less 4 */
enum alu_bit { ALU_BT, ALU_BTS, ALU_BTR, ALU_BTC };
enum alu_scan { ALU_BSF, ALU_BSR, ALU_TZCNT, ALU_LZCNT, ALU_POPCNT };

/*
 * alu.c: pure. The instruction itself does it on this CPU, so that flags which
 * the manual leaves undefined are the CPU's, too. @flags: RFLAGS before and
 * after; @size: 1, 2, 4 or 8 bytes, but for alu_bit() not 1.
 */
u64 alu_binary(enum alu_op op, u8 size, u64 a, u64 b, u64 *flags);
u64 alu_unary(enum alu_unary op, u8 size, u64 a, u64 *flags);
u64 alu_shift(enum alu_shift op, u8 size, u64 a, u8 count, u64 *flags);
u64 alu_bit(enum alu_bit op, u8 size, u64 a, u64 bit, u64 *flags);
/* SHLD, SHRD (@right) and IMUL of two operands; @size is not 1 */
u64 alu_shift_double(bool right, u8 size, u64 a, u64 fill, u8 count,
		     u64 *flags);
u64 alu_imul(u8 size, u64 a, u64 b, u64 *flags);
/* What register @to becomes, all of it: BSF and BSR may leave it as it is, or a
 * part of it */
u64 alu_scan(enum alu_scan op, u8 size, u64 to, u64 from, u64 *flags);
/* MUL and IMUL of one operand: *lo is AL, AX and so on; the product is hi:lo */
void alu_multiply(bool is_signed, u8 size, u64 *lo, u64 *hi, u64 b, u64 *flags);
/* DIV and IDIV: hi:lo is the dividend, then *lo the quotient and *hi the
 * remainder. Bytes: in AX, which is *lo, with *hi its upper half. False: #DE */
bool alu_divide(bool is_signed, u8 size, u64 *lo, u64 *hi, u64 b);
/* True if condition code @cc of Jcc, SETcc, CMOVcc holds (SDM 1 appendix B
 * *EFLAGS Condition Codes*) */
bool alu_condition(u8 cc, u64 flags);

/* operand.c */
/* A GPR by number, of @size bytes; without REX, byte registers 4 to 7 are AH to
 * BH. A write of 4 bytes clears the upper half. */
u64 emu_reg_get(struct emu *m, u8 reg, u8 size);
void emu_reg_set(struct emu *m, u8 reg, u8 size, u64 value);
void emu_flags_set(struct emu *m, u64 flags);
void emu_zero_flag_set(struct emu *m, bool zero);
/* Queue #UD; returns EMU_FAULT */
int emu_ud(struct emu *m);
/* EMU_OK; EMU_FAULT: #UD is queued for a LOCK prefix (SDM 2A, LOCK) */
int emu_no_lock(struct emu *m);
/* True if @lin is canonical in the guest's paging mode; RG_CR is valid */
static inline bool emu_is_canonical(const struct emu *m, u64 lin)
{
	return is_canonical(lin, vcpu_linear_bits(m->r));
}
/* Resolve @size bytes (up to a page) at seg:offset: checks of segment, limit,
 * canonical address, alignment and paging, in this order. Sets accessed and
 * dirty bits. EMU_OK, or EMU_FAULT: one is queued. */
int emu_resolve(struct emu *m, u8 seg, u64 offset, u16 size, u8 access,
		struct emu_span *span);
/* The same for the ModRM or moffs operand */
int emu_resolve_operand(struct emu *m, u16 size, u8 access,
			struct emu_span *span);
/* Where that operand is, before segmentation: @seg is an enum seg */
void emu_operand_address(struct emu *m, u8 *seg, u64 *offset);
/* The same for an operand that must be aligned to @align bytes, or #GP(0) */
int emu_resolve_aligned(struct emu *m, u16 size, u16 align, u8 access,
			struct emu_span *span);
/* Step over the instruction, leaving RFLAGS as it is, where the dispatcher's
 * own step would change it. Returns EMU_AGAIN. */
int emu_step_over(struct emu *m);
/* True in protected mode that is not virtual-8086 */
bool emu_protected(const struct emu *m);

/* mem.c: @span was resolved for this access. Loads and stores cannot fail. */
u64 emu_load(struct emu *m, const struct emu_span *span, u8 size);
void emu_store(struct emu *m, const struct emu_span *span, u8 size, u64 value);
/* The same for more than 8 bytes, 8 at a time */
void emu_load_wide(struct emu *m, const struct emu_span *span, u16 size,
		   u64 *value);
void emu_store_wide(struct emu *m, const struct emu_span *span, u16 size,
		    const u64 *value);
/* The same for a part of a span, @at its beginning; @at and @size are multiples
 * of 8 */
void emu_load_piece(struct emu *m, const struct emu_span *span, u16 at,
		    u16 size, u64 *value);
void emu_store_piece(struct emu *m, const struct emu_span *span, u16 at,
		     u16 size, u64 *value);
/* The store of a read-modify-write: @old was loaded, @value replaces it. In RAM
 * it is a compare-and-exchange. EMU_AGAIN: @old is not there any more, so this
 * must come before anything else changes. */
int __must_check emu_replace(struct emu *m, const struct emu_span *span,
			     u8 size, u64 old, u64 value);
int __must_check emu_replace_wide(struct emu *m, const struct emu_span *span,
				  const u64 old[2], const u64 value[2]);

/* by_stub.c */
/* Run the one instruction @code in the guest's place: see stub_run(). RFLAGS
 * goes in and out by itself. EMU_OK; EMU_FAULT: its exception is queued, and
 * nothing has changed; EMU_UNKNOWN: an exception that the guest's own
 * instruction would not raise. */
int emu_stub(struct emu *m, const u8 *code, u8 len, void *memory,
	     struct stub_regs *r);

/* segment.c */
/* Queue an exception with an error code, or without; returns EMU_FAULT */
int emu_fault(struct emu *m, u8 vector, u32 error);
int emu_fault_plain(struct emu *m, u8 vector);
/* CPL, 0 in real mode; RG_SEG, RG_CR and RG_RIP are valid */
u32 emu_cpl(struct emu *m);
/* What became of a function of hv/emulate/task.h, which returned @err */
int emu_of_task(int err);
/* Read the descriptor of @sel; EMU_FAULT: #GP(@sel) outside its table */
int emu_descriptor(struct emu *m, u16 sel, struct task_span *at,
		   u8 raw[DESC_BYTES]);

/* stack.c */
/* Push, in the size of a PUSH here or in @size bytes. After a fault RSP is as
 * it was. */
int emu_push(struct emu *m, u64 value);
int emu_push_sized(struct emu *m, u8 size, u64 value);
/* A POP in two steps: load what it takes, then move RSP, which cannot fail */
int emu_top(struct emu *m, u64 *value);
void emu_drop(struct emu *m);
/* Go to @target: RIP is set so that the dispatcher's step over this instruction
 * leads there */
void emu_jump(struct emu *m, u64 target);

/* ops.c: moves and arithmetic; bits.c: bits, shifts, exchange;
 * stack.c; string.c; segment.c; verify.c; legacy.c; system.c; x87.c. Opcodes:
 * see the table */
int op_mov_store(struct emu *m);
int op_mov_load(struct emu *m);
int op_mov_imm(struct emu *m);
int op_mov_segment(struct emu *m);
int op_moffs(struct emu *m);
int op_movnti(struct emu *m);
int op_movsxd(struct emu *m);
int op_movx(struct emu *m);
int op_movbe(struct emu *m);
int op_movdiri(struct emu *m);
int op_xlat(struct emu *m);
int op_bound(struct emu *m);
int op_cmov(struct emu *m);
int op_setcc(struct emu *m);
int op_alu(struct emu *m);
int op_alu_imm(struct emu *m);
int op_test(struct emu *m);
int op_group3(struct emu *m);
int op_group45(struct emu *m);
int op_imul(struct emu *m);
int op_bit_scan(struct emu *m);
int op_cache_line(struct emu *m);
int op_nop(struct emu *m);

int op_xchg(struct emu *m);
int op_xadd(struct emu *m);
int op_cmpxchg(struct emu *m);
int op_cmpxchg_wide(struct emu *m);
int op_bt(struct emu *m);
int op_bt_imm(struct emu *m);
int op_shift(struct emu *m);
int op_shift_double(struct emu *m);

int op_push_reg(struct emu *m);
int op_pop_reg(struct emu *m);
int op_push_imm(struct emu *m);
int op_push_operand(struct emu *m);
int op_pop_operand(struct emu *m);
int op_pusha(struct emu *m);
int op_popa(struct emu *m);
int op_pushf(struct emu *m);
int op_popf(struct emu *m);
int op_enter(struct emu *m);
int op_leave(struct emu *m);
int op_call(struct emu *m);
int op_call_operand(struct emu *m);
int op_jmp_operand(struct emu *m);
int op_ret(struct emu *m);

int op_movs(struct emu *m);
int op_cmps(struct emu *m);
int op_stos(struct emu *m);
int op_lods(struct emu *m);
int op_scas(struct emu *m);

int op_mov_to_segment(struct emu *m);
int op_push_segment(struct emu *m);
int op_pop_segment(struct emu *m);
int op_load_far(struct emu *m);
int op_call_far(struct emu *m);
int op_jmp_far(struct emu *m);

int op_lar_lsl(struct emu *m);
int op_verify(struct emu *m);
int op_arpl(struct emu *m);

int op_group6(struct emu *m);
int op_group7(struct emu *m);

/* vector.c: what the tables of emulate.c do not have, if it has */
int op_vector(struct emu *m);
int op_x87(struct emu *m);
int op_group15(struct emu *m);
int op_xsave(struct emu *m);

#endif
