/* SOURCES: tools/bhctl/top_text.c tools/bhctl/show.c tools/bhctl/last_exits.c tools/control/wire.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What bhctl top shows of two looks */
#include "tests/unit/test.h"
#include "tools/bhctl/top.h"

#define LOOK(now, cpu, exits, idle, cpuid)                                     \
	"{\"now_seconds\":" now ",\"guests\":[{\"id\":1,\"name\":\"linux\","   \
	"\"state\":\"running\",\"vcpus\":2,\"memory_bytes\":67108864,"         \
	"\"cpu_seconds\":" cpu ",\"exits\":" exits                             \
	",\"vcpu\":[{\"id\":0,\"core\":1,\"state\":\"halted\","                \
	"\"run_seconds\":" cpu ",\"wait_seconds\":0.5,\"exits\":" exits        \
	"}],\"exit\":{\"hlt\":7,\"cpuid\":" cpuid "}}],"                       \
	"\"cores\":[{\"id\":0,\"idle_seconds\":" idle                          \
	",\"host_seconds\":" idle "e-1}]}"

static struct json_object *parse_look(const char *text)
{
	struct json_object *o = wire_parse(text, strlen(text));

	assert_non_null(o);
	return o;
}

static u32 columns = 80;

static char *screen(struct json_object *now, struct json_object *before,
		    u32 chosen)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_int_equal(top_text(to, now, before, chosen, columns),
			 chosen + 1);
	fclose(to);
	return text;
}

static void test_rates(void **state)
{
	struct json_object *before =
		parse_look(LOOK("10.0", "1.0", "100", "9.0", "50"));
	struct json_object *now =
		parse_look(LOOK("12.0", "2.0", "300", "10.5", "250"));
	char *text = screen(now, before, 0);

	assert_non_null(strstr(
		text, "> linux                running       2     64 MiB     "
		      "50.0          100"));
	assert_non_null(strstr(
		text, "  0      1     halted           50.0      0.0          "
		      "100"));
	/* Kinds of which there were none now are left out */
	assert_non_null(strstr(text, "exits a second:  cpuid 100\n"));
	assert_non_null(strstr(text, "cores, busy %:  0: 25 (7.5 host)"));
	free(text);
	json_object_put(now);
	json_object_put(before);
}

/* A list goes on in the next line where the screen ends: no word is cut */
static void test_narrow(void **state)
{
	struct json_object *before =
		parse_look(LOOK("10.0", "1.0", "100", "9.0", "50"));
	struct json_object *now =
		parse_look("{\"now_seconds\":11.0,\"guests\":[{\"id\":1,"
			   "\"name\":\"linux\",\"exit\":{\"hlt\":700,"
			   "\"cpuid\":700,\"port\":700,\"MMIO\":700}}]}");
	char *text;

	for (columns = 30; columns < 60; columns++) {
		char *line, *rest;

		text = screen(now, before, 0);
		line = strstr(text, "exits a second:");
		assert_non_null(line);
		for (line = strtok_r(line, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			assert_true(strlen(line) <= columns);
		free(text);
	}
	columns = 80;
	json_object_put(now);
	json_object_put(before);
}

/* The first look has nothing to compare with; a guest that was reset counts
 * from zero again; the chosen one is gone */
static void test_odd(void **state)
{
	struct json_object *before =
		parse_look(LOOK("10.0", "5.0", "500", "9.0", "50"));
	struct json_object *now =
		parse_look(LOOK("11.0", "0.1", "3", "9.5", "1"));
	struct json_object *empty = parse_look("{}");
	char *text = screen(now, NULL, 0);

	assert_non_null(strstr(text, "64 MiB      0.0            0"));
	free(text);
	text = screen(now, before, 0);
	assert_non_null(strstr(text, "64 MiB      0.0            0"));
	free(text);
	text = screen(now, before, 7);
	assert_null(strstr(text, "VCPU "));
	free(text);
	text = screen(empty, empty, 0);
	assert_non_null(strstr(text, "NAME"));
	free(text);
	json_object_put(now);
	json_object_put(before);
	json_object_put(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
