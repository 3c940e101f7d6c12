/* SOURCES: hv/emulate/insn.c hv/emulate/insn_modrm.c hv/emulate/insn_vex.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instruction lengths beside the CPU this test runs on: random bytes at the end
 * of a page with none behind it, one more of them each time, until the CPU does
 * not fault on the fetch any more. What it then takes for no instruction (#UD)
 * says nothing, and neither does what it refuses for its length. Registers and
 * segments are such that nothing can be read, written or jumped to.
 * INSN_SEED and INSN_ROUNDS of the environment make other and longer runs.
 */
#include "hv/emulate/insn.h"
#include "tests/unit/fakes/cpu_native.h"
#include "tests/unit/test.h"

#define ROUNDS    40000u
#define REPORTS   20
#define CODE_END  (NATIVE_CODE + PAGE_SIZE)
#define PF_FETCH  16u
#define NO_MEMORY 0x80e0000000ull /* and e0000000, of 32 bits */
#define TOO_HIGH  0x8000000000000000ull

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allow_user_segv_handler=1:handle_segv=0:handle_sigbus=0:"
	       "handle_sigill=0:handle_sigfpe=0:use_sigaltstack=0";
}

static u64 rng;
static u32 compared, undefined, unknown, differ;

static u64 rnd(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* What leads to the opcode: prefixes, another map, VEX, EVEX */
static void gen_bytes(u8 bytes[INSN_MAX])
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0x2e,
				       0x3e, 0x65, 0x48, 0x41, 0xf0 };
	static const char *const maps[] = {
		"\x0f",         "\x0f",         "\x0f\x38",
		"\x0f\x3a",     "\xc5\xf8",     "\xc4\xe1\x7d",
		"\xc4\xe2\x7d", "\xc4\xe3\x7d", "\x62\xf1\x7c\x48"
	};
	u32 n = 0, i;

	for (i = 0; i < INSN_MAX; i++)
		bytes[i] = (u8)rnd();
	while (n < 6 && rnd() % 3 == 0)
		bytes[n++] = prefixes[rnd() % ARRAY_SIZE(prefixes)];
	if (rnd() % 2) {
		const char *map = maps[rnd() % ARRAY_SIZE(maps)];

		memcpy(bytes + n, map, strlen(map));
	}
}

/* What would enter the kernel, or take this program's FS away: INT n, SYSCALL,
 * SYSENTER, MOV to FS, WRFSBASE */
static bool is_dangerous(const struct insn *i)
{
	u8 op = i->opcode;

	if (i->map == MAP_ONE)
		return op == 0xcd || (op == 0x8e && (i->reg & 7) == SEG_FS);
	return i->map == MAP_0F && (op == 0x05 || op == 0x34 ||
				    (op == 0xae && i->rep && i->mod == 3));
}

/* SLDT, STR, SGDT, SIDT and SMSW, which Linux does for a program where they are
 * privileged (UMIP); near branches behind 66 in 64-bit code: the vendors differ
 */
static bool is_left_out(const struct insn *i, enum insn_mode mode)
{
	u8 op = i->opcode, reg = i->reg & 7;

	if (i->map == MAP_0F && op < 2)
		return reg < 2 || reg == 4;
	if (mode != INSN_64BIT || !i->opsize)
		return false;
	return i->map == MAP_ONE ? op == 0xe8 || op == 0xe9
				 : i->map == MAP_0F && (op & 0xf0) == 0x80;
}

static void state_fill(struct native *n, enum insn_mode mode)
{
	*n = (struct native){ .rflags = RFLAGS_FIXED | RFLAGS_IF,
			      .fx = { .fcw = 0x37f, .mxcsr = 0x1f80 } };
	for (u32 i = 0; i < GPR_COUNT; i++)
		n->gpr[i] = mode == INSN_64BIT ? TOO_HIGH | NO_MEMORY
					       : (u32)NO_MEMORY;
	if (mode == INSN_64BIT)
		return;
	n->cs = native_selector(mode == INSN_32BIT ? NATIVE_CODE32
						   : NATIVE_CODE16);
	n->ds = n->es = n->gs = n->ss = native_selector(NATIVE_FLAT);
}

/* How many of the bytes the CPU wants; *@vector as then */
static u8 cpu_length(const u8 bytes[INSN_MAX], enum insn_mode mode, int *vector)
{
	struct native n;
	u8 have;

	for (have = 1; have <= INSN_MAX; have++) {
		state_fill(&n, mode);
		n.rip = CODE_END - have;
		memcpy((void *)n.rip, bytes, have);
		if (mode == INSN_16BIT)
			n.rip -= NATIVE_CODE;
		native_run(&n);
		if (n.vector != EXC_PF || n.cr2 != CODE_END ||
		    !(n.error & PF_FETCH))
			break;
	}
	*vector = n.vector;
	return have;
}

static void report(const u8 *bytes, enum insn_mode mode, u8 ours, u8 cpu)
{
	if (++differ > REPORTS)
		return;
	printf("%u-bit", 16u << mode);
	for (u32 i = 0; i < INSN_MAX; i++)
		printf(" %02x", bytes[i]);
	printf(": %u bytes, the CPU takes %u\n", ours, cpu);
}

static void one(enum insn_mode mode)
{
	u8 bytes[INSN_MAX], ours, cpu;
	struct insn insn;
	int vector;

	gen_bytes(bytes);
	ours = insn_decode(&insn, bytes, INSN_MAX, mode) ? 0 : insn.len;
	if (is_dangerous(&insn) || is_left_out(&insn, mode))
		return;
	cpu = cpu_length(bytes, mode, &vector);
	if (vector == EXC_UD ||
	    (vector == EXC_GP && cpu == INSN_MAX && !ours)) {
		undefined++;
		return;
	}
	compared++;
	unknown += !ours;
	if (ours != cpu)
		report(bytes, mode, ours, cpu);
}

static u64 number(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_lengths(void **state)
{
	u64 rounds = number("INSN_ROUNDS", ROUNDS), n;
	bool have_segments;
	u32 modes;

	if (!native_init(&have_segments))
		skip();
	rng = number("INSN_SEED", 1) * 0x9e3779b97f4a7c15ull + 1;
	modes = have_segments ? 3 : 1;
	for (n = 0; n < rounds; n++)
		one(INSN_64BIT - (enum insn_mode)(rnd() % modes));
	__asm__ volatile("fninit");
	printf("%u compared, %u no instruction, %u unknown, %u differ\n",
	       compared, undefined, unknown, differ);
	assert_int_equal(differ, 0);
	assert_true(compared > rounds / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
