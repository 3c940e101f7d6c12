/* SOURCES: check/judge.c check/judge_cpu.c check/facts.c check/report.c check/show.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The report as JSON and as text, its reader, and its pages */
/* clang-format off */
/* clang-format on */
#include "check/judge.h"
#include "check/report.h"
#include "check/show.h"
#include "lib/errno.h"
#include "tests/unit/test.h"

static struct check_facts facts;

/* All is known, and nothing is there */
static void fill(void)
{
	memset(&facts, 0, sizeof(facts));
	for (u32 i = 0; i < FACT_COUNT; i++)
		check_set(&facts, (enum check_fact)i, 0);
}

static char text[CHECK_REPORT_BYTES];

static void test_round_trip(void **state)
{
	struct check_facts again;
	size_t len;

	fill();
	strcpy(facts.string[CHECK_CPU_NAME], "A \"quoted\" \\ CPU\n");
	strcpy(facts.string[CHECK_BAD_TABLES], "SSDT HPET");
	check_set(&facts, FACT_MISC_ENABLE, ~0ull);
	facts.known[FACT_VMD] = 0;
	len = check_json(&facts, text, sizeof(text));
	assert_true(len < sizeof(text));
	assert_int_equal(strlen(text), len);
	assert_int_equal(check_parse(&again, text, len), 0);
	assert_memory_equal(again.value, facts.value, sizeof(facts.value));
	assert_memory_equal(again.known, facts.known, sizeof(facts.known));
	assert_string_equal(again.string[CHECK_CPU_NAME], "A ?quoted? ? CPU?");
	assert_string_equal(again.string[CHECK_BAD_TABLES], "SSDT HPET");
}

static void test_report_fits(void **state)
{
	size_t whole;

	fill();
	for (u32 i = 0; i < FACT_COUNT; i++)
		check_set(&facts, (enum check_fact)i, ~0ull);
	for (u32 i = 0; i < CHECK_STRINGS; i++)
		memset(facts.string[i], 'x', CHECK_STRING_BYTES - 1);
	whole = check_json(&facts, text, sizeof(text));
	assert_true(whole < sizeof(text));
	assert_true(check_text(&facts, text, sizeof(text)) < sizeof(text));
	memset(text, 'z', sizeof(text));
	assert_int_equal(check_json(&facts, text, 100), whole);
	assert_int_equal(strlen(text), 99);
	assert_int_equal(text[100], 'z');
}

static void test_reader(void **state)
{
	static const struct {
		const char *json;
		int result;
	} reports[] = {
		{ "", -EINVAL },
		{ "{\"facts\":", -EINVAL },
		{ "{\"facts\":{}}", 0 },
		{ "{\"facts\": {\"cores\": 12}}", 0 },
		{ "{\"facts\": {\"cores\": 12,}}", -EINVAL },
		{ "{\"facts\": {\"cores\": }}", -EINVAL },
		{ "{\"facts\": {\"cores\": -1}}", -EINVAL },
		{ "{\"facts\": {\"cores\": 18446744073709551616}}", -EINVAL },
		{ "{\"facts\": {\"cores\" 12}}", -EINVAL },
		{ "{\"facts\": {\"cpu\": \"a\\n\"}}", -EINVAL },
		{ "{\"facts\": {\"cpu\": \"a", -EINVAL },
		{ "{\"facts\": {\"what is this\": 1, \"cores\": 12}}", 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(reports); i++) {
		/* Its end is the memory's, for the sanitizer */
		size_t len = strlen(reports[i].json);
		char *copy = malloc(len ? len : 1);

		memcpy(copy, reports[i].json, len);
		assert_int_equal(check_parse(&facts, copy, len),
				 reports[i].result);
		if (strstr(reports[i].json, " 12") && !reports[i].result)
			assert_int_equal(facts.value[FACT_CORES], 12);
		free(copy);
	}
}

/* What tools/bh-report made on a Linux, read back and judged anew: the same
 * verdicts, to the letter. After a change of their words:
 * F=tests/unit/check/report_linux.json; build/bh-judge --facts $F --json $F */
static void test_fixture(void **state)
{
	static char json[CHECK_REPORT_BYTES];
	FILE *f = fopen("tests/unit/check/report_linux.json", "r");
	size_t len;

	assert_non_null(f);
	len = fread(json, 1, sizeof(json), f);
	fclose(f);
	assert_int_equal(check_parse(&facts, json, len), 0);
	assert_int_equal(facts.value[FACT_CORES], 2);
	assert_int_equal(check_worst(&facts), CHECK_FAIL);
	assert_int_equal(check_json(&facts, text, sizeof(text)), len);
	assert_memory_equal(text, json, len);
}

static char shown[KIB(16)];
static u32 lines, pauses, longest, page;

static void line_take(const char *line)
{
	strcat(shown, line);
	strcat(shown, "\n");
	longest = MAX(longest, (u32)strlen(line));
	lines++;
	page++;
}

static void pause_take(void)
{
	assert_in_range(page, 1, 10);
	page = 0;
	pauses++;
}

static void test_pages(void **state)
{
	const struct check_view view = { .columns = 40,
					 .rows = 10,
					 .line = line_take,
					 .pause = pause_take };

	fill();
	check_set(&facts, FACT_NX, 0);
	shown[0] = '\0';
	lines = pauses = longest = page = 0;
	check_show(&facts, &view);
	assert_in_range(longest, 20, 40);
	assert_true(lines > 20);
	assert_in_range(pauses, lines / 10, lines / 5);
	assert_non_null(strstr(shown, "WARN  no_execute: NX is missing or\n"));
	assert_non_null(strstr(shown, "      -> Execute Disable Bit (AMD:\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_report_fits),
		cmocka_unit_test(test_reader),
		cmocka_unit_test(test_fixture),
		cmocka_unit_test(test_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
