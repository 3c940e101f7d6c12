/* SOURCES: lib/stack_guard.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The stack protector's value, and the end of a function that finds another */
#include "lib/stack_guard.h"
#include "tests/unit/fakes/panic.h"
#include "tests/unit/test.h"

static void has_a_value_before_it_is_random(void **state)
{
	assert_true(__stack_chk_guard != 0);
}

static void ends_a_string(void **state)
{
	stack_guard_set(0x1122334455667788ull);
	assert_true(__stack_chk_guard == 0x1122334455667700ull);
}

static void panics(void **state)
{
	expect_panic(__stack_chk_fail());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_a_value_before_it_is_random),
		cmocka_unit_test(ends_a_string),
		cmocka_unit_test(panics),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
