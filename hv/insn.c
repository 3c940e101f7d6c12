// SPDX-License-Identifier: BSD-2-Clause
/*
 * The decoder. Each opcode map is a string of one letter an opcode that says
 * what follows the opcode; see operands_of().
 */
#include "hv/insn.h"

#include "lib/errno.h"

/*
 *	.  nothing		m  ModRM
 *	b  imm8			B  ModRM, imm8
 *	z  imm16/32		Z  ModRM, imm16/32
 *	w  imm16		v  imm16/32/64 (B8-BF)
 *	o  moffs		f  far pointer
 *	e  ENTER		G, H  ModRM, imm8 or imm16/32 if reg is 0 or 1
 *	x  not an instruction we know, or a prefix
 */
/* clang-format off */
static const char map_one[] =
	"mmmmbz.." "mmmmbz.x" "mmmmbz.." "mmmmbz.." /* 00 */
	"mmmmbzx." "mmmmbzx." "mmmmbzx." "mmmmbzx." /* 20 */
	"........" "........" "........" "........" /* 40 */
	"..mmxxxx" "zZbB...." "bbbbbbbb" "bbbbbbbb" /* 60 */
	"BZBBmmmm" "mmmmmmmm" "........" "..f....." /* 80 */
	"oooo...." "bz......" "bbbbbbbb" "vvvvvvvv" /* a0 */
	"BBw.mmBZ" "e.w..b.." "mmmmbbx." "mmmmmmmm" /* c0 */
	"bbbbbbbb" "zzfb...." "x.xx..GH" "......mm"; /* e0 */

static const char map_0f[] =
	"mmmmx..." "..x.xm.B" "mmmmmmmm" "mmmmmmmm" /* 00 */
	"mmmmxxxx" "mmmmmmmm" "........" "xxxxxxxx" /* 20 */
	"mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" /* 40 */
	"mmmmmmmm" "mmmmmmmm" "BBBBmmm." "mmxxmmmm" /* 60 */
	"zzzzzzzz" "zzzzzzzz" "mmmmmmmm" "mmmmmmmm" /* 80 */
	"...mBmxx" "...mBmmm" "mmmmmmmm" "mmBmmmmm" /* a0 */
	"mmBmBBBm" "........" "mmmmmmmm" "mmmmmmmm" /* c0 */
	"mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm"; /* e0 */
/* clang-format on */
static_assert(sizeof(map_one) == 257, "a letter an opcode");
static_assert(sizeof(map_0f) == 257, "a letter an opcode");

struct cursor {
	const u8 *bytes;
	size_t have, at;
	int err;
	enum insn_mode mode;
};

static u64 take(struct cursor *c, u32 n)
{
	u64 value = 0;
	u32 i;

	if (c->at + n > INSN_MAX)
		c->err = -EINVAL;
	else if (c->at + n > c->have && !c->err)
		c->err = -EAGAIN;
	if (c->err)
		return 0;
	for (i = 0; i < n; i++)
		value |= (u64)c->bytes[c->at + i] << (8 * i);
	c->at += n;
	return value;
}

static s64 take_signed(struct cursor *c, u32 n)
{
	u32 shift = 64 - 8 * n;

	return n ? (s64)(take(c, n) << shift) >> shift : 0;
}

/* True if @byte is a legacy prefix; it is noted in @insn */
static bool legacy_prefix(struct insn *insn, bool *addrsize, u8 byte)
{
	/* clang-format off */
	switch (byte) {
	case 0x26: insn->seg = SEG_ES; break;
	case 0x2e: insn->seg = SEG_CS; break;
	case 0x36: insn->seg = SEG_SS; break;
	case 0x3e: insn->seg = SEG_DS; break;
	case 0x64: insn->seg = SEG_FS; break;
	case 0x65: insn->seg = SEG_GS; break;
	case 0x66: insn->opsize = true; break;
	case 0x67: *addrsize = true; break;
	case 0xf0: insn->lock = true; break;
	case 0xf2: insn->repne = true; insn->rep = false; break;
	case 0xf3: insn->rep = true; insn->repne = false; break;
	default: return false;
	}
	/* clang-format on */
	return true;
}

