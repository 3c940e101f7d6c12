/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: prefixes, opcodes and immediates. Each opcode map is a string of
 * one letter an opcode that says what follows the opcode; see operands_of().
 */
#include "hv/emulate/insn_priv.h"
#include "lib/bytes.h"
#include "lib/errno.h"

/*
 *	.  nothing		m  ModRM
 *	b  imm8			B  ModRM, imm8
 *	z  imm16/32		Z  ModRM, imm16/32
 *	w  imm16		v  imm16/32/64 (B8-BF)
 *	o  moffs		f  far pointer
 *	e  ENTER		G, H  ModRM, imm8 or imm16/32 if reg is 0 or 1
 *	p  ModRM, and two imm8 behind 66 or F2 (EXTRQ, INSERTQ; else VMREAD)
 *	x  not an instruction, or a prefix
 */
/* clang-format off */
const char insn_map_one[257] =
	"mmmmbz.." "mmmmbz.x" "mmmmbz.." "mmmmbz.." /* 00 */
	"mmmmbzx." "mmmmbzx." "mmmmbzx." "mmmmbzx." /* 20 */
	"........" "........" "........" "........" /* 40 */
	"..mmxxxx" "zZbB...." "bbbbbbbb" "bbbbbbbb" /* 60 */
	"BZBBmmmm" "mmmmmmmm" "........" "..f....." /* 80 */
	"oooo...." "bz......" "bbbbbbbb" "vvvvvvvv" /* a0 */
	"BBw.mmBZ" "e.w..b.." "mmmmbb.." "mmmmmmmm" /* c0 */
	"bbbbbbbb" "zzfb...." "x.xx..GH" "......mm"; /* e0 */

static const char map_0f[] =
	"mmmmx..." "..x.xm.B" "mmmmmmmm" "mmmmmmmm" /* 00 */
	"mmmmxxxx" "mmmmmmmm" "........" "xxxxxxxx" /* 20 */
	"mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm" /* 40 */
	"mmmmmmmm" "mmmmmmmm" "BBBBmmm." "pmxxmmmm" /* 60 */
	"zzzzzzzz" "zzzzzzzz" "mmmmmmmm" "mmmmmmmm" /* 80 */
	"...mBmxx" "...mBmmm" "mmmmmmmm" "mmBmmmmm" /* a0 */
	"mmBmBBBm" "........" "mmmmmmmm" "mmmmmmmm" /* c0 */
	"mmmmmmmm" "mmmmmmmm" "mmmmmmmm" "mmmmmmmm"; /* e0 */
/* clang-format on */
/* #UD in 64-bit mode (SDM 2B, opcode tables) */
static const u8 not_in_64bit[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f,
				   0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x82,
				   0x9a, 0xce, 0xd4, 0xd5, 0xd6, 0xea };
static_assert(sizeof(map_0f) == 257, "a letter an opcode");

u64 insn_take(struct cursor *c, u32 n)
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

s64 insn_take_signed(struct cursor *c, u32 n)
{
	return n ? (s64)sign_extend(insn_take(c, n), n) : 0;
}

/* ES, CS, SS and DS do not count in 64-bit mode (SDM 1 3.3.7.1) */
static void segment_prefix(struct insn *insn, enum insn_mode mode, u8 seg)
{
	if (mode != INSN_64BIT || seg >= SEG_FS)
		insn->seg = seg;
}

