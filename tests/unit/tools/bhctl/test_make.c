/* SOURCES: tools/bhctl/make.c tools/control/definition.c tools/control/device_spec.c tools/control/files.c tools/control/fail.c tools/control/wire.c hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c lib/string.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* What bhctl run makes of its options is a definition; definitions from files,
 * and what is wrong with them */
#include "tests/unit/test.h"
/* clang-format off */
#include <unistd.h>
/* clang-format on */
#include "tools/bhctl/link.h"
#include "tools/bhctl/make.h"
#include "tools/control/definition.h"

static struct failure f;
static struct json_object *sent;

/* bhd is not here: what it would be asked */
int link_open(struct link *l, const char *socket, struct failure *why)
{
	return 0;
}

void link_close(struct link *l)
{
}

struct json_object *link_request(const char *what)
{
	struct json_object *o = json_object_new_object();

	wire_add_string(o, "do", what);
	return o;
}

int link_ask(struct link *l, struct json_object *request,
	     struct json_object **reply, struct failure *why)
{
	sent = request;
	*reply = json_object_new_object();
	return 0;
}

/* The definition that `bhctl run` sends for @a, as bhd reads it */
static void run_made(const struct args *a, struct definition *d)
{
	struct json_object *paths;

	assert_int_equal(make_run(a, &f), 0);
	assert_true(json_object_object_get_ex(sent, "paths", &paths));
	assert_int_equal(definition_read(d, "f",
					 wire_string(sent, "definition"), "/",
					 paths, &f),
			 0);
}

static void test_run(void **state)
{
	struct args a = { .kernel = "/proc/self/exe",
			  .memory = "1G",
			  .cpus = 3,
			  .name = "box",
			  .cmdline = "console=ttyS0 x#y" };
	struct definition d;

	run_made(&a, &d);
	assert_string_equal(d.config.name, "box");
	assert_string_equal(d.config.cmdline, "console=ttyS0 x#y");
	assert_int_equal(d.config.memory_bytes, GIB(1));
	assert_int_equal(d.config.vcpus, 3);
	assert_int_equal(d.file_count, 1);
	assert_string_equal(d.files[0].name, "kernel");
	assert_int_equal(d.files[0].path[0], '/');
	definition_free(&d);
	json_object_put(sent);
}

static void test_run_firmware(void **state)
{
	struct args a = { .firmware = "/proc/self/exe", .name = "box" };
	struct definition d;

	run_made(&a, &d);
	assert_string_equal(d.config.firmware, "firmware");
	assert_string_equal(d.config.kernel, "");
	assert_int_equal(d.file_count, 1);
	assert_true(d.firmware);
	definition_free(&d);
	json_object_put(sent);
}

static void test_run_fw_cfg(void **state)
{
	struct args a = { .kernel = "/proc/self/exe",
			  .name = "box",
			  .fw_cfg = { "opt/a /proc/self/maps",
				      "opt/b \t\"two words\"",
				      "opt/c /proc/self/environ" },
			  .fw_cfg_count = 3 };
	struct definition d;

	run_made(&a, &d);
	assert_int_equal(d.config.fwcfg_count, 3);
	assert_string_equal(d.config.fwcfg[0].name, "opt/a");
	assert_string_equal(d.config.fwcfg[1].name, "opt/b");
	assert_string_equal(d.config.fwcfg[1].file, "");
	assert_memory_equal(d.config.fwcfg[1].text, "two words", 9);
	assert_string_equal(d.config.fwcfg[2].name, "opt/c");
	assert_int_equal(d.file_count, 3);
	assert_int_equal(d.stay_count, 2);
	assert_string_equal(d.files[1].name, d.config.fwcfg[0].file);
	assert_non_null(strstr(d.files[1].path, "/maps"));
	assert_string_equal(d.files[2].name, d.config.fwcfg[2].file);
	assert_non_null(strstr(d.files[2].path, "/environ"));
	definition_free(&d);
	json_object_put(sent);
}

