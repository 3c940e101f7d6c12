/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See vector.h. The list by opcode (SDM 2D appendix A *Opcode Map*; APM 3
 * appendix A). Not in it, and so not emulated: masked moves and gathers, whose
 * elements are separate accesses; AMD's 3DNow!, FMA4 and XOP; all of EVEX.
 */
#include "hv/emulate/vector.h"

#define PACKED   (NP | P66)
#define ALL_FOUR (NP | P66 | PF3 | PF2)

/* clang-format off */
#define VEC_ROW(map, first, last, prefixes, size, flags)			\
	{ MAP_##map, first, last, prefixes, SIZE_##size, SHAPE_VECTOR, flags }
#define GPR_ROW(map, op, prefixes, size, shape, flags)			\
	{ MAP_##map, op, op, prefixes, SIZE_##size, SHAPE_##shape, flags }

static const struct vector_row rows[] = {
	/* Moves */
	VEC_ROW(0F, 0x10, 0x10, ALL_FOUR, FP, UNALIGNED),	/* MOVUPS MOVSS ... */
	VEC_ROW(0F, 0x11, 0x11, ALL_FOUR, FP, UNALIGNED | STORE),
	VEC_ROW(0F, 0x12, 0x12, PACKED, 8, VVVV | L0),	/* MOVLPS MOVLPD */
	VEC_ROW(0F, 0x12, 0x12, PF3, WHOLE, 0),		/* MOVSLDUP */
	VEC_ROW(0F, 0x12, 0x12, PF2, DUP, 0),		/* MOVDDUP */
	VEC_ROW(0F, 0x13, 0x13, PACKED, 8, STORE | L0),
	VEC_ROW(0F, 0x14, 0x15, PACKED, WHOLE, VVVV),	/* UNPCKLPS UNPCKHPS */
	VEC_ROW(0F, 0x16, 0x16, PACKED, 8, VVVV | L0),	/* MOVHPS MOVHPD */
	VEC_ROW(0F, 0x16, 0x16, PF3, WHOLE, 0),		/* MOVSHDUP */
	VEC_ROW(0F, 0x17, 0x17, PACKED, 8, STORE | L0),
	VEC_ROW(0F, 0x28, 0x28, PACKED, WHOLE, ALIGNED),	/* MOVAPS MOVAPD */
	VEC_ROW(0F, 0x29, 0x29, PACKED, WHOLE, ALIGNED | STORE),
	VEC_ROW(0F, 0x2b, 0x2b, PACKED, WHOLE, ALIGNED | STORE), /* MOVNTPS */
	VEC_ROW(0F, 0x2b, 0x2b, PF3 | PF2, FP, LEGACY | STORE), /* MOVNTSS */
	VEC_ROW(0F, 0x6e, 0x6e, NP, GPR, LEGACY | MMX),	/* MOVD MOVQ */
	VEC_ROW(0F, 0x6e, 0x6e, P66, GPR, L0),
	VEC_ROW(0F, 0x6f, 0x6f, NP, MMX, LEGACY),		/* MOVQ */
	VEC_ROW(0F, 0x6f, 0x6f, P66, WHOLE, ALIGNED),	/* MOVDQA */
	VEC_ROW(0F, 0x6f, 0x6f, PF3, WHOLE, UNALIGNED),	/* MOVDQU */
	VEC_ROW(0F, 0x7e, 0x7e, NP, GPR, LEGACY | STORE | MMX),
	VEC_ROW(0F, 0x7e, 0x7e, P66, GPR, STORE | L0),
	VEC_ROW(0F, 0x7e, 0x7e, PF3, 8, L0),		/* MOVQ */
	VEC_ROW(0F, 0x7f, 0x7f, NP, MMX, LEGACY | STORE),
	VEC_ROW(0F, 0x7f, 0x7f, P66, WHOLE, ALIGNED | STORE),
	VEC_ROW(0F, 0x7f, 0x7f, PF3, WHOLE, UNALIGNED | STORE),
	VEC_ROW(0F, 0xd6, 0xd6, P66, 8, STORE | L0),	/* MOVQ */
	VEC_ROW(0F, 0xe7, 0xe7, NP, MMX, LEGACY | STORE),	/* MOVNTQ */
	VEC_ROW(0F, 0xe7, 0xe7, P66, WHOLE, ALIGNED | STORE), /* MOVNTDQ */
	VEC_ROW(0F, 0xf0, 0xf0, PF2, WHOLE, UNALIGNED),	/* LDDQU */
	VEC_ROW(0F38, 0x2a, 0x2a, P66, WHOLE, ALIGNED),	/* MOVNTDQA */

	/* Floating point */
	VEC_ROW(0F, 0x51, 0x51, PACKED, WHOLE, 0),		/* SQRTPS */
	VEC_ROW(0F, 0x51, 0x51, PF3 | PF2, FP, VVVV),	/* SQRTSS */
	VEC_ROW(0F, 0x52, 0x53, NP, WHOLE, 0),		/* RSQRTPS RCPPS */
	VEC_ROW(0F, 0x52, 0x53, PF3, FP, VVVV),
	VEC_ROW(0F, 0x54, 0x57, PACKED, WHOLE, VVVV),	/* ANDPS ... XORPS */
	VEC_ROW(0F, 0x58, 0x59, ALL_FOUR, FP, VVVV),		/* ADDPS MULPS */
	VEC_ROW(0F, 0x5c, 0x5f, ALL_FOUR, FP, VVVV),		/* SUB MIN DIV MAX */
	VEC_ROW(0F, 0x7c, 0x7d, P66 | PF2, WHOLE, VVVV),	/* HADDPD HSUBPS */
	VEC_ROW(0F, 0xd0, 0xd0, P66 | PF2, WHOLE, VVVV),	/* ADDSUBPD */
	VEC_ROW(0F, 0xc2, 0xc2, ALL_FOUR, FP, VVVV),		/* CMPPS */
	VEC_ROW(0F, 0xc6, 0xc6, PACKED, WHOLE, VVVV),	/* SHUFPS */
	VEC_ROW(0F, 0x2e, 0x2f, PACKED, COMPARE, 0),	/* UCOMISS COMISS */
	VEC_ROW(0F3A, 0x08, 0x09, P66, WHOLE, 0),		/* ROUNDPS */
	VEC_ROW(0F3A, 0x0a, 0x0a, P66, 4, VVVV),		/* ROUNDSS */
	VEC_ROW(0F3A, 0x0b, 0x0b, P66, 8, VVVV),
	VEC_ROW(0F3A, 0x0c, 0x0d, P66, WHOLE, VVVV),	/* BLENDPS */
	VEC_ROW(0F3A, 0x21, 0x21, P66, 4, VVVV | L0),	/* INSERTPS */
	VEC_ROW(0F3A, 0x17, 0x17, P66, 4, STORE | L0),	/* EXTRACTPS */
	VEC_ROW(0F3A, 0x40, 0x40, P66, WHOLE, VVVV),	/* DPPS */
	VEC_ROW(0F3A, 0x41, 0x41, P66, WHOLE, VVVV | L0),	/* DPPD */
	VEC_ROW(0F38, 0x14, 0x15, P66, WHOLE, LEGACY),	/* BLENDVPS */
	VEC_ROW(0F3A, 0x4a, 0x4b, P66, WHOLE, VEX | VVVV | W0),
	VEC_ROW(0F38, 0x0c, 0x0d, P66, WHOLE, VEX | VVVV | W0), /* VPERMILPS */
	VEC_ROW(0F38, 0x0e, 0x0f, P66, WHOLE, VEX | W0),	/* VTESTPS */
	VEC_ROW(0F3A, 0x04, 0x05, P66, WHOLE, VEX | W0),	/* VPERMILPS */
	VEC_ROW(0F38, 0x96, 0x9f, P66, FMA, VEX | VVVV),	/* VFMADD132PS ... */
	VEC_ROW(0F38, 0xa6, 0xaf, P66, FMA, VEX | VVVV),
	VEC_ROW(0F38, 0xb6, 0xbf, P66, FMA, VEX | VVVV),

	/* Conversions */
	VEC_ROW(0F, 0x2a, 0x2a, PACKED, 8, LEGACY),	/* CVTPI2PS CVTPI2PD */
	VEC_ROW(0F, 0x2a, 0x2a, PF3 | PF2, GPR, VVVV),	/* CVTSI2SS */
	VEC_ROW(0F, 0x2c, 0x2d, NP, 8, LEGACY | MMX),	/* CVTTPS2PI */
	VEC_ROW(0F, 0x2c, 0x2d, P66, 16, LEGACY | MMX),	/* CVTTPD2PI */
	GPR_ROW(0F, 0x2c, PF3 | PF2, FP, GPR, 0),	/* CVTTSS2SI */
	GPR_ROW(0F, 0x2d, PF3 | PF2, FP, GPR, 0),	/* CVTSS2SI */
	VEC_ROW(0F, 0x5a, 0x5a, NP, HALF, 0),		/* CVTPS2PD */
	VEC_ROW(0F, 0x5a, 0x5a, P66, WHOLE, 0),		/* CVTPD2PS */
	VEC_ROW(0F, 0x5a, 0x5a, PF3 | PF2, FP, VVVV),	/* CVTSS2SD */
	VEC_ROW(0F, 0x5b, 0x5b, NP | P66 | PF3, WHOLE, 0),	/* CVTDQ2PS ... */
	VEC_ROW(0F, 0xe6, 0xe6, P66 | PF2, WHOLE, 0),	/* CVTTPD2DQ */
	VEC_ROW(0F, 0xe6, 0xe6, PF3, HALF, 0),		/* CVTDQ2PD */
	VEC_ROW(0F38, 0x13, 0x13, P66, HALF, VEX | W0),	/* VCVTPH2PS */
	VEC_ROW(0F3A, 0x1d, 0x1d, P66, HALF, VEX | W0 | STORE), /* VCVTPS2PH */

	/* Integers */
	VEC_ROW(0F, 0x60, 0x62, PACKED, MMX_LOW, VVVV),	/* PUNPCKLBW ... */
	VEC_ROW(0F, 0x63, 0x6b, PACKED, MMX, VVVV),	/* PACKSSWB ... PACKSSDW */
	VEC_ROW(0F, 0x6c, 0x6d, P66, WHOLE, VVVV),		/* PUNPCKLQDQ */
	VEC_ROW(0F, 0x70, 0x70, NP, MMX, LEGACY),		/* PSHUFW */
	VEC_ROW(0F, 0x70, 0x70, P66 | PF3 | PF2, WHOLE, 0),	/* PSHUFD ... */
	VEC_ROW(0F, 0x74, 0x76, PACKED, MMX, VVVV),	/* PCMPEQB ... */
	VEC_ROW(0F, 0xc4, 0xc4, NP, 2, LEGACY | MMX),	/* PINSRW */
	VEC_ROW(0F, 0xc4, 0xc4, P66, 2, VVVV | L0),
	VEC_ROW(0F, 0xd1, 0xd3, PACKED, COUNT, VVVV),	/* PSRLW ... */
	VEC_ROW(0F, 0xd4, 0xd5, PACKED, MMX, VVVV),	/* PADDQ PMULLW */
	VEC_ROW(0F, 0xd8, 0xe0, PACKED, MMX, VVVV),	/* PSUBUSB ... PAVGB */
	VEC_ROW(0F, 0xe1, 0xe2, PACKED, COUNT, VVVV),	/* PSRAW PSRAD */
	VEC_ROW(0F, 0xe3, 0xe5, PACKED, MMX, VVVV),	/* PAVGW ... PMULHW */
	VEC_ROW(0F, 0xe8, 0xef, PACKED, MMX, VVVV),	/* PSUBSB ... PXOR */
	VEC_ROW(0F, 0xf1, 0xf3, PACKED, COUNT, VVVV),	/* PSLLW ... */
	VEC_ROW(0F, 0xf4, 0xf6, PACKED, MMX, VVVV),	/* PMULUDQ ... PSADBW */
	VEC_ROW(0F, 0xf8, 0xfe, PACKED, MMX, VVVV),	/* PSUBB ... PADDD */
	VEC_ROW(0F38, 0x00, 0x0b, PACKED, MMX, VVVV),	/* PSHUFB ... */
	VEC_ROW(0F38, 0x10, 0x10, P66, WHOLE, LEGACY),	/* PBLENDVB */
	VEC_ROW(0F38, 0x17, 0x17, P66, WHOLE, 0),		/* PTEST */
	VEC_ROW(0F38, 0x1c, 0x1e, PACKED, MMX, 0),		/* PABSB ... */
	VEC_ROW(0F38, 0x20, 0x20, P66, HALF, 0),		/* PMOVSXBW ... */
	VEC_ROW(0F38, 0x21, 0x21, P66, QUARTER, 0),
	VEC_ROW(0F38, 0x22, 0x22, P66, EIGHTH, 0),
	VEC_ROW(0F38, 0x23, 0x23, P66, HALF, 0),
	VEC_ROW(0F38, 0x24, 0x24, P66, QUARTER, 0),
	VEC_ROW(0F38, 0x25, 0x25, P66, HALF, 0),
	VEC_ROW(0F38, 0x28, 0x29, P66, WHOLE, VVVV),	/* PMULDQ PCMPEQQ */
	VEC_ROW(0F38, 0x2b, 0x2b, P66, WHOLE, VVVV),	/* PACKUSDW */
	VEC_ROW(0F38, 0x30, 0x30, P66, HALF, 0),		/* PMOVZXBW ... */
	VEC_ROW(0F38, 0x31, 0x31, P66, QUARTER, 0),
	VEC_ROW(0F38, 0x32, 0x32, P66, EIGHTH, 0),
	VEC_ROW(0F38, 0x33, 0x33, P66, HALF, 0),
	VEC_ROW(0F38, 0x34, 0x34, P66, QUARTER, 0),
	VEC_ROW(0F38, 0x35, 0x35, P66, HALF, 0),
	VEC_ROW(0F38, 0x37, 0x40, P66, WHOLE, VVVV),	/* PCMPGTQ ... PMULLD */
	VEC_ROW(0F38, 0x41, 0x41, P66, WHOLE, L0),		/* PHMINPOSUW */
	VEC_ROW(0F38, 0x45, 0x45, P66, WHOLE, VEX | VVVV),	/* VPSRLVD */
	VEC_ROW(0F38, 0x46, 0x46, P66, WHOLE, VEX | VVVV | W0),
	VEC_ROW(0F38, 0x47, 0x47, P66, WHOLE, VEX | VVVV),
	VEC_ROW(0F38, 0x50, 0x53, P66, WHOLE, VEX | VVVV | W0), /* VPDPBUSD */
	VEC_ROW(0F3A, 0x02, 0x02, P66, WHOLE, VEX | VVVV | W0), /* VPBLENDD */
	VEC_ROW(0F3A, 0x0e, 0x0e, P66, WHOLE, VVVV),	/* PBLENDW */
	VEC_ROW(0F3A, 0x0f, 0x0f, PACKED, MMX, VVVV),	/* PALIGNR */
	VEC_ROW(0F3A, 0x14, 0x14, P66, 1, STORE | L0),	/* PEXTRB */
	VEC_ROW(0F3A, 0x15, 0x15, P66, 2, STORE | L0),
	VEC_ROW(0F3A, 0x16, 0x16, P66, GPR, STORE | L0),
	VEC_ROW(0F3A, 0x20, 0x20, P66, 1, VVVV | L0),	/* PINSRB */
	VEC_ROW(0F3A, 0x22, 0x22, P66, GPR, VVVV | L0),
	VEC_ROW(0F3A, 0x42, 0x42, P66, WHOLE, VVVV),	/* MPSADBW */
	VEC_ROW(0F3A, 0x4c, 0x4c, P66, WHOLE, VEX | VVVV | W0), /* VPBLENDVB */
	GPR_ROW(0F3A, 0x60, P66, 16, STRING, L0 | UNALIGNED), /* PCMPESTRM */
	GPR_ROW(0F3A, 0x61, P66, 16, STRING, L0 | UNALIGNED), /* PCMPESTRI */
	GPR_ROW(0F3A, 0x62, P66, 16, STRING, L0 | UNALIGNED), /* PCMPISTRM */
	GPR_ROW(0F3A, 0x63, P66, 16, STRING, L0 | UNALIGNED), /* PCMPISTRI */

	/* Broadcasts and permutations of AVX */
	VEC_ROW(0F38, 0x16, 0x16, P66, WHOLE, VEX | VVVV | L1 | W0), /* VPERMPS */
	VEC_ROW(0F38, 0x18, 0x18, P66, 4, VEX | W0),	/* VBROADCASTSS */
	VEC_ROW(0F38, 0x19, 0x19, P66, 8, VEX | L1 | W0),
	VEC_ROW(0F38, 0x1a, 0x1a, P66, 16, VEX | L1 | W0),
	VEC_ROW(0F38, 0x36, 0x36, P66, WHOLE, VEX | VVVV | L1 | W0), /* VPERMD */
	VEC_ROW(0F38, 0x58, 0x58, P66, 4, VEX | W0),	/* VPBROADCASTD */
	VEC_ROW(0F38, 0x59, 0x59, P66, 8, VEX | W0),
	VEC_ROW(0F38, 0x5a, 0x5a, P66, 16, VEX | L1 | W0),
	VEC_ROW(0F38, 0x78, 0x78, P66, 1, VEX | W0),
	VEC_ROW(0F38, 0x79, 0x79, P66, 2, VEX | W0),
	VEC_ROW(0F3A, 0x00, 0x01, P66, WHOLE, VEX | L1 | W1),	/* VPERMQ VPERMPD */
	VEC_ROW(0F3A, 0x06, 0x06, P66, WHOLE, VEX | VVVV | L1 | W0),
	VEC_ROW(0F3A, 0x18, 0x18, P66, 16, VEX | VVVV | L1 | W0), /* VINSERTF128 */
	VEC_ROW(0F3A, 0x19, 0x19, P66, 16, VEX | L1 | W0 | STORE),
	VEC_ROW(0F3A, 0x38, 0x38, P66, 16, VEX | VVVV | L1 | W0), /* VINSERTI128 */
	VEC_ROW(0F3A, 0x39, 0x39, P66, 16, VEX | L1 | W0 | STORE),
	VEC_ROW(0F3A, 0x46, 0x46, P66, WHOLE, VEX | VVVV | L1 | W0),

	/* Ciphers, hashes, finite fields */
	VEC_ROW(0F38, 0xc8, 0xcd, NP, WHOLE, LEGACY),	/* SHA1NEXTE ... */
	VEC_ROW(0F38, 0xcf, 0xcf, P66, WHOLE, VVVV | W0),	/* GF2P8MULB */
	VEC_ROW(0F38, 0xdb, 0xdb, P66, WHOLE, L0),		/* AESIMC */
	VEC_ROW(0F38, 0xdc, 0xdf, P66, WHOLE, VVVV),	/* AESENC ... */
	VEC_ROW(0F3A, 0x44, 0x44, P66, WHOLE, VVVV),	/* PCLMULQDQ */
	VEC_ROW(0F3A, 0xcc, 0xcc, NP, WHOLE, LEGACY),	/* SHA1RNDS4 */
	VEC_ROW(0F3A, 0xce, 0xcf, P66, WHOLE, VVVV | W1),	/* GF2P8AFFINEQB */
	VEC_ROW(0F3A, 0xdf, 0xdf, P66, WHOLE, L0),		/* AESKEYGENASSIST */

	/* Control */
	VEC_ROW(0F, 0xae, 0xae, NP, 4, REG2 | L0),		/* LDMXCSR */
	VEC_ROW(0F, 0xae, 0xae, NP, 4, REG3 | L0 | STORE),	/* STMXCSR */

	/* General registers */
	GPR_ROW(0F38, 0xf0, PF2, CRC, INTEGER, LEGACY),	/* CRC32 */
	GPR_ROW(0F38, 0xf1, PF2, CRC, INTEGER, LEGACY),
	GPR_ROW(0F38, 0xf6, P66 | PF3, GPR, INTEGER, LEGACY), /* ADCX ADOX */
	GPR_ROW(0F38, 0xf2, NP, GPR, INTEGER, VEX | VVVV | L0), /* ANDN */
	GPR_ROW(0F38, 0xf3, NP, GPR, GROUP, VEX | VVVV | L0), /* BLSR ... */
	GPR_ROW(0F38, 0xf5, NP | PF3 | PF2, GPR, INTEGER, VEX | VVVV | L0),
	GPR_ROW(0F38, 0xf6, PF2, GPR, MULX, VEX | VVVV | L0),
	GPR_ROW(0F38, 0xf7, ALL_FOUR, GPR, INTEGER, VEX | VVVV | L0), /* BEXTR ... */
	GPR_ROW(0F3A, 0xf0, PF2, GPR, INTEGER, VEX | L0), /* RORX */
};
/* clang-format on */

enum vector_prefix vector_prefix_of(const struct insn *insn)
{
	if (insn->repne)
		return PF2;
	if (insn->rep)
		return PF3;
	return insn->opsize ? P66 : NP;
}

/* MMX registers have no VEX */
static bool has_form(const struct vector_row *row, enum vector_prefix prefix,
		     bool vex)
{
	bool mmx = row->size == SIZE_MMX || row->size == SIZE_MMX_LOW ||
		   row->size == SIZE_COUNT;

	if (vex)
		return !(row->flags & LEGACY) && !(mmx && prefix == NP);
	return !(row->flags & VEX);
}

static bool has_reg(const struct vector_row *row, u8 reg)
{
	if (row->flags & (REG2 | REG3))
		return (reg & 7) == (row->flags & REG2 ? 2 : 3);
	return true;
}

const struct vector_row *vector_find(const struct insn *insn)
{
	enum vector_prefix prefix = vector_prefix_of(insn);
	bool vex = insn->vector;
	u8 map = insn->map;

	if (vex && map >= MAP_VEX_0F)
		map = (u8)(map - MAP_VEX_0F + MAP_0F);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct vector_row *row = &rows[i];

		if (row->map == map && insn->opcode >= row->first &&
		    insn->opcode <= row->last && (row->prefixes & prefix) &&
		    has_reg(row, insn->reg) && has_form(row, prefix, vex))
			return row;
	}
	return NULL;
}
