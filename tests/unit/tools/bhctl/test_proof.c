/* SOURCES: tools/bhctl/proof.c tools/control/wire.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The proof of bhctl audit: it holds for what may be, and names both sides of
 * each overlap that is planted */
#include "tests/unit/test.h"
#include "tools/bhctl/proof.h"

/* linux has devices and firmware, box is static, web of the pool */
#define BOX_MEMORY                                                             \
	"{\"base\":1048576,\"bytes\":1048576,\"guest_base\":0,"                \
	"\"rights\":\"rwx\",\"type\":\"write-back\"}"
#define WEB_MEMORY                                                             \
	"{\"base\":4194304,\"bytes\":2097152,\"guest_base\":0,"                \
	"\"rights\":\"rwx\",\"type\":\"write-back\"}"
#define LINUX_MEMORY                                                           \
	"{\"base\":0,\"bytes\":524288},{\"base\":8388608,\"bytes\":8388608},"  \
	"{\"base\":3145728,\"bytes\":4096},"                                   \
	"{\"base\":2097152,\"bytes\":1048576},"                                \
	"{\"base\":2097152,\"bytes\":1048576}"
#define OWNERS                                                                 \
	"\"owners\":[{\"base\":0,\"bytes\":1048576,\"owner\":\"guest\","       \
	"\"guest\":\"linux\"},{\"base\":1048576,\"bytes\":1048576,"            \
	"\"owner\":\"guest\",\"guest\":\"box\"},"                              \
	"{\"base\":2097152,\"bytes\":1048576,\"owner\":\"hypervisor\","        \
	"\"guest\":\"\"},{\"base\":3145728,\"bytes\":1048576,"                 \
	"\"owner\":\"firmware\",\"guest\":\"\"},"                              \
	"{\"base\":4194304,\"bytes\":4194304,\"owner\":\"pool\","              \
	"\"guest\":\"\"},{\"base\":8388608,\"bytes\":1073741824,"              \
	"\"owner\":\"device\",\"guest\":\"\"},"                                \
	"{\"base\":1082130432,\"bytes\":4096,\"owner\":\"kept\","              \
	"\"guest\":\"\"}]"
#define POOL                                                                   \
	"\"pool\":[{\"base\":4194304,\"bytes\":2097152,\"owner\":\"guest\","   \
	"\"guest\":\"web\"},{\"base\":6291456,\"bytes\":2097152,"              \
	"\"owner\":\"free\",\"guest\":\"\"},{\"base\":2097152,"                \
	"\"bytes\":1048576,\"owner\":\"scratch\",\"guest\":\"\"}]"
#define PIN                                                                    \
	"{\"source\":\"pin 9\",\"kind\":\"pin\",\"vector\":48,\"core\":null,"  \
	"\"guest\":\"linux\"}"
#define FUNCTION                                                               \
	"{\"source\":\"0000:00:02.0\",\"access\":\"whole\",\"guest\":"         \
	"\"linux\"}"

static struct parts {
	const char *linux_memory, *box_memory, *web_memory;
	const char *linux_ports, *web_ports, *box_msrs, *interrupts, *functions;
	bool granted, changed;
} is;

static int setup(void **state)
{
	is = (struct parts){
		.linux_memory = LINUX_MEMORY,
		.box_memory = BOX_MEMORY,
		.web_memory = WEB_MEMORY,
		.linux_ports = "",
		.web_ports = "",
		.box_msrs = "",
		.interrupts = PIN,
		.functions = FUNCTION,
	};
	return 0;
}

static struct json_object *make(void)
{
	static char text[16384];
	struct json_object *o;