/* True if @byte is a legacy prefix; it is noted in @insn */
static bool legacy_prefix(struct insn *insn, bool *addrsize,
			  enum insn_mode mode, u8 byte)
{
	/* clang-format off */
	switch (byte) {
	case 0x26: segment_prefix(insn, mode, SEG_ES); break;
	case 0x2e: segment_prefix(insn, mode, SEG_CS); break;
	case 0x36: segment_prefix(insn, mode, SEG_SS); break;
	case 0x3e: segment_prefix(insn, mode, SEG_DS); break;
	case 0x64: segment_prefix(insn, mode, SEG_FS); break;
	case 0x65: segment_prefix(insn, mode, SEG_GS); break;
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

/* Legacy prefixes and REX, in any order: a REX that another prefix follows is
 * as if it were not there (SDM 2A 2.2.1). True if @byte is one of them. */
static bool prefix(struct insn *insn, bool *addrsize, enum insn_mode mode,
		   u8 byte)
{
	if (mode == INSN_64BIT && (byte & REX_BITS) == REX) {
		insn->rex = byte;
		return true;
	}
	if (!legacy_prefix(insn, addrsize, mode, byte))
		return false;
	insn->rex = 0;
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
	u8 byte = (u8)insn_take(c, 1);

	while (prefix(insn, &addrsize, c->mode, byte) && !c->err)
		byte = (u8)insn_take(c, 1);
	insn->operand_size = operand_size(insn, c->mode);
	insn->addr_size = address_size(c->mode, addrsize);
	if (byte == 0x0f) {
		insn->map = MAP_0F;
		byte = (u8)insn_take(c, 1);
		if (byte == 0x38 || byte == 0x3a) {
			insn->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
			byte = (u8)insn_take(c, 1);
		}
	}
	insn->opcode = byte;
}

static char operands_of(const struct insn *insn)
{
	switch (insn->map) {
	case MAP_ONE:
		return insn_map_one[insn->opcode];
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
	insn->disp = (s64)insn_take(c, insn->addr_size);
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
		insn->imm = (u64)insn_take_signed(c, 1);
		break;
	case 'z':
	case 'Z':
	case 'H':
		insn->imm = (u64)insn_take_signed(c, z);
		break;
	case 'w':
		insn->imm = insn_take(c, 2);
		break;
	case 'v':
		insn->imm = insn_take(c, insn->operand_size);
		break;
	case 'f':
		insn->imm = insn_take(c, z + 2);
		break;
	case 'e':
		insn->imm = insn_take(c, 3);
		break;
	case 'd':
		insn->imm = (u64)insn_take_signed(c, 4);
		break;
	case 'p':
		insn->imm = insn_take(c, insn->opsize || insn->repne ? 2 : 0);
		break;
	default:
		break;
	}
}

static bool kind_has_modrm(char kind)
{
	return kind == 'm' || kind == 'B' || kind == 'Z' || kind == 'G' ||
	       kind == 'H' || kind == 'p' || kind == 'd';
}

static bool is_gone(const struct insn *insn, enum insn_mode mode)
{
	u32 i;

	if (mode != INSN_64BIT || insn->map != MAP_ONE)
		return false;
	for (i = 0; i < ARRAY_SIZE(not_in_64bit); i++)
		if (insn->opcode == not_in_64bit[i])
			return true;
	return false;
}

/* C4, C5, 62 and 8F at the end of what there is: which are they? */
static bool is_cut_short(const struct insn *insn, const struct cursor *c)
{
	u8 op = insn->opcode;

	return insn->map == MAP_ONE && c->at >= c->have &&
	       (op == 0xc4 || op == 0xc5 || op == 0x62 || op == 0x8f);
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
	if (is_cut_short(insn, &c))
		return c.at < INSN_MAX ? -EAGAIN : -EINVAL;
	kind = insn_starts_vex(insn, &c) ? insn_decode_vex(insn, &c)
					 : operands_of(insn);
	if (kind == 'x' || is_gone(insn, mode))
		return c.err ? c.err : -EINVAL;
	if (kind_has_modrm(kind))
		insn_decode_modrm(insn, &c);
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
	enum insn_mode mode = bits64 ? INSN_64BIT : INSN_32BIT;
	struct insn ignored;
	bool addrsize;
	size_t at = 0;

	while (at < have && prefix(&ignored, &addrsize, mode, bytes[at]))
		at++;
	return at;
}
