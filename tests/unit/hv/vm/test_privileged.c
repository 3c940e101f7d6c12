/* SOURCES: hv/vm/privileged.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What the privileged guest's end means: by how it ended, by what was said, and
 * by how often it was */
#include "tests/unit/fakes/vdev.h"

#include "hv/vm/privileged.h"
#include "tests/unit/fakes/log.h"
#include "tests/unit/fakes/tsc.h"

/* No restart before this one counts any more: time has no length */
static void forget(void)
{
	tsc_khz = 0;
}

static bool ends(enum vm_end how)
{
	fake_vm.end = how;
	return privileged_starts_again(&fake_vm);
}

static bool ends_after(enum privileged_word word, enum vm_end how)
{
	forget();
	privileged_say(word);
	return ends(how);
}

static int setup(void **state)
{
	fake_vm_init(1);
	fake_vm.privileged = fake_vm.restarts = true;
	return 0;
}

/* The first test: no restart has been counted */
static void test_used_up(void **state)
{
	tsc_khz = 10000000; /* ten minutes are longer than the tests */
	assert_true(ends(VM_END_CRASH));
	assert_true(ends(VM_END_CRASH));
	assert_int_equal(fake_vm.no_restart_before, 0);
	assert_true(ends(VM_END_CRASH));
	assert_true(fake_vm.no_restart_before > rdtsc());
	assert_true(fake_vm.no_restart_before <=
		    rdtsc() + ns_to_tsc(600 * NS_PER_S));
	assert_false(ends(VM_END_CRASH));
}

static void test_rule(void **state)
{
	static const struct {
		enum vm_end how;
		bool again[3]; /* by enum privileged_word */
	} rows[] = {
		{ VM_END_POWER_OFF, { false, false, false } },
		{ VM_END_RESET, { false, true, false } },
		{ VM_END_FAILURE, { true, true, false } },
		{ VM_END_CRASH, { true, true, true } },
		{ VM_END_DEBUG_EXIT, { false, false, false } },
		{ VM_END_NOT_LOADED, { false, false, false } },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		for (u32 w = 0; w < 3; w++)
			assert_int_equal(ends_after((enum privileged_word)w,
						    rows[i].how),
					 rows[i].again[w]);
	fake_vm.restarts = false;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		assert_false(ends_after(PRIVILEGED_TELLS, rows[i].how));
}

/* What was said is for one life, the last word counts */
static void test_words(void **state)
{
	forget();
	privileged_say(PRIVILEGED_TELLS);
	assert_true(ends(VM_END_RESET));
	assert_false(ends(VM_END_RESET));
	privileged_say(PRIVILEGED_TELLS);
	privileged_say(PRIVILEGED_ANNOUNCED);
	assert_false(ends(VM_END_RESET));
	privileged_say(PRIVILEGED_ANNOUNCED);
	privileged_say(PRIVILEGED_TELLS);
	assert_true(ends(VM_END_RESET));
}

static void test_how_often(void **state)
{
	forget();
	for (u32 i = 0; i < 10; i++)
		assert_true(ends(VM_END_CRASH));
	/* From here on ten minutes are longer than the test */
	tsc_khz = 10000000;
	assert_false(ends(VM_END_CRASH));
	assert_non_null(strstr(fake_log_last, "again 3 times in 10 minutes"));
	forget();
	assert_true(ends(VM_END_CRASH));
	assert_non_null(strstr(fake_log_last, "(1 of 3 in 10 minutes)"));
	/* One that does not start again does not count */
	tsc_khz = 10000000;
	fake_vm.restarts = false;
	assert_false(ends(VM_END_FAILURE));
}

static void test_machine(void **state)
{
	bool reset = true;

	assert_true(privileged_ends_machine(VM_END_POWER_OFF, &reset));
	assert_false(reset);
	assert_true(privileged_ends_machine(VM_END_RESET, &reset));
	assert_true(reset);
	reset = false;
	assert_true(privileged_ends_machine(VM_END_FAILURE, &reset));
	assert_true(reset);
	assert_false(privileged_ends_machine(VM_END_CRASH, &reset));
	assert_false(privileged_ends_machine(VM_END_NOT_LOADED, &reset));
	assert_false(privileged_ends_machine(VM_END_DEBUG_EXIT, &reset));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_used_up, setup),
		cmocka_unit_test_setup(test_rule, setup),
		cmocka_unit_test_setup(test_words, setup),
		cmocka_unit_test_setup(test_how_often, setup),
		cmocka_unit_test_setup(test_machine, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
