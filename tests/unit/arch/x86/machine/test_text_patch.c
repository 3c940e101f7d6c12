/* SOURCES: arch/x86/machine/text_patch.c arch/x86/cpu/spec_code.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What is patched where, by the choice, in a text of a few instructions. It is
 * written through a view, which here is a copy. */
#include <sys/mman.h>

#include "arch/x86/machine/text_patch.h"
#include "lib/errno.h"
#include "mm/hostmap.h"
#include "mm/pmm.h"
#include "mm/pt.h"
#include "tests/unit/test.h"

/* clang-format off */
__asm__(".section test_text, \"aw\"\n"
	".balign 64\n"
	".globl __text_start, __text_end, text_area, text_area_end\n"
	".globl indirect_thunks\n"
	"__text_start:\n"
	"indirect_thunks:\n"
	".rept 16\n"
	"	.skip	32, 0xcc\n"
	"	.byte	0xff, 0xe0\n"
	"	.skip	30, 0xcc\n"
	".endr\n"
	"text_area:\n"
	"	.skip	256, 0xcc\n"
	"text_area_end:\n"
	"site:	.byte	0x45, 0x31, 0xf6, 0x45, 0x31, 0xff\n"
	"site_end:\n"
	"stub:	.byte	0xe9, 0, 0, 0, 0\n"
	/* call and jmp to the thunks of rcx and r9, to an ENDBR64, to none, and
	 * to one out of the text */
	"to_rcx: .byte	0xe8; .long indirect_thunks + 64 + 32 - . - 4\n"
	"to_r9: .byte	0xe9; .long indirect_thunks + 9 * 64 + 32 - . - 4\n"
	"call:	.byte	0xe8; .long target - . - 4\n"
	"jump:	.byte	0xe9; .long target - . - 4\n"
	"other:	.byte	0xe8; .long bare - . - 4\n"
	"out:	.byte	0xe8; .long outside - . - 4\n"
	"target: .byte	0xf3, 0x0f, 0x1e, 0xfa, 0xc3\n"
	"bare:	.byte	0xc3\n"
	"enter:	.byte	0xe8; .long stub - . - 4\n"
	"	.skip	16, 0xcc\n"
	"__text_end:\n"
	"outside: .byte	0xf3, 0x0f, 0x1e, 0xfa, 0xc3\n"
	".text\n");
/* clang-format on */

extern u8 __text_start[], __text_end[], text_area[], indirect_thunks[];
extern u8 site[], site_end[], stub[], to_rcx[], to_r9[], other[];
extern const volatile u32 text_lookalikes[16];
extern u8 call[], jump[], out[], target[], bare[], enter[];

static u8 view[8192];
static bool no_room;
static u32 views;
struct speculation speculation;

hpa_t virt_to_hpa(const void *va)
{
	return HPA(0x200000);
}

void *ioremap(hpa_t hpa, u64 size, u32 attrs)
{
	if (no_room)
		return NULL;
	assert_int_equal(attrs, PT_R | PT_W);
	assert_true(size == (u64)(__text_end - __text_start));
	assert_true(size <= sizeof(view));
	memcpy(view, __text_start, size);
	views++;
	return view;
}

void iounmap(const void *va, u64 size)
{
	assert_ptr_equal(va, view);
	views--;
}

static const u8 *seen(const u8 *code)
{
	return view + (code - __text_start);
}

static u64 leads_to(const u8 *code)
{
	s32 relative;

	memcpy(&relative, seen(code) + 1, sizeof(relative));
	return (u64)code + 5 + (u64)(s64)relative;
}

static int patch(u32 actions, const void *to)
{
	const struct spec_site sites[] = {
		{ .at = site, .end = site_end, .point = SPEC_AT_EXIT },
	};
	const struct text_patch p = {
		.sites = sites, .site_count = 1, .stub = stub, .target = to
	};

	speculation = (struct speculation){ .actions = actions };
	return text_patch(&p);
}

static bool is_as_built(const u8 *code, u32 size)
{
	return !memcmp(seen(code), code, size);
}

/* Branches become plain ones, and the stub leads behind the ENDBR64 */
static void test_nothing_chosen(void **state)
{
	assert_int_equal(patch(0, target), 0);
	assert_int_equal(views, 0);
	assert_memory_equal(seen(to_rcx), "\x2e\x2e\x2e\xff\xd1", 5);
	assert_memory_equal(seen(to_r9), "\x2e\x2e\x41\xff\xe1", 5);
	assert_true(is_as_built(site, 6));
	assert_true(is_as_built(indirect_thunks, 16 * 64));
	assert_true(leads_to(stub) == (u64)target + 4);
	assert_true(leads_to(enter) == (u64)target + 4);
	assert_int_equal(seen(enter)[0], 0xe8);
	assert_int_equal(patch(0, bare), 0);
	assert_true(leads_to(stub) == (u64)bare);
}

/* Direct branches lead behind an ENDBR64, whatever the choice */
static void test_endbr(void **state)
{
	static const u32 choices[] = { 0, SPEC_RETPOLINE, SPEC_ALIGNED };

	for (u32 i = 0; i < ARRAY_SIZE(choices); i++) {
		assert_int_equal(patch(choices[i], bare), 0);
		assert_true(leads_to(call) == (u64)target + 4);
		assert_int_equal(seen(call)[0], 0xe8);
		assert_true(leads_to(jump) == (u64)target + 4);
		assert_int_equal(seen(jump)[0], 0xe9);
		assert_true(is_as_built(target, 5));
		assert_true(is_as_built(other, 5));
		assert_true(is_as_built(out, 5));
	}
}

/* The branches stay, and what they lead to is a retpoline each */
static void test_retpolines(void **state)
{
	assert_int_equal(patch(SPEC_RETPOLINE | SPEC_RSB_ONE, bare), 0);
	assert_true(is_as_built(to_rcx, 5));
	assert_true(is_as_built(to_r9, 5));
	assert_true(leads_to(enter) == (u64)bare);
	for (u32 reg = 0; reg < 16; reg++) {
		u8 thunk[32];

		spec_code_thunk(thunk, reg, true);
		assert_memory_equal(seen(indirect_thunks) + reg * 64 + 32,
				    thunk, sizeof(thunk));
	}
	assert_int_equal(seen(site)[0], 0xe9);
	assert_true(leads_to(site) == (u64)text_area + 2);
	assert_memory_equal(seen(text_area) + 2, site, 6);
}

/* ITS: neither, as the thunks lie where it cannot reach them */
static void test_aligned(void **state)
{
	assert_int_equal(patch(SPEC_ALIGNED, bare), 0);
	assert_true(is_as_built(to_rcx, 5));
	assert_true(is_as_built(indirect_thunks, 16 * 64));
}

/* What the linker's script noted is a part of something else */
static void test_lookalike(void **state)
{
	u64 page = (u64)text_lookalikes & ~4095ull;
	u32 *table = (u32 *)(u64)text_lookalikes;

	assert_int_equal(mprotect((void *)page, 8192, PROT_READ | PROT_WRITE),
			 0);
	table[15] = (u32)(call - __text_start);
	assert_int_equal(patch(0, bare), 0);
	assert_true(is_as_built(call, 5));
	assert_true(leads_to(jump) == (u64)target + 4);
	table[15] = 0;
}

static void test_no_room(void **state)
{
	no_room = true;
	assert_int_equal(patch(0, bare), -ENOMEM);
	no_room = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_chosen),
		cmocka_unit_test(test_endbr),
		cmocka_unit_test(test_retpolines),
		cmocka_unit_test(test_aligned),
		cmocka_unit_test(test_lookalike),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
