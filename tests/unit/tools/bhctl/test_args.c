/* SOURCES: tools/bhctl/args.c tools/bhctl/progress.c tools/bhctl/show.c tools/bhctl/last_exits.c tools/control/fail.c tools/control/wire.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* bhctl's command line, and how it shows amounts and replies */
#include "tests/unit/test.h"
#include "tools/bhctl/args.h"
#include "tools/bhctl/progress.h"
#include "tools/bhctl/show.h"

const struct command commands[] = {
	{ "list", OPERAND_NONE, "j", "", NULL },
	{ "stop", OPERAND_GUEST, "t", "", NULL },
	{ "run", OPERAND_NONE, "kiawmcn", "", NULL },
	{ "create", OPERAND_FILE, "", "", NULL },
	{ "gdb", OPERAND_GUEST, "L", "", NULL },
	{ "dump", OPERAND_DUMP, "j", "", NULL },
	{ "info", OPERAND_MAYBE_GUEST, "j", "", NULL },
	{ "set", OPERAND_SETTINGS, "", "", NULL },
	{ "metering", OPERAND_MAYBE, "j", "", NULL },
	{ "trace", OPERAND_NONE, "so", "", NULL },
	{ NULL, OPERAND_NONE, NULL, NULL, NULL },
};

static struct args a;
static struct failure f;

/* Words of a command line, the program's name before them */
static int read_words(const char *line)
{
	static char text[256];
	char *argv[16] = { "bhctl" };
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return args_read(&a, argc, argv, &f);
}

static void test_good(void **state)
{
	assert_int_equal(read_words("list --json"), 0);
	assert_string_equal(a.command->name, "list");
	assert_true(a.json);
	assert_string_equal(a.socket, WIRE_SOCKET);
	assert_int_equal(read_words("--socket /x stop web --timeout 7"), 0);
	assert_string_equal(a.operand, "web");
	assert_string_equal(a.socket, "/x");
	assert_true(a.has_timeout && a.timeout_s == 7);
	assert_int_equal(read_words("stop --timeout=0 -- -x"), 0);
	assert_string_equal(a.operand, "-x");
	assert_int_equal(read_words("run --kernel k --initrd i --memory 256M "
				    "--cpus 2"),
			 0);
	assert_string_equal(a.kernel, "k");
	assert_string_equal(a.memory, "256M");
	assert_int_equal(a.cpus, 2);
	assert_int_equal(read_words("run --fw-cfg a --kernel k --fw-cfg b"), 0);
	assert_int_equal(a.fw_cfg_count, 2);
	assert_string_equal(a.fw_cfg[1], "b");
	assert_int_equal(read_words("metering"), 0);
	assert_null(a.operand);
	assert_int_equal(read_words("metering off"), 0);
	assert_string_equal(a.operand, "off");
	assert_int_equal(read_words("trace -o x.json --seconds 3"), 0);
	assert_string_equal(a.output, "x.json");
	assert_int_equal(a.seconds, 3);
	assert_int_equal(read_words("info"), 0);
	assert_null(a.operand);
	assert_int_equal(read_words("info web"), 0);
	assert_string_equal(a.operand, "web");
	assert_int_equal(read_words("gdb web --listen 65535"), 0);
	assert_int_equal(a.port, 65535);
	assert_int_equal(read_words("gdb web --listen ./99999"), 0);
	assert_int_equal(a.port, 0);
	assert_string_equal(a.listen, "./99999");
	assert_int_equal(read_words("gdb web --listen -"), 0);
	assert_int_equal(a.port, 0);
	assert_int_equal(read_words("--version"), 0);
	assert_null(a.command);
	assert_true(a.version);
	assert_false(a.help);
}

/* Which command the help is about; NULL: all */
static void test_help_of(void **state)
{
	static const struct {
		const char *line, *command;
	} rows[] = {
		{ "--help", NULL },
		{ "help", NULL },
		{ "help help", NULL },
		{ "stop --help", "stop" },
		{ "help stop", "stop" },
		{ "--help stop", "stop" },
		{ "-h stop a b", "stop" },
		{ "list --help --fly", "list" },
		{ "run --help --kernel", "run" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_words(rows[i].line), 0);
		assert_true(a.help);
		assert_int_equal(!a.command, !rows[i].command);
		if (a.command)
			assert_string_equal(a.command->name, rows[i].command);
	}
}