static u8 operand_size(const struct insn *insn, enum insn_mode mode)
{
	if (insn->rex & REX_W)
		return 8;
	return (mode == INSN_16BIT) == insn->opsize ? 4 : 2;
}

static u8 address_size(enum insn_mode mode, bool addrsize)
{
	if (mode == INSN_64BIT)
		return addrsize ? 4 : 8;
	return (mode == INSN_16BIT) == addrsize ? 4 : 2;
}

/* Prefixes, REX, sizes, and the opcode with its map */
static void decode_opcode(struct insn *insn, struct cursor *c)
{
	bool addrsize = false;
	u8 byte = (u8)take(c, 1);

	while (legacy_prefix(insn, &addrsize, byte) && !c->err)
		byte = (u8)take(c, 1);
	if (c->mode == INSN_64BIT && (byte & 0xf0) == 0x40) {
		insn->rex = byte;
		byte = (u8)take(c, 1);
	}
	insn->operand_size = operand_size(insn, c->mode);
	insn->addr_size = address_size(c->mode, addrsize);
	if (byte == 0x0f) {
		insn->map = MAP_0F;
		byte = (u8)take(c, 1);
		if (byte == 0x38 || byte == 0x3a) {
			insn->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
			byte = (u8)take(c, 1);
		}
	}
	insn->opcode = byte;
}

/* BX+SI ... as SDM 2A table 2-1 has them */
static void decode_mem16(struct insn *insn, struct cursor *c)
{
	static const u8 bases[] = { GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
				    GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX };
	static const u8 indexes[] = { GPR_RSI, GPR_RDI, GPR_RSI, GPR_RDI };
	u8 rm = insn->rm & 7;

	if (insn->mod == 0 && rm == 6) {
		insn->disp = take_signed(c, 2);
		return;
	}
	insn->base = bases[rm];
	if (rm < ARRAY_SIZE(indexes))
		insn->index = indexes[rm];
	insn->disp = take_signed(c, insn->mod);
}

static void decode_sib(struct insn *insn, struct cursor *c)
{
	u8 sib = (u8)take(c, 1);
	u8 index = (sib >> 3 & 7) | (insn->rex & REX_X ? 8 : 0);

	insn->base = (sib & 7) | (insn->rex & REX_B ? 8 : 0);
	if (index != GPR_RSP) {
		insn->index = index;
		insn->scale = (u8)(1u << (sib >> 6));
	}
	if ((sib & 7) == GPR_RBP && insn->mod == 0) {
		insn->base = INSN_NO_REG;
		insn->disp = take_signed(c, 4);
	}
}

static void decode_mem(struct insn *insn, struct cursor *c)
{
	static const u8 disp_bytes[] = { 0, 1, 4 };
	u8 rm = insn->rm & 7;

	if (insn->addr_size == 2) {
		decode_mem16(insn, c);
		return;
	}
	if (rm == GPR_RSP) {
		decode_sib(insn, c);
	} else if (insn->mod == 0 && rm == GPR_RBP) {
		insn->rip_relative = c->mode == INSN_64BIT;
		insn->disp = take_signed(c, 4);
	} else {
		insn->base = insn->rm;
	}
	if (insn->mod)
		insn->disp = take_signed(c, disp_bytes[insn->mod]);
}

static void decode_modrm(struct insn *insn, struct cursor *c)
{
	u8 modrm = (u8)take(c, 1);

	insn->has_modrm = true;
	insn->mod = modrm >> 6;
	insn->reg = (modrm >> 3 & 7) | (insn->rex & REX_R ? 8 : 0);
	insn->rm = (modrm & 7) | (insn->rex & REX_B ? 8 : 0);
	/* MOV CRx and DRx take mod as 3 (SDM 2B, MOV) */
	if (insn->map == MAP_0F && (insn->opcode & 0xfc) == 0x20)
		insn->mod = 3;
	insn->mem = insn->mod != 3;
	if (insn->mem)
		decode_mem(insn, c);
}