static void test_run_fw_cfg_bad(void **state)
{
	static const struct {
		const char *item;
		enum fail_kind kind;
		const char *why;
	} rows[] = {
		{ "opt/a", FAIL_USAGE,
		  "write 'NAME FILE', or 'NAME \"TEXT\"'" },
		{ "opt/a ", FAIL_USAGE, "write 'NAME FILE'" },
		{ "", FAIL_USAGE, "write 'NAME FILE'" },
		{ "opt/a\nprivileged = yes", FAIL_USAGE, "one line" },
		{ "opt/a \"x #y\"", FAIL_USAGE, "one line" },
		{ "opt/a /nowhere/at/all", FAIL_DEFINITION, "No such file" },
	};
	static char long_text[DEFINITION_TEXT_MAX];
	struct args a = { .kernel = "/proc/self/exe", .fw_cfg_count = 1 };

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		a.fw_cfg[0] = rows[i].item;
		assert_int_equal(make_run(&a, &f), -1);
		assert_int_equal(f.kind, rows[i].kind);
		assert_non_null(strstr(f.text, rows[i].why));
	}
	memset(long_text, 'x', sizeof(long_text) - 1);
	memcpy(long_text, "opt/a \"", 7);
	a.fw_cfg[0] = long_text;
	assert_int_equal(make_run(&a, &f), -1);
	assert_non_null(strstr(f.text, "--fw-cfg is too long"));
}

static void test_run_bad(void **state)
{
	struct args a = { 0 };

	assert_int_equal(make_run(&a, &f), -1);
	assert_int_equal(f.kind, FAIL_USAGE);
	a.kernel = "/nowhere/at/all";
	assert_int_equal(make_run(&a, &f), -1);
	assert_int_equal(f.kind, FAIL_DEFINITION);
	a.kernel = "/proc/self/exe";
	a.cmdline = "a\nprivileged = yes";
	assert_int_equal(make_run(&a, &f), -1);
	a.cmdline = "a #b";
	assert_int_equal(make_run(&a, &f), -1);
	a.cmdline = NULL;
	a.name = "x]\n[hypervisor";
	assert_int_equal(make_run(&a, &f), -1);
	assert_int_equal(f.kind, FAIL_USAGE);
}

static char sentences[8][400];
static u32 count;

static void note(const char *sentence)
{
	snprintf(sentences[count++ % 8], sizeof(sentences[0]), "%s", sentence);
}

static void test_check(void **state)
{
	count = 0;
	assert_int_equal(definition_check("x.conf",
					  "[hypervisor]\nconsole = both\n"
					  "[guest a]\nkernel = no-such\n"
					  "memory = 64M\n",
					  "/tmp", note),
			 2);
	assert_non_null(strstr(sentences[0], "x.conf:2: console = both"));
	assert_non_null(strstr(sentences[1],
			       "x.conf:4: guest a: kernel = no-such: there is "
			       "no such file in /tmp"));
}

/* And in a file of several sections, or of that name, what a manifest may */
static void test_check_words(void **state)
{
	static const struct {
		const char *file, *text;
		bool manifest;
	} rows[] = {
		{ "x.conf", "[guest a]\nkernel = exe\nx = 1\n", false },
		{ "BULKHEAD.CONF", "[guest a]\nkernel = exe\nx = 1\n", true },
		{ "x.conf", "[hypervisor]\n[guest a]\nkernel = exe\nx = 1\n",
		  true },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		count = 0;
		assert_int_equal(definition_check(rows[i].file, rows[i].text,
						  "/proc/self", note),
				 1);
		assert_int_equal(!!strstr(sentences[0], "privileged"),
				 rows[i].manifest);
		assert_int_equal(!!strstr(sentences[0], "share"),
				 !rows[i].manifest);
	}
}

#define PRIVILEGED "[guest a]\nkernel = exe\nprivileged = yes\n"

#define DISK                                                                   \
	"[guest a]\nkernel = exe\nmemory = 2M\nshare = memory\ndisk = d.img"

