/* SOURCES: arch/x86/machine/fpu.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Which parts of a saved FPU state an XRSTOR is told to take from memory */
#include "arch/x86/cpu/features.h"
#include "arch/x86/machine/fpu.h"
#include "include/hw/cpu.h"
#include "tests/unit/test.h"

#define FCW_INIT  0x37f
#define XSTATE_BV 512
#define MXCSR     24
#define XMM0      160

static u8 area[PAGE_SIZE] __attribute__((aligned(64)));
static struct fpu_state fpu = { .area = area };

/* As QEMU's TCG saves: everything in use */
static void saved(void)
{
	u64 all = ~0ull;

	memset(area, 0, sizeof(area));
	memcpy(area, &(u16){ FCW_INIT }, 2);
	memcpy(area + MXCSR, &(u32){ 0x1f80 }, 4);
	memset(area + XMM0, 0x5a, 256);
	memcpy(area + XSTATE_BV, &all, 8);
}

static u64 kept(void)
{
	u64 bits;

	fpu_drop_initial(&fpu);
	memcpy(&bits, area + XSTATE_BV, 8);
	return bits;
}

static void test_initial_x87_is_dropped(void **state)
{
	saved();
	assert_int_equal(kept(), ~(u64)XCR0_X87);
}

/* Control, status, tags, opcode, both pointers, a register's ends */
static void test_any_x87_byte_keeps_it(void **state)
{
	static const u32 at[] = {
		0, 1, 2, 3, 4, 6, 8, 16, 23, 32, 41, 144, 153
	};

	for (u32 i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		saved();
		area[at[i]] ^= 0x80;
		assert_int_equal(kept(), ~0ull);
	}
}

/* FNSTENV: control, status and tags, then the two pointers */
struct x87_environment {
	u32 control, status, tags;
	u32 ip, cs_opcode, operand, ds;
};

/* Where the last guest's x87 instruction was is nobody's business; AMD's CPUs
 * do not restore it by themselves */
static void test_pointers_are_not_the_last_guests(void **state)
{
	struct x87_environment env;
	double operand = 1;

	saved();
	cpu_features.xsave = false;
	__asm__ volatile("fldl %0" ::"m"(operand) : "st");
	fpu_load(&fpu, 0);
	__asm__ volatile("fnstenv %0\n\tfninit" : "=m"(env));
	assert_int_equal(env.ip, 0);
	assert_int_equal(env.operand, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_initial_x87_is_dropped),
		cmocka_unit_test(test_any_x87_byte_keeps_it),
		cmocka_unit_test(test_pointers_are_not_the_last_guests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
