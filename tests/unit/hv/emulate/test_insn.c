/* SOURCES: hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The instruction decoder: lengths and fields by table, every cut-off, and
 * random bytes. */
#include "hv/emulate/insn.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

#define M16 INSN_16BIT
#define M32 INSN_32BIT
#define M64 INSN_64BIT

/* clang-format off */
static const struct {
	enum insn_mode mode;
	const char *bytes; /* the whole instruction */
	u8 len;
} lengths[] = {
	{ M64, "\x0f\xa2", 2 },				/* cpuid */
	{ M64, "\xf3\x0f\xa2", 3 },
	{ M64, "\xf4", 1 },				/* hlt */
	{ M64, "\x0f\x01\xd9", 3 },			/* vmmcall */
	{ M64, "\x89\x07", 2 },				/* mov [rdi], eax */
	{ M64, "\x48\x89\x07", 3 },
	{ M64, "\x44\x89\x44\x8f\x10", 5 },		/* [rdi+rcx*4+16] */
	{ M64, "\x8b\x05\x01\x02\x03\x04", 6 },		/* RIP-relative */
	{ M64, "\x8b\x04\x25\x01\x02\x03\x04", 7 },	/* no base */
	{ M64, "\xc7\x87\xf0\x00\x00\x00\x01\x02\x03\x04", 10 },
	{ M64, "\x66\xc7\x07\x01\x02", 5 },
	{ M64, "\x48\xc7\x07\x01\x02\x03\x04", 7 },
	{ M64, "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10 },
	{ M64, "\x48\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 10 },
	{ M64, "\x67\xa1\x01\x02\x03\x04", 6 },
	{ M64, "\xf6\x07\x01", 3 },			/* test byte, imm8 */
	{ M64, "\xf6\x17", 2 },				/* not byte */
	{ M64, "\xf7\x07\x01\x02\x03\x04", 6 },
	{ M64, "\xf7\x1f", 2 },				/* neg */
	{ M64, "\x44\x0f\x22\xc0", 4 },			/* mov cr8, rax */
	{ M64, "\x0f\x22\x04", 3 },			/* mod is ignored */
	{ M64, "\x0f\x38\xf0\x07", 4 },			/* movbe */
	{ M64, "\x66\x0f\x3a\x0f\xc1\x04", 6 },		/* palignr */
	{ M64, "\xc8\x10\x00\x01", 4 },			/* enter */
	{ M64, "\xf3\xa4", 2 },				/* rep movsb */
	{ M32, "\xea\x01\x02\x03\x04\x05\x06", 7 },	/* far jmp */
	{ M32, "\x40", 1 },				/* inc eax */
	{ M32, "\x67\x8b\x47\x10", 4 },			/* [bx+16] */
	{ M32, "\x67\x8b\x06\x01\x02", 5 },		/* [disp16] */
	{ M32, "\xc4\x07", 2 },				/* les */
	{ M16, "\x8b\x47\x10", 3 },
	{ M16, "\xb8\x01\x02", 3 },
	{ M16, "\x66\xb8\x01\x02\x03\x04", 6 },
	{ M16, "\x67\x8b\x44\x8f\x10", 5 },
	{ M16, "\xe8\x01\x02", 3 },
	{ M64, "\x48\x66\x89\x07", 4 },		/* REX for nothing */
	{ M64, "\xc4\xe2\x70\xf2\xc0", 5 },		/* VEX: andn */
	{ M64, "\xc4\xe3\x7d\x19\xc1\x01", 6 },	/* vextractf128 */
	{ M64, "\xc5\xf8\x77", 3 },			/* vzeroupper */
	{ M64, "\xc5\xf9\x70\xc1\x01", 5 },		/* vpshufd */
	{ M64, "\x62\xf1\x7f\x48\x6f\x0f", 6 },	/* EVEX: vmovdqu8 */
	{ M32, "\xc5\xf8\x77", 3 },			/* VEX: mod is 3 */
	{ M64, "\x8f\xe9\x78\x81\xc0", 5 },		/* XOP */
	{ M32, "\x8f\x07", 2 },				/* pop [edi] */
	{ M64, "\x66\x0f\x78\xc1\x01\x02", 6 },	/* extrq */
	{ M64, "\x0f\x78\xc1", 3 },			/* vmread */
	{ M32, "\xf1", 1 },				/* int1 */
};

static const struct {
	enum insn_mode mode;
	const char *bytes;
} refused[] = {
	{ M64, "\x66\xc5\xf8\x77" },			/* 66 before VEX */
	{ M64, "\x40\xc5\xf8\x77" },			/* REX before VEX */
	{ M64, "\x06" }, { M64, "\xd4\x0a" }, { M64, "\x82\x07\x01" },
	{ M64, "\xea\x01\x02\x03\x04\x05\x06" },
	{ M64, "\x0f\x04" },
};
/* clang-format on */

static void test_lengths(void **state)
{
	struct insn insn;
	u8 buf[INSN_MAX];
	u32 i, cut;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(buf, 0x90, sizeof(buf));
		memcpy(buf, lengths[i].bytes, lengths[i].len);
		assert_int_equal(
			insn_decode(&insn, buf, sizeof(buf), lengths[i].mode),
			0);
		assert_int_equal(insn.len, lengths[i].len);
		for (cut = 0; cut < lengths[i].len; cut++)
			assert_int_equal(
				insn_decode(&insn, buf, cut, lengths[i].mode),
				-EAGAIN);
	}
}

static void test_refused(void **state)
{
	struct insn insn;
	u8 buf[INSN_MAX];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		memset(buf, 0, sizeof(buf));
		memcpy(buf, refused[i].bytes, strlen(refused[i].bytes));
		assert_int_equal(
			insn_decode(&insn, buf, sizeof(buf), refused[i].mode),
			-EINVAL);
	}
}