static void test_bad(void **state)
{
	static const struct {
		const char *line, *text;
	} rows[] = {
		{ "", "say what to do" },
		{ "metering off on", "takes one word" },
		{ "trace --seconds 0", "at least 1" },
		{ "trace --seconds 3601", "up to 3600" },
		{ "list -o x", "takes no --output" },
		{ "fly", "fly is no command" },
		{ "help fly", "fly is no command" },
		{ "fly --help", "fly is no command" },
		{ "gdb a --listen 99999", "99999 is no port; write 1 to" },
		{ "gdb a --listen 65536", "65536 is no port" },
		{ "gdb a --listen 0", "0 is no port" },
		{ "gdb a --listen 18446744073709551617", "is no port" },
		{ "list web", "takes no web" },
		{ "stop", "bhctl stop: NAME is missing: say which guest" },
		{ "create", "bhctl create: FILE is missing: say which file" },
		{ "dump web", "bhctl dump: FILE is missing: say where" },
		{ "set", "bhctl set: NAME is missing: say which guest" },
		{ "info a b", "takes one NAME, not b" },
		{ "stop a b", "takes one NAME, not b" },
		{ "list --timeout 3", "bhctl list takes no --timeout" },
		{ "stop a --json", "bhctl stop takes no --json" },
		{ "stop a --timeout", "--timeout: its value is missing" },
		{ "stop a --timeout x", "write a number up to 86400" },
		{ "stop a --timeout -1", "write a number up to 86400" },
		{ "stop a --timeout 86401", "write a number up to 86400" },
		{ "stop a --timeout 99999999999999999999", "write a number" },
		{ "run --cpus 0", "at least 1" },
		{ "run --cpus 129", "up to 128" },
		{ "run --fw-cfg=a --fw-cfg=a --fw-cfg=a --fw-cfg=a --fw-cfg=a "
		  "--fw-cfg=a --fw-cfg=a --fw-cfg=a --fw-cfg=a",
		  "--fw-cfg is given more than 8 times" },
		{ "list --fw-cfg a", "takes no --fw-cfg" },
		{ "list --fly", "--fly is no option" },
		{ "run --kernel", "--kernel: its value is missing" },
		{ "trace -o", "-o: its value is missing" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(read_words(rows[i].line), -1);
		assert_int_equal(f.kind, FAIL_USAGE);
		if (!strstr(f.text, rows[i].text))
			fail_msg("%s: %s", rows[i].line, f.text);
	}
}

/* What each takes, with its values, in lines that no terminal cuts */
static void test_help(void **state)
{
	char *text = NULL, *line, *rest;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	args_help(to, NULL);
	fclose(to);
	assert_non_null(strstr(text, "[--kernel FILE] [--initrd FILE]"));
	assert_non_null(strstr(text, "  info [NAME] "));
	assert_non_null(strstr(text, "[--timeout SECONDS]"));
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		assert_true(strlen(line) <= 79);
	free(text);
	to = open_memstream(&text, &len);
	args_help(to, &commands[1]);
	fclose(to);
	assert_non_null(strstr(text, "  stop NAME "));
	assert_non_null(strstr(text, "[--timeout SECONDS]"));
	assert_null(strstr(text, "  list "));
	free(text);
}

static void test_amounts(void **state)
{
	char text[32];

	assert_string_equal(show_bytes(text, 0), "0 B");
	assert_string_equal(show_bytes(text, 1023), "1023 B");
	assert_string_equal(show_bytes(text, MIB(256)), "256 MiB");
	assert_string_equal(show_bytes(text, GIB(3)), "3 GiB");
	assert_string_equal(show_bytes(text, GIB(3) + MIB(512)), "3584 MiB");
	assert_string_equal(show_seconds(text, 2.54), "2.5 s");
	assert_string_equal(show_seconds(text, 61), "1 min 01 s");
	assert_string_equal(show_seconds(text, 3 * 3600 + 120), "3 h 02 min");
	assert_string_equal(show_seconds(text, 90000), "1 d 01 h");
}

static void test_progress(void **state)
{
	char text[400];

	progress_text(text, sizeof(text), 68, "load", MIB(5), MIB(10));
	assert_string_equal(
		text,
		"load             [##########..........]  50 % of 10 MiB");
	progress_text(text, sizeof(text), 0, NULL, 7, 0);
	assert_non_null(strstr(text, "[..........]   0 %"));
	progress_text(text, sizeof(text), 100000, "x", ~0ull, 1);
	assert_non_null(strstr(text, "100 %"));
}

/* Exit statuses go over the socket by name */
static void test_kinds(void **state)
{
	for (u32 i = FAIL_OTHER; i < FAIL_KINDS; i++)
		assert_int_equal(fail_kind_of(fail_name((enum fail_kind)i)), i);
	assert_int_equal(fail_kind_of("?"), FAIL_OTHER);
	assert_int_equal(fail_kind_of(NULL), FAIL_OTHER);
}

static void test_table(void **state)
{
	struct json_object *o = wire_parse(
		"{\"guests\":[{\"name\":\"web\",\"state\":\"running\","
		"\"memory_bytes\":67108864,\"cpu_seconds\":2.5}]}",
		strlen("{\"guests\":[{\"name\":\"web\",\"state\":\"running\","
		       "\"memory_bytes\":67108864,\"cpu_seconds\":2.5}]}"));
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(o);
	show_list(to, o);
	fclose(to);
	assert_non_null(strstr(text, "web                  running"));
	assert_non_null(strstr(text, "64 MiB         2.5 s"));
	free(text);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
		cmocka_unit_test(test_amounts), cmocka_unit_test(test_progress),
		cmocka_unit_test(test_help),    cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_table),   cmocka_unit_test(test_help_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
