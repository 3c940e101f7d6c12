/* SOURCES: arch/x86/cpu/spec_code.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of each choice at each point, of the jumps there and back, and of
 * the thunks. tests/unit/arch/x86/vmx/test_vmx_enter.c runs them. */
#include "arch/x86/cpu/gdt.h"
#include "arch/x86/cpu/spec_code.h"
#include "include/hw/msr.h"
#include "tests/unit/test.h"

#define AREA_VA 0xffffffff80020000ull
#define SITE_VA 0xffffffff80010000ull
#define HEAD    2u /* VERW's selector */

static const u8 original[] = { 0x45, 0x31, 0xf6, 0x45, 0x31, 0xff };
static u8 area[256], site_bytes[sizeof(original)];

static struct spec_site site_at(enum spec_point point)
{
	return (struct spec_site){ .at = (u8 *)SITE_VA,
				   .end = (u8 *)SITE_VA + sizeof(original),
				   .point = point,
				   .base = 7,
				   .ctrl_offset = 0x258 };
}

static u32 detour(const struct speculation *s, enum spec_point point)
{
	struct spec_buffer b = { .bytes = area,
				 .va = AREA_VA,
				 .size = sizeof(area) };
	struct spec_site site = site_at(point);

	memset(area, 0, sizeof(area));
	memcpy(site_bytes, original, sizeof(original));
	spec_code_begin(&b);
	spec_code_detour(&b, s, &site, site_bytes);
	return b.used;
}

/* @code lies between the original instructions and the jump back, in the order
 * of @point; the site is a jump to it */
static void expect(u32 actions, enum spec_point point, const u8 *code, u32 size)
{
	const struct speculation s = { .actions = actions,
				       .host_ctrl = SPEC_CTRL_IBRS };
	u32 used = detour(&s, point), at = HEAD;
	s32 back, there;

	assert_int_equal(area[0] | area[1] << 8, SEL_DATA);
	assert_int_equal(used, HEAD + sizeof(original) + size + 5);
	if (point == SPEC_AT_ENTRY) {
		assert_memory_equal(area + at, code, size);
		at += size;
	}
	assert_memory_equal(area + at, original, sizeof(original));
	at += sizeof(original);
	if (point != SPEC_AT_ENTRY) {
		assert_memory_equal(area + at, code, size);
		at += size;
	}
	assert_int_equal(area[at], 0xe9);
	memcpy(&back, area + at + 1, 4);
	assert_true(AREA_VA + used + (u64)(s64)back ==
		    SITE_VA + sizeof(original));
	assert_int_equal(site_bytes[0], 0xe9);
	memcpy(&there, site_bytes + 1, 4);
	assert_true(SITE_VA + 5 + (u64)(s64)there == AREA_VA + HEAD);
	assert_int_equal(site_bytes[5], 0xcc);
}

#define EXPECT(actions, point, ...)                                            \
	do {                                                                   \
		const u8 code_[] = { __VA_ARGS__ };                            \
                                                                               \
		expect(actions, point, code_, sizeof(code_));                  \
	} while (0)

static void test_exit(void **state)
{
	/* mov ecx, 48h; mov eax, 1; xor edx, edx; wrmsr */
	EXPECT(SPEC_IBRS_EXIT, SPEC_AT_EXIT, 0xb9, 0x48, 0, 0, 0, 0xb8, 1, 0, 0,
	       0, 0x31, 0xd2, 0x0f, 0x30);
	/* The same of 49h */
	EXPECT(SPEC_IBPB_EXIT, SPEC_AT_EXIT, 0xb9, 0x49, 0, 0, 0, 0xb8, 1, 0, 0,
	       0, 0x31, 0xd2, 0x0f, 0x30);
	/* mov ecx, 16; call, int3 twice; add rsp, 16; dec ecx; jnz; lfence */
	EXPECT(SPEC_RSB_FILL, SPEC_AT_EXIT, 0xb9, 16, 0, 0, 0, 0xe8, 1, 0, 0, 0,
	       0xcc, 0xe8, 1, 0, 0, 0, 0xcc, 0x48, 0x83, 0xc4, 0x10, 0xff, 0xc9,
	       0x75, 0xec, 0x0f, 0xae, 0xe8);
	/* call; int3; add rsp, 8; lfence */
	EXPECT(SPEC_RSB_ONE, SPEC_AT_EXIT, 0xe8, 1, 0, 0, 0, 0xcc, 0x48, 0x83,
	       0xc4, 0x08, 0x0f, 0xae, 0xe8);
	/* IBRS stands before the calls, IBPB too */
	EXPECT(SPEC_IBRS_EXIT | SPEC_IBPB_EXIT | SPEC_RSB_ONE, SPEC_AT_EXIT,
	       0xb9, 0x48, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x30,
	       0xb9, 0x49, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x30,
	       0xe8, 1, 0, 0, 0, 0xcc, 0x48, 0x83, 0xc4, 0x08, 0x0f, 0xae,
	       0xe8);
}

static void test_entry(void **state)
{
	/* mov ecx, 48h; mov eax, [rdi + 258h]; xor edx, edx; wrmsr */
	EXPECT(SPEC_IBRS_EXIT, SPEC_AT_ENTRY, 0xb9, 0x48, 0, 0, 0, 0x8b, 0x87,
	       0x58, 0x02, 0, 0, 0x31, 0xd2, 0x0f, 0x30);
	/* xor eax, eax; xor edx, edx; lea ecx, [rax + 1]; div ecx */
	EXPECT(SPEC_DIVIDE, SPEC_AT_ENTRY, 0x31, 0xc0, 0x31, 0xd2, 0x8d, 0x48,
	       0x01, 0xf7, 0xf1);
	/* mov ecx, 10bh; mov eax, 1; xor edx, edx; wrmsr */
	EXPECT(SPEC_L1D_FLUSH, SPEC_AT_ENTRY, 0xb9, 0x0b, 0x01, 0, 0, 0xb8, 1,
	       0, 0, 0, 0x31, 0xd2, 0x0f, 0x30);
	/* verw [the buffer's start], behind the site's own instructions */
	EXPECT(SPEC_VERW, SPEC_AT_LAST, 0x0f, 0x00, 0x2d, 0xf1, 0xff, 0xff,
	       0xff);
}