static char operands_of(const struct insn *insn)
{
	switch (insn->map) {
	case MAP_ONE:
		return map_one[insn->opcode];
	case MAP_0F:
		return map_0f[insn->opcode];
	case MAP_0F38:
		return 'm';
	default:
		return 'B';
	}
}

static void decode_moffs(struct insn *insn, struct cursor *c)
{
	insn->mem = true;
	insn->disp = (s64)take(c, insn->addr_size);
}

static void decode_immediate(struct insn *insn, struct cursor *c, char kind)
{
	u32 z = insn->operand_size == 2 ? 2 : 4;

	if ((kind == 'G' || kind == 'H') && (insn->reg & 7) > 1)
		return;
	switch (kind) {
	case 'b':
	case 'B':
	case 'G':
		insn->imm = (u64)take_signed(c, 1);
		break;
	case 'z':
	case 'Z':
	case 'H':
		insn->imm = (u64)take_signed(c, z);
		break;
	case 'w':
		insn->imm = take(c, 2);
		break;
	case 'v':
		insn->imm = take(c, insn->operand_size);
		break;
	case 'f':
		insn->imm = take(c, z + 2);
		break;
	case 'e':
		insn->imm = take(c, 3);
		break;
	default:
		break;
	}
}

static bool kind_has_modrm(char kind)
{
	return kind == 'm' || kind == 'B' || kind == 'Z' || kind == 'G' ||
	       kind == 'H';
}

/* What the maps cannot say: VEX, EVEX and XOP, and 64-bit mode's gaps */
static bool is_refused(const struct insn *insn, const struct cursor *c)
{
	if (insn->map != MAP_ONE || c->err)
		return false;
	if (insn->opcode == 0x62 || insn->opcode == 0xc4 ||
	    insn->opcode == 0xc5)
		return c->mode == INSN_64BIT ||
		       (c->at < c->have && c->bytes[c->at] >= 0xc0);
	/* 8F with a map of 8 and more is XOP (APM 3 1.2.5) */
	return insn->opcode == 0x8f && c->at < c->have &&
	       (c->bytes[c->at] & 0x1f) >= 8 && (c->bytes[c->at] & 0x38);
}

int insn_decode(struct insn *insn, const u8 *bytes, size_t have,
		enum insn_mode mode)
{
	struct cursor c = { .bytes = bytes, .have = have, .mode = mode };
	char kind;

	*insn = (struct insn){ .seg = SEG_COUNT,
			       .base = INSN_NO_REG,
			       .index = INSN_NO_REG,
			       .scale = 1 };
	decode_opcode(insn, &c);
	if (c.err)
		return c.err;
	kind = operands_of(insn);
	if (kind == 'x' || is_refused(insn, &c))
		return -EINVAL;
	if (kind_has_modrm(kind))
		decode_modrm(insn, &c);
	else if (kind == 'o')
		decode_moffs(insn, &c);
	decode_immediate(insn, &c, kind);
	insn->len = (u8)c.at;
	return c.err;
}

u8 insn_length(const u8 *bytes, size_t have, enum insn_mode mode)
{
	struct insn insn;

	return insn_decode(&insn, bytes, have, mode) ? 0 : insn.len;
}

size_t insn_prefix_length(const u8 *bytes, size_t have, bool bits64)
{
	struct insn ignored;
	bool addrsize;
	size_t at = 0;

	while (at < have && legacy_prefix(&ignored, &addrsize, bytes[at]))
		at++;
	if (bits64 && at < have && (bytes[at] & 0xf0) == 0x40)
		at++;
	return at;
}
