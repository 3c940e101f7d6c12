/* SOURCES: sched/keys.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of scheduling keys: found by name, each with a range that holds its
 * default, and a value that is read back as it was applied */
#include "sched/keys.h"
#include "tests/unit/test.h"

void sched_set_cap(struct sched_entity *e, u32 percent)
{
	e->cap = percent;
}

static void test_rows(void **state)
{
	for (u32 i = 0; i < sched_key_count; i++) {
		const struct sched_key *k = &sched_keys[i];
		struct sched_entity e = { 0 };

		assert_ptr_equal(sched_key_find(k->name, (u32)strlen(k->name)),
				 k);
		assert_true(k->min <= k->initial && k->initial <= k->max);
		k->apply(&e, k->max);
		assert_int_equal(k->read(&e), k->max);
		k->apply(&e, k->min);
		assert_int_equal(k->read(&e), k->min);
	}
}

static void test_unknown(void **state)
{
	assert_null(sched_key_find("weigh", 5));
	assert_null(sched_key_find("weights", 7));
	assert_null(sched_key_find("", 0));
	assert_non_null(sched_key_find("weight=7", 6));
	assert_non_null(sched_key_find("cap=50%", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