/* A RET where ITS reaches it would be predicted by the guest's branches */
static void test_bhb_clear(void **state)
{
	const struct speculation s = { .actions = SPEC_BHB_CLEAR };
	u32 used = detour(&s, SPEC_AT_EXIT), rets = 0;
	u32 start = HEAD + sizeof(original);

	assert_int_equal(area[start], 0xb9);
	assert_int_equal(area[start + 1], 5); /* outer loops */
	for (u32 i = start; i < used; i++) {
		if (area[i] != 0xc3)
			continue;
		assert_int_equal((AREA_VA + i) & 32, 32);
		rets++;
	}
	assert_int_equal(rets, 2);
	assert_memory_equal(area + used - 8, "\x0f\xae\xe8\xe9", 4);
}

/* A CPU that needs nothing there pays nothing */
static void test_nothing(void **state)
{
	const u32 elsewhere[] = {
		[SPEC_AT_ENTRY] =
			~(u32)(SPEC_IBRS_EXIT | SPEC_DIVIDE | SPEC_L1D_FLUSH),
		[SPEC_AT_LAST] = ~(u32)SPEC_VERW,
		[SPEC_AT_EXIT] =
			~(u32)(SPEC_IBRS_EXIT | SPEC_IBPB_EXIT | SPEC_RSB_FILL |
			       SPEC_RSB_ONE | SPEC_BHB_CLEAR),
	};

	for (u32 p = 0; p < ARRAY_SIZE(elsewhere); p++) {
		const struct speculation s = { .actions = elsewhere[p] };

		assert_int_equal(detour(&s, (enum spec_point)p), HEAD);
		assert_memory_equal(site_bytes, original, sizeof(original));
	}
}

/* What the calls push on a shadow stack is taken off again */
static void test_shadow_stack(void **state)
{
	static const u8 incssp[] = { 0xf3, 0x48, 0x0f, 0xae, 0xe8 };
	struct speculation s = { .actions = SPEC_RSB_FILL,
				 .shadow_stack = true };
	u32 used = detour(&s, SPEC_AT_EXIT);

	assert_memory_equal(area + used - 13, incssp, sizeof(incssp));
	assert_memory_equal(area + used - 18, "\xb8\x20\0\0\0", 5);
	s.actions = SPEC_RSB_ONE;
	used = detour(&s, SPEC_AT_EXIT);
	assert_memory_equal(area + used - 13, incssp, sizeof(incssp));
	assert_memory_equal(area + used - 18, "\xb8\x01\0\0\0", 5);
}

static void test_thunks(void **state)
{
	static const u8 rax[] = { 0xe8, 7,    0,    0,    0,    0xf3,
				  0x90, 0x0f, 0xae, 0xe8, 0xeb, 0xf9,
				  0x48, 0x89, 0x04, 0x24, 0xc3, 0xcc };
	static const u8 r11[] = { 0x4c, 0x89, 0x1c, 0x24, 0xc3, 0xcc };
	u8 thunk[SPEC_THUNK_BYTES];

	spec_code_thunk(thunk, 0, true);
	assert_memory_equal(thunk, rax, sizeof(rax));
	spec_code_thunk(thunk, 11, true);
	assert_memory_equal(thunk, rax, 12);
	assert_memory_equal(thunk + 12, r11, sizeof(r11));
	spec_code_thunk(thunk, 3, false);
	assert_memory_equal(thunk, "\xff\xe3\xcc", 3);
	spec_code_thunk(thunk, 8, false);
	assert_memory_equal(thunk, "\x41\xff\xe0\xcc", 4);
}

#define THUNKS_VA 0xffffffff80043000ull

/* @code at SITE_VA, with the offset of a thunk's address in it */
static bool inlined(u8 opcode, u64 target, u8 *code)
{
	spec_code_jump(code, SITE_VA, target);
	code[0] = opcode;
	return spec_code_inline(code, SITE_VA, THUNKS_VA);
}

static void test_inline(void **state)
{
	u8 code[5];

	assert_true(inlined(0xe8, THUNKS_VA + 32, code));
	assert_memory_equal(code, "\x2e\x2e\x2e\xff\xd0", 5); /* call rax */
	assert_true(inlined(0xe8, THUNKS_VA + 8 * 64 + 32, code));
	assert_memory_equal(code, "\x2e\x2e\x41\xff\xd0", 5); /* call r8 */
	assert_true(inlined(0xe9, THUNKS_VA + 15 * 64 + 32, code));
	assert_memory_equal(code, "\x2e\x2e\x41\xff\xe7", 5); /* jmp r15 */
	/* Elsewhere, or no call */
	assert_false(inlined(0xe8, THUNKS_VA + 33, code));
	assert_int_equal(code[0], 0xe8);
	assert_false(inlined(0xe8, THUNKS_VA, code));
	assert_false(inlined(0xe8, THUNKS_VA + 16 * 64 + 32, code));
	assert_false(inlined(0xe8, THUNKS_VA - 32, code));
	assert_false(inlined(0xea, THUNKS_VA + 32, code));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_bhb_clear),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_shadow_stack),
		cmocka_unit_test(test_thunks),
		cmocka_unit_test(test_inline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