	snprintf(text, sizeof(text),
		 "{\"consistent\":%s,\"tries\":8,\"guests\":["
		 "{\"name\":\"linux\",\"privileged\":true,\"granted\":false,"
		 "\"memory\":[%s],\"ports\":[{\"first\":0,\"count\":1000,"
		 "\"policy\":true}%s],"
		 "\"msrs\":[]},{\"name\":\"box\",\"privileged\":false,"
		 "\"granted\":false,\"memory\":[%s],\"ports\":[],"
		 "\"msrs\":[{\"first\":3221225600,\"count\":1,"
		 "\"policy\":true}%s]},{\"name\":\"web\",\"privileged\":false,"
		 "\"granted\":%s,\"memory\":[%s],\"ports\":[%s],"
		 "\"msrs\":[]}]," OWNERS "," POOL
		 ",\"interrupts\":[%s],\"functions\":[%s]}",
		 is.changed ? "false" : "true", is.linux_memory, is.linux_ports,
		 is.box_memory, is.box_msrs, is.granted ? "true" : "false",
		 is.web_memory, is.web_ports, is.interrupts, is.functions);
	o = wire_parse(text, strlen(text));
	assert_non_null(o);
	return o;
}

static struct json_object *judge(struct json_object *audit, size_t count)
{
	struct json_object *proof = proof_make(audit), *violations;

	assert_true(
		json_object_object_get_ex(proof, "violations", &violations));
	if (json_object_array_length(violations) != count)
		fail_msg("%s", json_object_to_json_string(violations));
	assert_int_equal(wire_bool(proof, "holds"), !count);
	return proof;
}

static void expect_holds(void)
{
	struct json_object *audit = make();

	json_object_put(judge(audit, 0));
	json_object_put(audit);
}

/* So many violations, the first of which has the words */
static void expect_words(size_t count, const char *const *words)
{
	struct json_object *audit = make();
	struct json_object *proof = judge(audit, count), *violations;
	const char *text;

	json_object_object_get_ex(proof, "violations", &violations);
	text = json_object_get_string(json_object_array_get_idx(violations, 0));
	for (; *words; words++)
		if (!strstr(text, *words))
			fail_msg("%s has no %s", text, *words);
	json_object_put(proof);
	json_object_put(audit);
}
#define EXPECT(count, ...)                                                     \
	expect_words(count, (const char *const[]){ __VA_ARGS__, NULL })

static void test_holds(void **state)
{
	expect_holds();
	is.linux_memory = "";
	expect_holds();
}

static void test_two_tables(void **state)
{
	/* Half of box's memory is in web's table, too */
	is.web_memory = WEB_MEMORY ",{\"base\":1572864,\"bytes\":1048576}";
	EXPECT(4, "0x180000 to 0x1fffff", "guests box and web both map it");
	/* The last of several, and not of the neighbour in the list */
	setup(state);
	is.box_memory = BOX_MEMORY ",{\"base\":12582912,\"bytes\":4096}";
	EXPECT(2, "0xc00000 to 0xc00fff", "guests linux and box");
}

static void test_foreign(void **state)
{
	is.box_memory = "{\"base\":1048576,\"bytes\":2097152}";
	EXPECT(2, "0x200000 to 0x2fffff", "guest box maps it", "scratch");
	setup(state);
	/* What is not granted, and what is free */
	is.linux_memory = "{\"base\":6291456,\"bytes\":2097152}";
	EXPECT(1, "0x600000 to 0x7fffff", "guest linux", "free");
	is.linux_memory = "{\"base\":1048576,\"bytes\":4096}";
	is.box_memory = "";
	EXPECT(1, "guest linux maps it", "its owner is box");
	is.linux_memory = "{\"base\":1082130432,\"bytes\":4096}";
	EXPECT(1, "guest linux", "kept");
	is.linux_memory = "{\"base\":1082134528,\"bytes\":4096}";
	EXPECT(1, "nobody's");
	is.linux_memory = "";
	is.box_memory = "{\"base\":8388608,\"bytes\":4096}";
	EXPECT(1, "guest box", "device");
}

/* The hypervisor's own memory is no guest's, privileged or not */
static void test_hypervisor(void **state)
{
	struct json_object *audit, *pool;

	is.linux_memory = "{\"base\":2097152,\"bytes\":4096}";
	audit = make();
	json_object_object_get_ex(audit, "pool", &pool);
	json_object_array_del_idx(pool, 2, 1);
	json_object_put(judge(audit, 1));
	json_object_put(audit);
}

