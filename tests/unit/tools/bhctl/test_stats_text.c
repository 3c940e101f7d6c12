/* SOURCES: tools/bhctl/stats.c tools/control/wire.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl stats: histograms as a table */
#include "tests/unit/test.h"
#include "tools/bhctl/stats.h"

static char *shown(const char *reply)
{
	struct json_object *o = json_tokener_parse(reply);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(o);
	show_stats(to, o);
	fclose(to);
	json_object_put(o);
	return text;
}

#define BUCKETS                                                                \
	"\"buckets\":[{\"le_seconds\":0.000000064,\"count\":60},"              \
	"{\"le_seconds\":0.000000128,\"count\":98},"                           \
	"{\"le_seconds\":0.25,\"count\":99}]"

static void test_table(void **state)
{
	char *text = shown("{\"metering\":\"histograms\",\"histograms\":[{"
			   "\"of\":\"exit\",\"kind\":\"HLT\",\"count\":100,"
			   "\"seconds\":2.5," BUCKETS "}]}");

	assert_non_null(strstr(text, "exit       HLT                      100"
				     "     2.5 s     25 ms     64 ns    250 ms"
				     "\n"));
	assert_null(strstr(text, "last"));
	free(text);
	/* Past the last bound */
	text = shown("{\"metering\":\"off\",\"histograms\":[{"
		     "\"of\":\"wait\",\"kind\":\"\",\"count\":1000,"
		     "\"seconds\":0.001," BUCKETS "}]}");
	assert_non_null(strstr(text, "      more      more\n"));
	assert_non_null(strstr(text, "metered last"));
	free(text);
}

static void test_none(void **state)
{
	char *text = shown("{\"metering\":\"counters\",\"histograms\":[]}");

	assert_non_null(strstr(text, "bhctl metering histograms"));
	free(text);
	text = shown("{}");
	assert_string_equal(text, "");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