/* What create refuses, check says, too. In a manifest it is right. */
static void test_check_as_create(void **state)
{
	static char long_text[DEFINITION_TEXT_MAX + 100];
	static const struct {
		const char *file, *text;
		bool wrong;
	} rows[] = {
		{ "x.conf", PRIVILEGED, true },
		{ "x.conf", PRIVILEGED "memory = rest\n", true },
		{ "x.conf", long_text, true },
		{ "x.conf", "[guest a]\nkernel = exe\nmemory = 2M\n", false },
		{ "x.conf", DISK ",cache=none,readonly # both\n", false },
		{ "x.conf", DISK ",cache=all\n", true },
		{ "x.conf", "[guest a]\nkernel = exe\nmemory = 2M\nvcpus = 200",
		  true },
		{ "Bulkhead.conf", PRIVILEGED, false },
		{ "x.conf", "[hypervisor]\nconsole = all\n" PRIVILEGED, false },
		{ "x.conf", PRIVILEGED "[guest b]\nkernel = exe\nmemory = 2M\n",
		  false },
	};
	struct definition d;

	strcpy(long_text, "[guest a]\nkernel = exe\nmemory = 2M\n");
	memset(long_text + strlen(long_text), '#',
	       sizeof(long_text) - strlen(long_text) - 1);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		count = 0;
		assert_int_equal(definition_check(rows[i].file, rows[i].text,
						  "/proc/self", note),
				 rows[i].wrong);
		if (!rows[i].wrong)
			continue;
		assert_int_equal(definition_read(&d, rows[i].file, rows[i].text,
						 "/proc/self", NULL, &f),
				 -1);
		assert_string_equal(sentences[0], f.text);
		definition_free(&d);
	}
}

static void test_definition(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "no guest is defined" },
		{ "[guest a]\nkernel = k\n", "memory" },
		{ "[guest a]\nkernel = k\nmemory = rest\n", "rest" },
		{ "[guest a]\nkernel = k\nmemory = 2M\nrestart = maybe\n",
		  "write never, on-crash or always" },
		{ "[guest log]\nkernel = k\nmemory = 2M\n", "not allowed" },
	};
	struct definition d;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			definition_read(&d, "f", rows[i].text, "/", NULL, &f),
			-1);
		assert_int_equal(f.kind, FAIL_DEFINITION);
		if (!strstr(f.text, rows[i].why))
			fail_msg("%s", f.text);
		definition_free(&d);
	}
	assert_int_equal(definition_read(&d, "f",
					 "[guest a]\nkernel = k\ninitrd = K\n"
					 "memory = 2M\nrestart = on-crash\n",
					 "/boot", NULL, &f),
			 0);
	assert_int_equal(d.config.restart, RESTART_ON_CRASH);
	/* Names differ by more than case */
	assert_int_equal(d.file_count, 1);
	assert_string_equal(d.files[0].path, "/boot/k");
	definition_free(&d);
}

/* Which files stay: they come last, the firmware behind all */
static void test_order(void **state)
{
	static const struct {
		const char *text, *names; /* a letter each */
		u32 stay;
		bool firmware;
	} rows[] = {
		{ "kernel=k\ninitrd=i\n", "ki", 0, false },
		{ "fw_cfg=opt/a a\nkernel=k\ninitrd=i\n", "kia", 1, false },
		{ "fw_cfg=opt/a K\nkernel=k\ninitrd=i\n", "ik", 1, false },
		{ "fw_cfg=opt/a \"text\"\nkernel=k\n", "k", 0, false },
		{ "firmware=f\nkernel=k\ninitrd=i\nfw_cfg=opt/a a\n", "kiaf", 4,
		  true },
		{ "boot=firmware\nkernel=k\nfw_cfg=opt/a a\n", "ak", 2, true },
		{ "firmware=f\nfw_cfg=opt/a f\n", "f", 1, true },
	};
	char text[200];

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct definition d;

		snprintf(text, sizeof(text), "[guest a]\nmemory=4M\n%s",
			 rows[i].text);
		assert_int_equal(definition_read(&d, "f", text, "/", NULL, &f),
				 0);
		assert_int_equal(d.file_count, strlen(rows[i].names));
		for (u32 j = 0; j < d.file_count; j++)
			assert_int_equal(d.files[j].name[0], rows[i].names[j]);
		assert_int_equal(d.stay_count, rows[i].stay);
		assert_int_equal(d.firmware, rows[i].firmware);
		definition_free(&d);
	}
}

static void test_long(void **state)
{
	char text[DEFINITION_TEXT_MAX + 100];
	struct definition d;

	memset(text, '#', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(definition_read(&d, "f", text, "/", NULL, &f), -1);
	assert_non_null(strstr(f.text, "longer than 3072"));
	assert_int_equal(definition_read(&d, "f",
					 "[guest a]\nkernel = k\nmemory = 2M\n",
					 "relative", NULL, &f),
			 -1);
	definition_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_run_bad),
		cmocka_unit_test(test_run_fw_cfg),
		cmocka_unit_test(test_run_fw_cfg_bad),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_as_create),
		cmocka_unit_test(test_check_words),
		cmocka_unit_test(test_definition),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_run_firmware),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
