/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ModRM byte and the memory operand that it names (SDM 2A 2.1.5
 * *Addressing-Mode Encoding of ModR/M and SIB Bytes*). Also the one kind of
 * instruction that needs little more: insn_decode_move().
 */
#include "hv/emulate/insn_priv.h"

#define RM_SIB    4u
#define RM_BARE   5u /* with mod 0: no base, but a displacement of */
#define BARE_DISP 4u

/* Bytes of ModRM, SIB and displacement, with 32- and 64-bit addresses (SDM 2A
 * tables 2-2 and 2-3), but where sib_is_bare(). 0: the operand is a register.
 */
#define ROWS(...)                                                              \
	__VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__,       \
		__VA_ARGS__, __VA_ARGS__, __VA_ARGS__
static const u8 operand_bytes[256] = {
	/* RM_SIB is the fifth, RM_BARE the sixth of each eight */
	ROWS(1, 1, 1, 1, 2, 5, 1, 1), /* mod 0 */
	ROWS(2, 2, 2, 2, 3, 2, 2, 2), /* mod 1: disp8 */
	ROWS(5, 5, 5, 5, 6, 5, 5, 5), /* mod 2: disp32 */
};

/* A SIB byte that has BARE_DISP bytes in place of a base */
static inline bool sib_is_bare(u32 mod, u8 sib)
{
	return mod == 0 && (sib & 7) == RM_BARE;
}

/* BX+SI ... as SDM 2A table 2-1 has them */
static void decode_mem16(struct insn *insn, struct cursor *c)
{
	static const u8 bases[] = { GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
				    GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX };
	static const u8 indexes[] = { GPR_RSI, GPR_RDI, GPR_RSI, GPR_RDI };
	u8 rm = insn->rm & 7;

	if (insn->mod == 0 && rm == 6) {
		insn->disp = insn_take_signed(c, 2);
		return;
	}
	insn->base = bases[rm];
	if (rm < ARRAY_SIZE(indexes))
		insn->index = indexes[rm];
	insn->disp = insn_take_signed(c, insn->mod);
}

/* True: neither a base nor the displacement that goes with one */
static bool decode_sib(struct insn *insn, struct cursor *c)
{
	u8 sib = (u8)insn_take(c, 1);
	u8 index = (sib >> 3 & 7) | (insn->rex & REX_X ? 8 : 0);

	insn->base = (sib & 7) | (insn->rex & REX_B ? 8 : 0);
	if (index != GPR_RSP) {
		insn->index = index;
		insn->scale = (u8)(1u << (sib >> 6));
	}
	if (!sib_is_bare(insn->mod, sib))
		return false;
	insn->base = INSN_NO_REG;
	return true;
}

static void decode_mem(struct insn *insn, struct cursor *c, u8 modrm)
{
	u32 disp = operand_bytes[modrm] - 1u;
	u8 rm = modrm & 7;

	if (rm == RM_SIB) {
		disp = decode_sib(insn, c) ? BARE_DISP : disp - 1;
	} else if (insn->mod == 0 && rm == RM_BARE) {
		insn->rip_relative = c->mode == INSN_64BIT;
	} else {
		insn->base = insn->rm;
	}
	insn->disp = insn_take_signed(c, disp);
}

void insn_decode_modrm(struct insn *insn, struct cursor *c)
{
	u8 modrm = (u8)insn_take(c, 1);

	insn->has_modrm = true;
	insn->mod = modrm >> 6;
	insn->reg = (modrm >> 3 & 7) | (insn->rex & REX_R ? 8 : 0);
	insn->rm = (modrm & 7) | (insn->rex & REX_B ? 8 : 0);
	/* MOV CRx and DRx take mod as 3 (SDM 2B, MOV) */
	if (insn->map == MAP_0F && (insn->opcode & 0xfc) == 0x20)
		insn->mod = 3;
	insn->mem = insn->mod != 3;
	if (insn->mem && insn->addr_size == 2)
		decode_mem16(insn, c);
	else if (insn->mem)
		decode_mem(insn, c, modrm);
}

bool insn_decode_move(struct insn_move *m, const u8 bytes[INSN_MOVE_MAX])
{
	const u8 *p = bytes;
	u8 rex = 0, operand;

	if ((*p & REX_BITS) == REX)
		rex = *p++;
	m->opcode = *p++;
	if ((m->opcode != OP_MOV_STORE && m->opcode != OP_MOV_LOAD &&
	     m->opcode != OP_MOV_STORE_IMM) ||
	    rex & REX_W)
		return false;
	m->reg = (u8)((*p >> 3 & 7) | (rex & REX_R) << 1);
	operand = operand_bytes[*p];
	if ((*p & 7) == RM_SIB && sib_is_bare(*p >> 6, p[1]))
		operand += BARE_DISP;
	p += operand;
	if (insn_map_one[m->opcode] == 'Z') {
		if (m->reg & 7)
			return false;
		__builtin_memcpy(&m->imm, p, sizeof(m->imm));
		p += sizeof(m->imm);
	}
	m->len = (u8)(p - bytes);
	return operand;
}