static void test_prefix_rules(void **state)
{
	struct insn insn;

	/* A REX counts only right before the opcode */
	assert_int_equal(
		insn_decode(&insn, (const u8 *)"\x48\x66\x89\x07", 4, M64), 0);
	assert_int_equal(insn.operand_size, 2);
	/* Segments: FS and GS alone in 64-bit mode, else the last */
	assert_int_equal(
		insn_decode(&insn, (const u8 *)"\x64\x3e\x89\x07", 4, M64), 0);
	assert_int_equal(insn.seg, SEG_FS);
	assert_int_equal(
		insn_decode(&insn, (const u8 *)"\x64\x3e\x89\x07", 4, M32), 0);
	assert_int_equal(insn.seg, SEG_DS);
}

static void test_too_long(void **state)
{
	u8 buf[32];
	struct insn insn;

	memset(buf, 0x66, sizeof(buf));
	assert_int_equal(insn_decode(&insn, buf, sizeof(buf), M64), -EINVAL);
	buf[14] = 0xf4; /* 14 prefixes and HLT are 15 bytes */
	assert_int_equal(insn_decode(&insn, buf, sizeof(buf), M64), 0);
	assert_int_equal(insn.len, 15);
	buf[14] = 0xb0; /* MOV AL, imm8 are 16 */
	assert_int_equal(insn_decode(&insn, buf, sizeof(buf), M64), -EINVAL);
}

static void test_fields(void **state)
{
	struct insn i;
	/* lock add gs:[r12 + r9*8 - 2], r15 */
	const u8 add[] = { 0xf0, 0x65, 0x4f, 0x01, 0x7c, 0xcc, 0xfe };
	const u8 imm[] = { 0x83, 0x2f, 0x80 }; /* sub dword [rdi], -128 */
	const u8 rip[] = { 0x8b, 0x05, 0xff, 0xff, 0xff, 0xff };
	const u8 bx[] = { 0x88, 0x40, 0x7f }; /* mov [bx+si+127], al */

	assert_int_equal(insn_decode(&i, add, sizeof(add), M64), 0);
	assert_true(i.lock && i.mem && i.has_modrm);
	assert_int_equal(i.seg, SEG_GS);
	assert_int_equal(i.operand_size, 8);
	assert_int_equal(i.addr_size, 8);
	assert_int_equal(i.base, GPR_R12);
	assert_int_equal(i.index, GPR_R9);
	assert_int_equal(i.scale, 8);
	assert_int_equal(i.disp, -2);
	assert_int_equal(i.reg, GPR_R15);

	assert_int_equal(insn_decode(&i, imm, sizeof(imm), M64), 0);
	assert_int_equal((s64)i.imm, -128);
	assert_int_equal(i.base, GPR_RDI);
	assert_int_equal(i.index, INSN_NO_REG);

	assert_int_equal(insn_decode(&i, rip, sizeof(rip), M64), 0);
	assert_true(i.rip_relative);
	assert_int_equal(insn_decode(&i, rip, sizeof(rip), M32), 0);
	assert_false(i.rip_relative);

	assert_int_equal(insn_decode(&i, bx, sizeof(bx), M16), 0);
	assert_int_equal(i.base, GPR_RBX);
	assert_int_equal(i.index, GPR_RSI);
	assert_int_equal(i.disp, 127);
}

