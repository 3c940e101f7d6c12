/* SOURCES: hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction lengths beside another decoder's (Debian's libcapstone): every
 * opcode of the one-byte, 0F, 0F38 and 0F3A maps and of VEX, with every ModRM
 * and random prefixes, in all modes. What that decoder does not know is not
 * compared.
 */
#include <capstone/capstone.h>

#include "hv/emulate/insn.h"
#include "lib/types.h"
#include "tests/unit/test.h"

#define REPORTS 20
#define BYTES   16

static u64 rng = 88172645463325252ull;
static u32 compared, differ;

static u64 rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* Opcode maps by the bytes that lead to them */
static const struct {
	const char *escape;
	u8 len;
} maps[] = {
	{ "", 0 },
	{ "\x0f", 1 },
	{ "\x0f\x38", 2 },
	{ "\x0f\x3a", 2 },
	{ "\xc5\xf9", 2 },
	{ "\xc4\xe1\x79", 3 },
	{ "\xc4\xe2\x79", 3 },
	{ "\xc4\xe3\x79", 3 },
};

static u32 put_prefixes(u8 *bytes, u32 map, enum insn_mode mode)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0x2e, 0x65, 0xf2, 0xf3 };
	u32 n = 0;

	if (map >= 4)
		return 0;
	if (rnd() % 3 == 0)
		bytes[n++] = prefixes[rnd() % ARRAY_SIZE(prefixes)];
	if (mode == INSN_64BIT && rnd() % 3 == 0)
		bytes[n++] = 0x40 | (rnd() & 0xf);
	return n;
}

static bool is_prefix(u8 b, enum insn_mode mode)
{
	return b == 0x26 || b == 0x2e || b == 0x36 || b == 0x3e ||
	       (b >= 0x64 && b <= 0x67) || b == 0xf0 || b == 0xf2 ||
	       b == 0xf3 || (mode == INSN_64BIT && (b & 0xf0) == 0x40);
}

/* Where the manuals and that decoder, or the vendors, part */
static bool is_left_out(const u8 *b, u32 n, u32 map, u8 opcode,
			enum insn_mode mode)
{
	bool opsize = b[0] == 0x66;

	if (map == 0 && (opcode == 0x0f || opcode == 0x62 || opcode == 0xc4 ||
			 opcode == 0xc5 || opcode == 0x8f))
		return true; /* other maps */
	if (map == 0 && is_prefix(opcode, mode))
		return true;
	if (map == 1 && opcode == 0x78 && n > 2)
		return true; /* EXTRQ and INSERTQ, which have no memory form */
	if (map == 1 && (opcode == 0xa6 || opcode == 0xa7 || opcode == 0xb9 ||
			 opcode == 0xff))
		return true; /* another vendor's, or UD0 or UD1 */
	if (map == 1 && (opcode == 0x0f || opcode == 0x38 || opcode == 0x3a))
		return true;
	/* In 64-bit code: near branches behind 66, where vendors differ, and
	 * RET and CALL behind 67 and REX.W, where it takes another size */
	if (mode == INSN_64BIT && map == 0)
		return opcode == 0xc2 || opcode == 0xe8 ||
		       (opsize && opcode == 0xe9);
	return mode == INSN_64BIT && opsize && map == 1 &&
	       (opcode & 0xf0) == 0x80;
}

static void compare(csh handle, enum insn_mode mode, const u8 *b)
{
	u8 ours = insn_length(b, BYTES, mode);
	cs_insn *theirs;
	u32 i;

	if (cs_disasm(handle, b, BYTES, 0, 1, &theirs) != 1)
		return;
	compared++;
	if (theirs->size != ours && ++differ <= REPORTS) {
		printf("%u-bit", 16u << mode);
		for (i = 0; i < BYTES; i++)
			printf(" %02x", b[i]);
		printf(": %u bytes; %s %s has %u\n", ours, theirs->mnemonic,
		       theirs->op_str, theirs->size);
	}
	cs_free(theirs, 1);
}

static void one_map(csh handle, enum insn_mode mode, u32 map)
{
	u8 b[BYTES];
	u32 opcode, modrm, n, i;

	for (opcode = 0; opcode < 256; opcode++)
		for (modrm = 0; modrm < 256; modrm++) {
			for (i = 0; i < BYTES; i++)
				b[i] = (u8)rnd();
			n = put_prefixes(b, map, mode);
			memcpy(b + n, maps[map].escape, maps[map].len);
			n += maps[map].len;
			b[n++] = (u8)opcode;
			b[n] = (u8)modrm;
			if (!is_left_out(b, n, map, (u8)opcode, mode))
				compare(handle, mode, b);
		}
}

static void test_lengths(void **state)
{
	static const cs_mode modes[] = { CS_MODE_16, CS_MODE_32, CS_MODE_64 };
	u32 mode, map;
	csh handle;

	for (mode = INSN_16BIT; mode <= INSN_64BIT; mode++) {
		if (cs_open(CS_ARCH_X86, modes[mode], &handle) != CS_ERR_OK)
			skip();
		for (map = 0; map < ARRAY_SIZE(maps); map++)
			one_map(handle, mode, map);
		cs_close(&handle);
	}
	printf("%u compared, %u differ\n", compared, differ);
	assert_int_equal(differ, 0);
	assert_true(compared > 400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
