/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Private to hv/emulate/. The list of instructions with one memory operand that
 * the CPU itself does in the guest's place (arch/x86/machine/stub.h). Each
 * needs no privilege and touches its operands, RAX, RCX, RDX and flags alone.
 */
#ifndef HV_EMULATE_VECTOR_H
#define HV_EMULATE_VECTOR_H

#include "hv/emulate/insn.h"

#define VECTOR_WIDE 16u /* bytes of an XMM register */

/* The prefix that is part of the opcode, as a mask */
enum vector_prefix { NP = 1, P66 = 2, PF3 = 4, PF2 = 8 };

/* How many bytes of memory. "Whole": 16, or 32 with VEX.L. */
enum vector_size {
	SIZE_1,
	SIZE_2,
	SIZE_4,
	SIZE_8,
	SIZE_16,
	SIZE_WHOLE,
	SIZE_HALF, /* of the whole, and so on */
	SIZE_QUARTER,
	SIZE_EIGHTH,
	SIZE_MMX,     /* NP: an MMX register, 8; else the whole */
	SIZE_MMX_LOW, /* NP: the half of one, 4; else the whole */
	SIZE_COUNT,   /* NP: an MMX register, 8; else 16 */
	SIZE_FP,      /* F3: 4; F2: 8; else the whole */
	SIZE_COMPARE, /* NP: 4; 66: 8 */
	SIZE_DUP,     /* 8; with VEX.L 32 */
	SIZE_FMA,     /* the whole; of scalars by W */
	SIZE_GPR,     /* 4, or 8 with W in 64-bit code */
	SIZE_CRC,     /* 1, or the operand size */
};

/* What ModRM.reg, VEX.vvvv and the instruction itself name besides memory */
enum vector_shape {
	SHAPE_VECTOR,  /* vector registers */
	SHAPE_GPR,     /* reg: a GPR that takes the result */
	SHAPE_STRING,  /* vector; RAX and RDX in, RCX out (SSE4.2's) */
	SHAPE_INTEGER, /* reg: a GPR, in and out; vvvv: a GPR, in */
	SHAPE_MULX,    /* the same; vvvv is out, too, and RDX in */
	SHAPE_GROUP,   /* reg: part of the opcode; vvvv: a GPR, out */
};

enum vector_flag {
	STORE = 1 << 0,     /* to memory */
	ALIGNED = 1 << 1,   /* to its size, with VEX, too */
	UNALIGNED = 1 << 2, /* anywhere, without VEX, too */
	VVVV = 1 << 3,      /* VEX.vvvv is an operand */
	LEGACY = 1 << 4,    /* has no form with VEX */
	VEX = 1 << 5,       /* has no other */
	L0 = 1 << 6,        /* VEX.L must be 0, */
	L1 = 1 << 7,        /* or 1 */
	W0 = 1 << 8,        /* VEX.W likewise */
	W1 = 1 << 9,
	MMX = 1 << 10,  /* uses MMX registers, whatever its size */
	REG2 = 1 << 11, /* ModRM.reg is 2, */
	REG3 = 1 << 12, /* or 3, as a part of the opcode */
};

struct vector_row {
	u8 map; /* enum insn_map, the one without VEX */
	u8 first, last;
	u8 prefixes; /* enum vector_prefix, a mask */
	u8 size, shape;
	u16 flags;
};

/* The prefix of @insn that counts */
enum vector_prefix vector_prefix_of(const struct insn *insn);
/* The row of @insn, or NULL: it is not in the list. Pure. */
const struct vector_row *vector_find(const struct insn *insn);

#endif