static void test_prefixes(void **state)
{
	const u8 b[] = { 0xf3, 0x66, 0x2e, 0x48, 0x0f, 0xa2 };

	assert_int_equal(insn_prefix_length(b, sizeof(b), true), 4);
	assert_int_equal(insn_prefix_length(b, sizeof(b), false), 3);
	assert_int_equal(insn_prefix_length(b, 2, true), 2);
	assert_int_equal(insn_prefix_length(b, 0, true), 0);
}

static void test_random(void **state)
{
	struct insn insn;
	u32 n, i;

	srandom(1);
	for (n = 0; n < 300000; n++) {
		size_t have = (size_t)random() % (INSN_MAX + 1);
		u8 *exact = malloc(have ? have : 1); /* for the sanitizer */
		int err;

		for (i = 0; i < have; i++)
			exact[i] = (u8)random();
		err = insn_decode(&insn, exact, have, n % 3);
		assert_true(err == 0 || err == -EAGAIN || err == -EINVAL);
		if (!err)
			assert_true(insn.len >= 1 && insn.len <= have);
		free(exact);
	}
}

/* insn_decode() says what insn_decode_move() must: of a MOV of 32 bits to or
 * from memory, behind REX (0: none) */
static void check_move(u8 rex, u8 opcode, u8 modrm, u8 sib)
{
	u8 code[INSN_MAX] = { 0 };
	bool is_move = opcode == OP_MOV_STORE || opcode == OP_MOV_LOAD ||
		       opcode == OP_MOV_STORE_IMM;
	struct insn_move m = { 0 };
	struct insn i;
	u32 at = 0;

	if (rex)
		code[at++] = rex;
	code[at++] = opcode;
	code[at++] = modrm;
	code[at++] = sib;
	for (; at < sizeof(code); at++)
		code[at] = (u8)(0x11 * at);
	if (insn_decode(&i, code, sizeof(code), INSN_64BIT) || !i.mem ||
	    !is_move || i.operand_size != 4 ||
	    (opcode == OP_MOV_STORE_IMM && (i.reg & 7))) {
		assert_false(insn_decode_move(&m, code));
		return;
	}
	assert_true(insn_decode_move(&m, code));
	assert_int_equal(m.opcode, i.opcode);
	assert_int_equal(m.reg, i.reg);
	assert_int_equal(m.len, i.len);
	if (opcode == OP_MOV_STORE_IMM)
		assert_int_equal(m.imm, (u32)i.imm);
}

static void test_move(void **state)
{
	static const u8 rex[] = { 0,    0x40, 0x41, 0x42, 0x43, 0x44,
				  0x45, 0x46, 0x47, 0x48, 0x4c, 0x4f };
	static const u8 opcodes[] = {
		OP_MOV_STORE, OP_MOV_LOAD, OP_MOV_STORE_IMM, 0x8a, 0xc6, 0x0f
	};

	for (u32 r = 0; r < ARRAY_SIZE(rex); r++)
		for (u32 o = 0; o < ARRAY_SIZE(opcodes); o++)
			for (u32 modrm = 0; modrm < 256; modrm++)
				for (u32 sib = 0; sib < 256; sib += 5)
					check_move(rex[r], opcodes[o],
						   (u8)modrm, (u8)sib);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_prefix_rules),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
