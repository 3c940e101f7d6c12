/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Behind VEX (SDM 2A 2.3): all parts of the instruction. Behind EVEX (SDM 2A
 * 2.7) and XOP (APM 3 1.2.5): its length. Called by hv/emulate/insn.c.
 */
#include "hv/emulate/insn_priv.h"

#define XOP_MAP_8  8 /* APM 3 1.2.5: imm8, nothing, imm32 */
#define XOP_MAP_10 10

/* What follows the opcode of map @map, as in the maps above; 'd' is imm32 */
static char vex_operands(const struct insn *insn, u8 map)
{
	u8 op = insn->opcode;

	if (map == 1 && op == 0x77)
		return '.'; /* VZEROUPPER */
	if (map == 1)
		return (op & 0xfc) == 0x70 || op == 0xc2 ||
				       (op >= 0xc4 && op <= 0xc6)
			       ? 'B'
			       : 'm';
	if (map == 3 || map == XOP_MAP_8)
		return 'B';
	if (map == XOP_MAP_10)
		return 'd';
	return map == 4 || map == 7 || map > XOP_MAP_10 ? 'x' : 'm';
}

bool insn_starts_vex(const struct insn *insn, const struct cursor *c)
{
	u8 next;

	if (insn->map != MAP_ONE || c->err || c->at >= c->have)
		return false;
	next = c->bytes[c->at];
	switch (insn->opcode) {
	case 0xc4:
	case 0xc5:
	case 0x62:
		return c->mode == INSN_64BIT || next >= 0xc0;
	case 0x8f:
		return (next & 0x1f) >= XOP_MAP_8 && (next & 0x38);
	default:
		return false;
	}
}

/* Of VEX: R, X, B and vvvv are inverted (SDM 2A 2.3.5); outside 64-bit mode
 * there is nothing behind R, X, B and W */
static void vex_fields(struct insn *insn, enum insn_mode mode, u8 rxb, u8 last)
{
	insn->rex = (u8)((rxb >> 7 & 1) * REX_R | (rxb >> 6 & 1) * REX_X |
			 (rxb >> 5 & 1) * REX_B);
	insn->rex ^= REX_R | REX_X | REX_B;
	insn->vvvv = ~(last >> 3) & 0xf;
	insn->vector = last & 4 ? 32 : 16;
	insn->opsize = (last & 3) == 1;
	insn->rep = (last & 3) == 2;
	insn->repne = (last & 3) == 3;
	if (mode != INSN_64BIT)
		insn->rex = 0;
}

char insn_decode_vex(struct insn *insn, struct cursor *c)
{
	u8 first = insn->opcode, map = 1, rxb, last;

	if (insn->rex || insn->opsize || insn->rep || insn->repne || insn->lock)
		return 'x';
	rxb = (u8)insn_take(c, 1);
	last = rxb;
	if (first != 0xc5) {
		map = rxb & (first == 0x62 ? 0x7 : 0x1f);
		last = (u8)insn_take(c, 1);
	}
	insn->map = MAP_OTHER;
	if (first == 0xc4 || first == 0xc5) {
		if (map >= 1 && map <= 3)
			insn->map = (u8)(MAP_VEX_0F + map - 1);
		/* C5 has R alone, where C4 has W in the last byte */
		vex_fields(insn, c->mode, first == 0xc5 ? rxb | 0x60 : rxb,
			   last);
		insn->vex_w = first == 0xc4 && last >> 7;
		if (insn->vex_w && c->mode == INSN_64BIT)
			insn->rex |= REX_W;
	}
	if (first == 0x62)
		insn_take(c, 1);
	insn->opcode = (u8)insn_take(c, 1);
	return vex_operands(insn, map);
}
