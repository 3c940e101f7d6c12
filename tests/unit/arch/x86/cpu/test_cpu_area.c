/* SOURCES: arch/x86/cpu/cpu_area.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose guard an exception hit: each stack's edges, and what is no overflow */
#include "arch/x86/cpu/cpu_area.h"
#include "include/hw/cpu.h"
#include "tests/unit/test.h"

#define BASE  0xffff800012340000ull
#define GUARD (BASE + GUARD_OFFSET)
#define TOP   (GUARD + PAGE_SIZE) /* where the stack ends */

static struct pcpu cpu = { .self = (struct pcpu *)BASE };

static const char *fault(u64 cr2)
{
	return cpu_area_overflow(&cpu, EXC_PF, TOP + PAGE_SIZE, cr2);
}

static const char *double_fault(u64 rsp)
{
	return cpu_area_overflow(&cpu, EXC_DF, rsp, 0);
}

static void the_guard_lies_below_each_stack(void **state)
{
	for (u32 i = IST_NONE; i < IST_COUNT; i++) {
		u64 guard = (u64)cpu_area_guard(&cpu, i);

		assert_int_equal(guard, GUARD + i * STACK_SIZE);
		assert_int_equal(stack_bottom(guard - 1), guard + PAGE_SIZE);
		assert_int_equal(stack_bottom(guard + 5000), guard + PAGE_SIZE);
	}
}

static void a_page_fault_names_the_stack_by_cr2(void **state)
{
	assert_string_equal(fault(GUARD), "the stack");
	assert_string_equal(fault(TOP - 1), "the stack");
	assert_string_equal(fault(GUARD + STACK_SIZE), "the NMI stack");
	assert_string_equal(fault(TOP - 1 + STACK_SIZE), "the NMI stack");
	assert_string_equal(fault(GUARD + 2 * STACK_SIZE), "the #DF stack");
	assert_string_equal(fault(GUARD + 3 * STACK_SIZE), "the #MC stack");
}

static void a_page_fault_elsewhere_is_none(void **state)
{
	assert_null(fault(GUARD - 1));
	assert_null(fault(TOP));
	assert_null(fault(BASE));
	assert_null(fault(BASE - STACK_SIZE + GUARD_OFFSET));
	assert_null(fault(GUARD + CPU_AREA_SIZE));
	assert_null(fault(0));
}

static void a_double_fault_names_it_by_the_stack_pointer(void **state)
{
	assert_string_equal(double_fault(TOP), "the stack");
	assert_string_equal(double_fault(TOP - 8), "the stack");
	assert_string_equal(double_fault(TOP + 40), "the stack");
	assert_string_equal(double_fault(GUARD), "the stack");
	assert_string_equal(double_fault(TOP + STACK_SIZE), "the NMI stack");
	assert_string_equal(double_fault(TOP + 3 * STACK_SIZE),
			    "the #MC stack");
}

/* With room for the #PF, the #DF has another cause. So has one of a core that
 * has a guest's CR2. */
static void another_double_fault_is_none(void **state)
{
	assert_null(double_fault(TOP + 64));
	assert_null(double_fault(BASE + STACK_SIZE));
	assert_null(cpu_area_overflow(&cpu, EXC_DF, TOP + 1024, GUARD));
	assert_null(cpu_area_overflow(&cpu, EXC_GP, TOP, GUARD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guard_lies_below_each_stack),
		cmocka_unit_test(a_page_fault_names_the_stack_by_cr2),
		cmocka_unit_test(a_page_fault_elsewhere_is_none),
		cmocka_unit_test(a_double_fault_names_it_by_the_stack_pointer),
		cmocka_unit_test(another_double_fault_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
