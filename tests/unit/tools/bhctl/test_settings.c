/* SOURCES: tools/bhctl/settings.c tools/control/fail.c hv/manifest/values.c lib/string.c sched/keys.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What bhctl set refuses by itself, by the keys that the hypervisor has */
#include "sched/keys.h"
#include "tests/unit/test.h"
#include "tools/bhctl/settings.h"

void sched_set_cap(struct sched_entity *e, u32 percent)
{
}

static void test_same_keys(void **state)
{
	u32 changeable = 0;

	for (u32 i = 0; i < sched_key_count; i++) {
		const struct sched_key *there = &sched_keys[i];
		const struct setting_key *here = &setting_keys[changeable];

		if (!there->changeable)
			continue;
		assert_true(changeable++ < setting_key_count);
		assert_string_equal(here->name, there->name);
		assert_string_equal(here->unit, there->unit);
		assert_int_equal(here->min, there->min);
		assert_int_equal(here->max, there->max);
	}
	assert_int_equal(changeable, setting_key_count);
}

static void test_settings(void **state)
{
	static const struct {
		char *first, *second;
		const char *why; /* NULL: it is right */
	} rows[] = {
		{ "weight=1", "cap=100%", NULL },
		{ "cap=1%", "weight=10000", NULL },
		{ "cap=0x32%", "weight=0x10", NULL },
		{ "foo=1", "cap=1%", "there is no key foo that can be set" },
		{ "weight=1", "wei=1", "there is no key wei" },
		{ "=1", "cap=1%", "there is no key " },
		{ "weight", "cap=1%", "weight has no value; write KEY=VALUE" },
		{ "cap=500%", "weight=1", "cap: write a number from 1% to" },
		{ "cap=0%", "weight=1", "cap: write a number" },
		{ "cap=50", "weight=1", "cap: write a number" },
		{ "cap=%", "weight=1", "cap: write a number" },
		{ "cap=5%%", "weight=1", "cap: write a number" },
		{ "weight=", "cap=1%", "weight: write a number from 1 to" },
		{ "weight=10001", "cap=1%", "weight: write a number" },
		{ "weight=1\ncap=1%", "cap=1%", "weight: write a number" },
		{ "weight=0000000000000000000000001", "cap=1%", "weight: " },
		{ "cap=1%", "cap=2%", "cap is there twice" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char *const settings[] = { rows[i].first, rows[i].second };
		struct failure f = { FAIL_OTHER, "" };
		int err = settings_check(settings, 2, &f);

		assert_int_equal(err, rows[i].why ? -1 : 0);
		if (!rows[i].why)
			continue;
		assert_int_equal(f.kind, FAIL_USAGE);
		if (!strstr(f.text, rows[i].why))
			fail_msg("%s: %s", rows[i].first, f.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_keys),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
