/* SOURCES: tools/bhctl/trace_text.c tools/control/wire.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of bhctl trace is what "Trace Event Format" asks for, held to it by
 * a parser: each event has a name, a phase, a process and a thread; complete
 * ones a begin and a length, instants a moment and a scope.
 */
#include <math.h>

#include "tests/unit/test.h"
#include "tools/bhctl/trace.h"

#define ABOUT                                                                  \
	"{\"build\":\"Bulkhead 7\",\"tsc\":1000000,\"tsc_khz\":2000000,"       \
	"\"cores\":2,\"exits\":[\"cpuid\",\"a \\\"b\\\\\"],"                   \
	"\"guests\":[{\"id\":1,\"name\":\"linux\"},{\"id\":2,\"name\":"        \
	"\"web\"}]}"

static struct json_object *file, *events;

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *v;

	return json_object_object_get_ex(o, name, &v) ? v : NULL;
}

static double number(struct json_object *o, const char *name)
{
	struct json_object *v = member(o, name);

	assert_true(json_object_is_type(v, json_type_double) ||
		    json_object_is_type(v, json_type_int));
	return json_object_get_double(v);
}

static const char *string(struct json_object *o, const char *name)
{
	const char *text = wire_string(o, name);

	assert_non_null(text);
	return text;
}

static void hold(struct json_object *e)
{
	const char *phase = string(e, "ph");

	(void)string(e, "name");
	assert_true(number(e, "pid") >= 1 && number(e, "tid") >= 0);
	if (*phase == 'X') {
		assert_true(number(e, "ts") >= 0 && number(e, "dur") >= 0);
	} else if (*phase == 'i') {
		assert_true(number(e, "ts") >= 0);
		assert_string_equal(string(e, "s"), "t");
	} else {
		assert_string_equal(phase, "M");
		(void)string(member(e, "args"), "name");
	}
}

/* The file of @records, as a parser has it */
static void make(const struct bh_ctl_trace *records, u32 count)
{
	struct json_object *about = json_tokener_parse(ABOUT);
	struct trace_file t;
	struct failure f;
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_int_equal(trace_file_begin(&t, to, about, &f), 0);
	for (u32 i = 0; i < count; i++)
		trace_file_record(&t, 0, &records[i]);
	trace_file_record(&t, 2, records); /* no such core */
	trace_file_lost(&t, 7);
	trace_file_end(&t);
	fclose(to);
	file = json_tokener_parse(text);
	assert_non_null(file);
	free(text);
	json_object_put(about);
	events = member(file, "traceEvents");
	assert_true(json_object_is_type(events, json_type_array));
	for (size_t i = 0; i < json_object_array_length(events); i++)
		hold(json_object_array_get_idx(events, i));
}

/* The one of that name and process, and how many there are */
static struct json_object *find(const char *name, u64 pid, u32 want)
{
	struct json_object *found = NULL;
	u32 count = 0;

	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object *e = json_object_array_get_idx(events, i);

		if (strcmp(string(e, "name"), name) ||
		    wire_number(e, "pid", 0) != pid)
			continue;
		found = e;
		count++;
	}
	assert_int_equal(count, want);
	return found;
}

static void expect_time(struct json_object *e, const char *name, double us)
{
	assert_true(fabs(number(e, name) - us) < 0.0006);
}

static void test_empty(void **state)
{
	struct bh_ctl_trace none = { .event = 99 };

	make(&none, 1);
	assert_string_equal(string(file, "displayTimeUnit"), "ns");
	assert_int_equal(wire_number(member(file, "otherData"), "lost", 0), 7);
	assert_string_equal(string(member(file, "otherData"), "version"),
			    "Bulkhead 7");
	/* Two guests and the cores, and two of those */
	assert_int_equal(json_object_array_length(events), 3 + 2);
	json_object_put(file);
}

/* Each sort of record, on its track, by microseconds since the file's begin */
static void test_records(void **state)
{
	static const struct bh_ctl_trace records[] = {
		{ 1002000, 2, 0, 1, BH_CTL_TRACE_SWITCH, 0 },
		{ 1002000, 2, 0, 1, BH_CTL_TRACE_ENTRY, 0 },
		{ 1004000, 2, 3001, 1, BH_CTL_TRACE_EXIT, 1 },
		{ 999000, 2, 3000, 1, BH_CTL_TRACE_EXIT, 0 },
		{ 1008000, 2, 500, 1, BH_CTL_TRACE_INJECT, 0x60 },
		{ 1008000, 1, 0, 0, BH_CTL_TRACE_WAKE, 0 },
		{ 1008000, 0, 0, 0, BH_CTL_TRACE_INTERRUPT, 0xef },
		{ 1008000, 0, 1, 0, BH_CTL_TRACE_KICK, 0 },
		{ 1008000, 0, 0, 0, BH_CTL_TRACE_COMMAND, 2 },
		{ 1009000, 2, 0, 1, BH_CTL_TRACE_SWITCH, 0 }, /* again */
		{ 1010000, 1, 0, 0, BH_CTL_TRACE_SWITCH, 0 },
		{ 1012000, 0, 4000, 0, BH_CTL_TRACE_IDLE, 0 },
		{ 1016000, 9, 0, 0, BH_CTL_TRACE_SWITCH, 0 }, /* unknown */
		{ 1018000, 0, 4000, 0, BH_CTL_TRACE_IDLE, 0 },
	};
	struct json_object *e;

	make(records, ARRAY_SIZE(records));
	e = find("web:1", 1, 1); /* one turn, on its core */
	expect_time(e, "ts", 1);
	expect_time(e, "dur", 4);
	e = find("linux:0", 1, 1);
	expect_time(e, "ts", 5);
	expect_time(e, "dur", 1);
	e = find("guest:0", 1, 1);
	expect_time(e, "ts", 8);
	e = find("a \"b\\", 3, 1);
	assert_int_equal(wire_number(e, "tid", 9), 1);
	expect_time(e, "ts", 2);
	expect_time(e, "dur", 1.5005);
	/* It began before the file does */
	e = find("cpuid", 3, 1);
	expect_time(e, "ts", 0);
	expect_time(e, "dur", 1);
	e = find("inject", 3, 1);
	assert_int_equal(wire_number(member(e, "args"), "vector", 0), 0x60);
	assert_true(fabs(number(member(e, "args"), "late_us") - .25) < .001);
	(void)find("entry", 3, 1);
	(void)find("wake", 2, 1);
	e = find("interrupt", 1, 1);
	assert_int_equal(wire_number(member(e, "args"), "vector", 0), 0xef);
	e = find("kick", 1, 1);
	assert_int_equal(wire_number(member(e, "args"), "core", 0), 1);
	(void)find("command", 1, 1);
	e = find("idle", 1, 2);
	expect_time(e, "ts", 9);
	expect_time(e, "dur", 2);
	json_object_put(file);
}

static void test_bad_reply(void **state)
{
	static const char *const bad[] = { "{}", "{\"cores\":2}",
					   "{\"tsc_khz\":7}" };
	struct trace_file t;
	struct failure f;

	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct json_object *about = json_tokener_parse(bad[i]);

		assert_int_equal(trace_file_begin(&t, stdout, about, &f), -1);
		assert_int_equal(f.kind, FAIL_OTHER);
		json_object_put(about);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_bad_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
