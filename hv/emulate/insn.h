/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instruction decoder: bytes in, struct insn out. Pure: it knows no vCPU
 * and no memory, so that unit tests and fuzzers drive it. It gives all parts of
 * an instruction of the one-byte, 0F, 0F38 and 0F3A maps, with VEX, too. Of
 * EVEX and XOP code it gives the length (SDM 2A 2 *Instruction Format*; APM 3
 * 1).
 */
#ifndef HV_EMULATE_INSN_H
#define HV_EMULATE_INSN_H

#include "hv/core/backend.h"
#include "lib/types.h"

#define INSN_MAX    15 /* bytes; longer is #GP (SDM 2A 2.3.11) */
#define INSN_NO_REG 0xff

enum insn_mode { INSN_16BIT, INSN_32BIT, INSN_64BIT };
/* MAP_OTHER: behind EVEX or XOP, or of VEX a map without a name here */
enum insn_map {
	MAP_ONE,
	MAP_0F,
	MAP_0F38,
	MAP_0F3A,
	MAP_VEX_0F,
	MAP_VEX_0F38,
	MAP_VEX_0F3A,
	MAP_OTHER
};

#define OP_MOV_STORE     0x89u /* MOV r/m, r */
#define OP_MOV_LOAD      0x8bu /* MOV r, r/m */
#define OP_MOV_STORE_IMM 0xc7u /* MOV r/m, imm */

#define REX      0x40u
#define REX_BITS 0xf0u
#define REX_B    1u
#define REX_X    2u
#define REX_R    4u
#define REX_W    8u

struct insn {
	u8 len;
	u8 map; /* enum insn_map */
	u8 opcode;
	u8 rex;    /* the byte, 0: none; VEX's R, X, B and W in its place */
	u8 vector; /* VEX.L: 16 or 32 bytes */
	u8 vvvv;   /* VEX's register besides ModRM's, 0-15 */
	bool vex_w;
	u8 seg; /* override that counts in this mode: enum seg, or SEG_COUNT */
	u8 operand_size;               /* 2, 4 or 8: of the non-byte form */
	u8 addr_size;                  /* 2, 4 or 8 */
	bool rep, repne, lock, opsize; /* F3, F2, F0, 66 seen, or VEX.pp */
	bool has_modrm, mem;           /* mem: r/m is memory, or moffs */
	bool rip_relative;
	u8 mod, reg, rm; /* reg and rm with REX */
	u8 base, index;  /* enum gpr or INSN_NO_REG */
	u8 scale;        /* 1 2 4 8 */
	s64 disp;        /* sign-extended; moffs: the offset */
	u64 imm;         /* sign-extended */
};

/* Decode the instruction at @bytes, of which @have are there. -EAGAIN: more
 * bytes are needed; -EINVAL: it is unknown or longer than INSN_MAX. */
int __must_check insn_decode(struct insn *insn, const u8 *bytes, size_t have,
			     enum insn_mode mode);
/*
 * MOV of 32 bits between memory and a register or a constant, in 64-bit code,
 * with no prefix but REX: what drivers touch registers with. The same tables as
 * insn_decode(), and a tenth of its cost, for exits whose address the CPU
 * tells: the operand's address is not decoded. False: something else.
 */
#define INSN_MOVE_MAX 12u /* REX, opcode, ModRM, SIB, disp32, imm32 */
struct insn_move {
	u8 opcode; /* OP_MOV_... */
	u8 reg;    /* enum gpr, unless OP_MOV_STORE_IMM */
	u8 len;
	u32 imm; /* OP_MOV_STORE_IMM */
};
bool insn_decode_move(struct insn_move *m, const u8 bytes[INSN_MOVE_MAX]);

/* The length of an instruction in bytes; 0 if insn_decode() fails */
u8 insn_length(const u8 *bytes, size_t have, enum insn_mode mode);
/* Bytes of legacy prefixes and (@bits64) REX at the start of @bytes */
size_t insn_prefix_length(const u8 *bytes, size_t have, bool bits64);

/* The mode of the code at CS:RIP; RG_CR, and RG_SEG or RG_CS, are valid */
static inline enum insn_mode insn_mode(const struct vcpu_regs *r)
{
	if (vcpu_hw_long_mode(r))
		return INSN_64BIT;
	return r->seg[SEG_CS].attr & SEG_ATTR_DB ? INSN_32BIT : INSN_16BIT;
}

#endif