static void test_grants(void **state)
{
	is.linux_memory = WEB_MEMORY;
	EXPECT(2, "guest linux maps it", "its owner is web");
	is.granted = true;
	expect_holds();
	/* Only what is that guest's */
	is.linux_memory = "{\"base\":4194304,\"bytes\":4194304}";
	EXPECT(1, "0x600000 to 0x7fffff", "free");
	/* A grant is for the privileged guest */
	is.linux_memory = "";
	is.box_memory = WEB_MEMORY;
	EXPECT(2, "box", "web");
}

static void test_rest(void **state)
{
	is.web_ports = "{\"first\":999,\"count\":5,\"policy\":true}";
	EXPECT(1, "ports 0x3e7 to 0x3e7", "linux", "web");
	is.web_ports = "{\"first\":1000,\"count\":5,\"policy\":true}";
	expect_holds();
	is.web_ports = "{\"first\":1000,\"count\":5,\"policy\":false}";
	EXPECT(1, "ports 0x3e8 to 0x3ec", "guest web", "keeps");
	is.web_ports = "";
	is.linux_ports = ",{\"first\":3320,\"count\":8,\"policy\":false}";
	EXPECT(1, "ports 0xcf8 to 0xcff", "guest linux", "keeps");
	is.linux_ports = "";
	is.box_msrs = ",{\"first\":27,\"count\":1,\"policy\":false}";
	EXPECT(1, "MSR 0x1b", "guest box");
	setup(state);
	is.functions = FUNCTION ",{\"source\":\"0000:00:02.0\","
				"\"access\":\"kept\",\"guest\":\"web\"}";
	EXPECT(1, "function 0000:00:02.0", "linux", "web");
	/* One that is hidden, and yet the guest's */
	is.functions = FUNCTION ",{\"source\":\"0000:00:02.0\","
				"\"access\":\"hidden\",\"guest\":\"\"}";
	EXPECT(1, "function 0000:00:02.0", "linux", "the hypervisor");
	is.functions = FUNCTION ",{\"source\":\"0000:00:00.2\","
				"\"access\":\"hidden\",\"guest\":\"\"}";
	expect_holds();
	setup(state);
	is.interrupts = PIN ",{\"source\":\"pin 9\",\"kind\":\"pin\","
			    "\"vector\":49,\"core\":null,\"guest\":\"box\"}";
	EXPECT(1, "interrupt pin 9", "linux", "box");
	is.interrupts = PIN ",{\"source\":\"\",\"kind\":\"own\",\"vector\":48,"
			    "\"core\":1,\"guest\":\"\"}";
	EXPECT(1, "vector 0x30", "linux", "the hypervisor");
	/* Two cores have two things of a number */
	is.interrupts = "{\"source\":\"a\",\"kind\":\"message\",\"vector\":99,"
			"\"core\":1,\"guest\":\"linux\"},"
			"{\"source\":\"\",\"kind\":\"own\",\"vector\":99,"
			"\"core\":2,\"guest\":\"\"}";
	expect_holds();
	is.changed = true;
	EXPECT(1, "guests changed", "8 tries");
}

/* A proof of many violations names some */
static void test_many(void **state)
{
	char many[8192] = "{\"base\":2097152,\"bytes\":4096}";

	for (u32 i = 1; i < 200; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 ",{\"base\":%u,\"bytes\":4096}", 2097152 + i * 4096);
	is.box_memory = many;
	is.linux_memory = "";
	EXPECT(101, "guest box", "scratch");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_holds, setup),
		cmocka_unit_test_setup(test_two_tables, setup),
		cmocka_unit_test_setup(test_foreign, setup),
		cmocka_unit_test_setup(test_hypervisor, setup),
		cmocka_unit_test_setup(test_grants, setup),
		cmocka_unit_test_setup(test_rest, setup),
		cmocka_unit_test_setup(test_many, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
