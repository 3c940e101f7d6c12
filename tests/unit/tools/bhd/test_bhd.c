/* SOURCES: tools/bhd/bhd.c tools/bhd/client.c tools/bhd/console.c tools/bhd/index.c tools/bhd/events.c tools/bhd/history.c tools/bhd/request.c tools/bhd/look.c tools/bhd/inspect.c tools/bhd/last_exits.c lib/last_exit_text.c tools/bhd/debug.c tools/bhd/act.c tools/bhd/life.c tools/bhd/launch.c tools/bhd/store.c tools/bhd/devices.c tools/bhd/device_unit.c tools/bhd/device_queues.c tools/control/device_spec.c tools/bhd/backend.c tools/bhd/image.c tools/bhd/socket.c tools/bhd/vhost_user.c tools/bhd/loader.c tools/bhd/metrics.c tools/control/definition.c tools/control/place.c tools/control/files.c hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c tools/control/ring.c tools/control/guests.c tools/control/inspect.c tools/control/fail.c tools/control/wire.c lib/replay.c lib/string.c tools/bhd/stats.c tools/bhd/trace.c tools/control/meter.c tools/bhd/look_audit.c tools/control/audit.c tools/bhctl/proof.c tools/bhctl/last_exits.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* bhd with a device in this process: what a client asks over its socket and
 * what it gets, and that docs/bhctl.schema.json is true. Over 400 lines: one
 * daemon that all of it talks to. */
#include "tests/unit/fakes/bhd.h"
/* clang-format off */
#include <unistd.h>
/* clang-format on */
#include "tools/bhctl/last_exits.h"
#include "tools/bhctl/proof.h"
#include "tools/bhd/events.h"
#include "tools/bhd/metrics.h"
#include "tools/bhd/trace.h"

/* --- what bhctl --json prints is what the schema says --- */

static struct json_object *schema;

static const char *type_of(struct json_object *o)
{
	if (json_object_is_type(o, json_type_double))
		return "number";
	if (json_object_is_type(o, json_type_int))
		return "integer";
	return o ? json_type_to_name(json_object_get_type(o)) : "null";
}

static bool type_fits(struct json_object *rule, const char *type)
{
	struct json_object *types;

	if (!json_object_object_get_ex(rule, "type", &types))
		return true;
	if (json_object_is_type(types, json_type_string))
		return !strcmp(json_object_get_string(types), type);
	for (size_t i = 0; i < json_object_array_length(types); i++)
		if (!strcmp(json_object_get_string(
				    json_object_array_get_idx(types, i)),
			    type))
			return true;
	return false;
}

/* The parts of JSON Schema that ours has. All members are required, and there
 * are no others. */
static void hold(struct json_object *rule, struct json_object *o)
{
	struct json_object *part, *ref, *member;

	if (json_object_object_get_ex(rule, "$ref", &ref)) {
		json_object_object_get_ex(schema, "$defs", &part);
		assert_true(json_object_object_get_ex(
			part, json_object_get_string(ref) + strlen("#/$defs/"),
			&rule));
	}
	if (!type_fits(rule, type_of(o)))
		fail_msg("%s is no %s", json_object_to_json_string(o),
			 json_object_to_json_string(rule));
	if (json_object_object_get_ex(rule, "enum", &part)) {
		bool found = false;

		for (size_t i = 0; i < json_object_array_length(part); i++)
			found |= json_object_equal(
				json_object_array_get_idx(part, i), o);
		assert_true(found);
	}
	if (json_object_object_get_ex(rule, "items", &part))
		for (size_t i = 0; i < json_object_array_length(o); i++)
			hold(part, json_object_array_get_idx(o, i));
	if (json_object_object_get_ex(rule, "additionalProperties", &part) &&
	    json_object_is_type(part, json_type_object)) {
		json_object_object_foreach(o, name, value) hold(part, value),
			(void)name;
		return;
	}
	if (!json_object_object_get_ex(rule, "properties", &part))
		return;
	json_object_object_foreach(part, name, inner)
	{
		if (!json_object_object_get_ex(o, name, &member))
			fail_msg("%s has no %s", json_object_to_json_string(o),
				 name);
		hold(inner, member);
	}
	assert_int_equal(json_object_object_length(o),
			 json_object_object_length(part));
}

static void test_schema(void **state)
{
	static const char *const commands[] = { "list",     "info",  "top",
						"metering", "stats", "events" };
	struct json_object *defs, *rule, *o, *reply;
	int fd = connect_new();
	char request[64];

	fake->metering = BH_CTL_METERING_HISTOGRAMS;
	schema = json_object_from_file("docs/bhctl.schema.json");
	assert_non_null(schema);
	fake_add(fake, "web", BH_CTL_RUNNING, 0)->about.node = 0;
	fake_add(fake, "static", BH_CTL_CRASHED, BH_CTL_GUEST_STATIC);
	assert_true(json_object_object_get_ex(schema, "$defs", &defs));
	for (u32 i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(request, sizeof(request),
			 "{\"protocol\":1,\"do\":\"%s\",\"name\":\"web\"}\n",
			 commands[i]);
		o = ask(fd, request);
		assert_true(json_object_object_get_ex(o, "reply", &reply));
		assert_true(
			json_object_object_get_ex(defs, commands[i], &rule));
		hold(rule, reply);
		json_object_put(o);
	}
	json_object_put(schema);
	close(fd);
}

/* What follows the reply's line, which has @bytes of it */
static const char *behind(int fd, const char *request, u64 bytes)
{
	struct json_object *o, *reply;
	const char *text, *end;

	say(fd, request);
	text = heard(fd);
	end = strchr(text, '\n');
	assert_non_null(end);
	o = wire_parse(text, (size_t)(end - text));
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_int_equal(wire_number(reply, "bytes", 0), bytes);
	json_object_put(o);
	return end + 1;
}

static void test_inspect(void **state)
{
	int fd = connect_new();
	struct fake_guest *g = fake_add(fake, "web", BH_CTL_RUNNING, 0);
	struct bh_ctl_registers r;
	char request[128];

	expect_error(fd, DO_TO("inspect", "web"), FAIL_STATE, "stand");
	g->about.state = BH_CTL_CRASHED;
	g->registers.rip = 0x1234;
	memcpy(&r, behind(fd, DO_TO("inspect", "web"), sizeof(r)), sizeof(r));
	assert_int_equal(r.rip, 0x1234);
	memcpy(g->ram + FAKE_RAM_BYTES - 4, "tail", 4);
	snprintf(request, sizeof(request),
		 "{\"protocol\":1,\"do\":\"memory\",\"id\":%llu,"
		 "\"address\":%u,\"bytes\":99999}\n",
		 g->about.id, FAKE_RAM_BYTES - 4);
	assert_memory_equal(behind(fd, request, 4), "tail", 4);
	snprintf(request, sizeof(request),
		 "{\"protocol\":1,\"do\":\"memory\",\"id\":%llu,"
		 "\"address\":%u,\"bytes\":9}\n",
		 g->about.id, FAKE_RAM_BYTES);
	expect_error(fd, request, FAIL_OTHER, "mapped");
	expect_error(fd, DO_TO("inspect", "nobody"), FAIL_NO_GUEST, "nobody");
	close(fd);
}

/* What bhctl info and dump show of a guest that stands */
static void test_last_exits(void **state)
{
	int fd = connect_new();
	struct fake_guest *g = fake_add(fake, "web", BH_CTL_RUNNING, 0);
	struct json_object *o, *reply, *list, *defs, *rule;
	char *text = NULL;
	size_t bytes;
	FILE *to;

	expect_error(fd, DO_TO("last_exits", "web"), FAIL_STATE, "stand");
	g->about.state = BH_CTL_CRASHED;
	o = ask(fd, DO_TO("last_exits", "web"));
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "last_exits", &list));
	schema = json_object_from_file("docs/bhctl.schema.json");
	assert_non_null(schema);
	assert_true(json_object_object_get_ex(schema, "$defs", &defs));
	assert_true(json_object_object_get_ex(defs, "vcpu_last_exits", &rule));
	assert_int_equal(json_object_array_length(list), g->about.vcpus);
	hold(rule, json_object_array_get_idx(list, 0));
	json_object_put(schema);
	to = open_memstream(&text, &bytes);
	last_exits_show(to, reply);
	fclose(to);
	assert_non_null(strstr(text, "vCPU 0: last exit "));
	assert_non_null(strstr(text,
			       "\n  its last exits of the rarer sorts, newest "
			       "last, behind the log's time:\n"
			       "  [1.500000] "));
	assert_non_null(strstr(text, " at 0xffffffff81000000, writes 0x6 to "
				     "port 0xcf9, 1 byte, 2 times\n"));
	free(text);
	json_object_put(o);
	expect_error(fd, DO_TO("last_exits", "nobody"), FAIL_NO_GUEST,
		     "nobody");
	close(fd);
}

#define DEBUG(what, more)                                                      \
	"{\"protocol\":1,\"do\":\"debug\",\"what\":\"" what                    \
	"\",\"name\":\"web\"" more "}\n"

static void test_debug(void **state)
{
	int fd = connect_new();
	struct fake_guest *g = fake_add(fake, "web", BH_CTL_RUNNING, 0);

	expect_error(fd, DEBUG("go", ""), FAIL_STATE, "no guest");
	expect_done(fd, DEBUG("attach", ""));
	assert_true(g->debugged);
	expect_error(fd, DEBUG("attach", ""), FAIL_STATE, "one guest");
	fake_stands(fake, "web");
	assert_string_equal(heard(fd), "{\"event\":{\"debug\":\"stands\"}}\n");
	expect_done(fd, DEBUG("go", ",\"stepper\":1,\"others\":true,"
				    "\"breakpoints\":[[4096,0,1],[1,2],7]"));
	assert_int_equal(g->stepper, 1);
	assert_int_equal(g->break_count, 1);
	assert_int_equal(g->last_break.address, 4096);
	expect_done(fd, DEBUG("stop", ""));
	expect_error(fd, DEBUG("fly", ""), FAIL_USAGE, "cannot");
	/* It ends while it goes */
	fake_state(fake, "web", BH_CTL_CRASHED, "");
	turn();
	assert_non_null(strstr(heard(fd), "\"gone\""));
	expect_error(fd, DEBUG("go", ""), FAIL_STATE, "no guest");
	g->about.state = BH_CTL_RUNNING;
	g->debugged = false;
	expect_done(fd, DEBUG("attach", ""));
	/* Its debugger hangs up */
	close(fd);
	turn();
	assert_false(g->debugged);
}

static void test_debug_changes(void **state)
{
	int fd = connect_new();
	struct fake_guest *g = fake_add(fake, "web", BH_CTL_RUNNING, 0);
	static char request[4096];
	u32 at;

	expect_done(fd, DEBUG("attach", ""));
	fake_stands(fake, "web");
	(void)heard(fd);
	at = (u32)sprintf(request, "{\"protocol\":1,\"do\":\"registers\","
				   "\"vcpu\":0,\"hex\":\"");
	for (u32 i = 0; i < sizeof(g->registers); i++)
		at += (u32)sprintf(request + at, "%02x", i == 1 ? 0x12 : 0);
	sprintf(request + at, "\"}\n");
	expect_done(fd, request);
	assert_int_equal(g->registers.gpr[0], 0x1200);
	expect_error(fd,
		     "{\"protocol\":1,\"do\":\"registers\",\"hex\":\"00\"}\n",
		     FAIL_USAGE, "no registers");
	expect_done(fd, "{\"protocol\":1,\"do\":\"poke\",\"address\":16,"
			"\"hex\":\"abCD\"}\n");
	assert_int_equal(g->ram[17], 0xcd);
	expect_error(fd,
		     "{\"protocol\":1,\"do\":\"poke\",\"address\":16,"
		     "\"hex\":\"ag\"}\n",
		     FAIL_USAGE, "nothing");
	snprintf(request, sizeof(request),
		 "{\"protocol\":1,\"do\":\"translate\",\"id\":%llu,"
		 "\"address\":%llu}\n",
		 g->about.id, MIB(1) + 5);
	say(fd, request);
	assert_string_equal(heard(fd), "{\"reply\":{\"address\":5}}\n");
	close(fd);
	turn();
}

/* bhd's lists, with the proof that bhctl makes of them */
static void test_audit(void **state)
{
	/* No change; some, so that all is read anew; no end of them */
	static const struct {
		u32 changing, tries;
		bool consistent;
	} rows[] = { { 0, 1, true }, { 3, 2, true }, { 100000, 8, false } };
	struct json_object *defs, *rule, *o, *reply, *proof;
	int fd = connect_new();

	schema = json_object_from_file("docs/bhctl.schema.json");
	assert_true(json_object_object_get_ex(schema, "$defs", &defs));
	assert_true(json_object_object_get_ex(defs, "audit", &rule));
	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		fake->changing = rows[i].changing;
		o = ask(fd, DO("audit"));
		assert_true(json_object_object_get_ex(o, "reply", &reply));
		assert_int_equal(wire_bool(reply, "consistent"),
				 rows[i].consistent);
		assert_int_equal(wire_number(reply, "tries", 0), rows[i].tries);
		proof = proof_make(reply);
		assert_int_equal(wire_bool(proof, "holds"), rows[i].consistent);
		wire_add(reply, "proof", proof);
		hold(rule, reply);
		json_object_put(o);
	}
	json_object_put(schema);
	close(fd);
}

static void test_set(void **state)
{
	int fd = connect_new();

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	expect_done(fd, "{\"protocol\":1,\"do\":\"set\",\"name\":\"web\","
			"\"settings\":\"weight=512\\ncap=50%\\n\"}\n");
	assert_int_equal(fake_find(fake, "web")->about.weight, 512);
	assert_int_equal(fake_find(fake, "web")->about.cap, 50);
	expect_error(fd,
		     "{\"protocol\":1,\"do\":\"set\",\"name\":\"web\","
		     "\"settings\":\"colour=red\"}\n",
		     FAIL_DEFINITION, "no such key");
	expect_error(fd, DO_TO("set", "nobody"), FAIL_NO_GUEST, "nobody");
	expect_error(fd, DO_TO("set", "web"), FAIL_DEFINITION, "no such key");
	close(fd);
}

static void test_list(void **state)
{
	int fd = connect_new();
	struct json_object *o, *reply, *guests, *g;

	fake_add(fake, "web", BH_CTL_PAUSED, 0);
	o = ask(fd, DO("list"));
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "guests", &guests));
	assert_int_equal(json_object_array_length(guests), 2);
	g = json_object_array_get_idx(guests, 1);
	assert_string_equal(wire_string(g, "name"), "web");
	assert_string_equal(wire_string(g, "state"), "paused");
	assert_string_equal(wire_string(g, "kind"), "dynamic");
	json_object_object_get_ex(g, "cpu_seconds", &reply);
	assert_string_equal(json_object_to_json_string(reply), "2.500000");
	json_object_put(o);
	close(fd);
}

static void test_bad_requests(void **state)
{
	static const struct {
		const char *request;
		enum fail_kind kind;
		const char *text;
	} rows[] = {
		{ "{\"do\":\"list\"}\n", FAIL_NO_BULKHEAD, "protocol 0" },
		{ "{\"protocol\":2,\"do\":\"list\"}\n", FAIL_NO_BULKHEAD,
		  "speaks protocol 2 and bhd 1" },
		{ "{\"protocol\":1}\n", FAIL_NO_BULKHEAD, "older than" },
		{ DO("fly"), FAIL_NO_BULKHEAD, "older than" },
		{ DO_TO("stop", "nobody"), FAIL_NO_GUEST, "guest nobody" },
		{ DO("destroy"), FAIL_NO_GUEST, "guest" },
		{ DO_TO("console", "nobody"), FAIL_NO_GUEST, "nobody" },
		{ DO_TO("destroy", "linux"), FAIL_STATE, "the manifest" },
		{ DO_TO("resume", "linux"), FAIL_STATE,
		  "guest linux is running; only one that is paused can be "
		  "resumed" },
	};
	static const char *const garbage[] = { "list\n", "[1]\n",   "{\n",
					       "\n",     "{} {}\n", "\xff\n" };

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		int fd = connect_new();

		expect_error(fd, rows[i].request, rows[i].kind, rows[i].text);
		/* The line still works */
		expect_done(fd, DO("list"));
		close(fd);
	}
	for (u32 i = 0; i < ARRAY_SIZE(garbage); i++) {
		int fd = connect_new();

		expect_error(fd, garbage[i], FAIL_USAGE, "one JSON object");
		assert_int_equal(read(fd, &(char){ 0 }, 1), 0);
		close(fd);
	}
	turn();
	assert_null(bhd.clients);
}

/* A line without an end, and many requests at once */
static void test_long_lines(void **state)
{
	static char much[WIRE_REQUEST_MAX];
	int fd = connect_new();
	u32 replies = 0;

	for (u32 i = 0; i < 20; i++)
		assert_int_equal(write(fd, DO("info"), strlen(DO("info"))),
				 strlen(DO("info")));
	for (const char *s = heard(fd); *s; s++)
		replies += *s == '\n';
	assert_int_equal(replies, 20);
	close(fd);
	fd = connect_new();
	memset(much, 'x', sizeof(much));
	for (size_t at = 0; at < sizeof(much);) {
		ssize_t n = write(fd, much + at, sizeof(much) - at);

		at += n > 0 ? (size_t)n : 0;
		turn();
	}
	heard(fd);
	assert_null(bhd.clients);
	close(fd);
}

static void test_pause(void **state)
{
	int fd = connect_new();

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	fake->hold = true;
	say(fd, DO_TO("pause", "web"));
	assert_string_equal(heard(fd), "");
	/* Others are served while it waits */
	{
		int other = connect_new();

		expect_done(other, DO("list"));
		close(other);
	}
	fake_release(fake);
	assert_string_equal(heard(fd), "{\"reply\":{}}\n");
	assert_int_equal(fake_find(fake, "web")->about.state, BH_CTL_PAUSED);
	expect_done(fd, DO_TO("resume", "web"));
	/* It hangs up before the answer */
	say(fd, DO_TO("pause", "web"));
	close(fd);
	turn();
	fake_release(fake);
	turn();
	assert_null(bhd.clients);
}

/* The sentence names the state; what the device refuses in the right one is for
 * the device to say */
static void test_pause_refused(void **state)
{
	int fd = connect_new();

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	expect_done(fd, DO_TO("pause", "web"));
	expect_error(fd, DO_TO("pause", "web"), FAIL_STATE,
		     "guest web is paused; only one that is running can be "
		     "paused");
	expect_done(fd, DO_TO("resume", "web"));
	expect_error(fd, DO_TO("resume", "web"), FAIL_STATE,
		     "guest web is running; only one that is paused can be "
		     "resumed");
	fake->hold = true;
	say(fd, DO_TO("pause", "web"));
	fake_state(fake, "web", BH_CTL_CRASHED, "");
	fake_release(fake);
	assert_non_null(strstr(heard(fd), "guest web is crashed; only one"));
	fake_state(fake, "web", BH_CTL_PAUSED, "");
	fake_find(fake, "web")->debugged = true;
	expect_error(fd, DO_TO("resume", "web"), FAIL_STATE, "not now");
	close(fd);
}

static void test_stop(void **state)
{
	int fd = connect_new();

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	say(fd, "{\"protocol\":1,\"do\":\"stop\",\"name\":\"web\","
		"\"timeout_seconds\":1}\n");
	assert_string_equal(heard(fd), "");
	assert_int_equal(fake_find(fake, "web")->about.state, BH_CTL_RUNNING);
	wait_seconds(fd, 1.6);
	assert_string_equal(heard(fd), "{\"reply\":{}}\n");
	assert_int_equal(fake_find(fake, "web")->about.state, BH_CTL_STOPPED);
	/* One that listens to its button */
	fake_state(fake, "web", BH_CTL_RUNNING, "");
	say(fd, DO_TO("stop", "web"));
	fake_state(fake, "web", BH_CTL_STOPPED, "power off");
	wait_seconds(fd, 0.6);
	assert_string_equal(heard(fd), "{\"reply\":{}}\n");
	assert_string_equal(fake_find(fake, "web")->about.reason, "power off");
	close(fd);
}

/* --- consoles --- */

#define CONSOLE(name)                                                          \
	"{\"protocol\":1,\"do\":\"console\",\"name\":\"" name                  \
	"\",\"follow\":true,\"type\":true}\n"

/* However many guests there are, a change of one asks for that one */
static void test_one_look(void **state)
{
	int fd = connect_new();
	char name[8];
	u32 before;

	for (u32 i = 0; i < FAKE_GUESTS - 2; i++) {
		snprintf(name, sizeof(name), "g%u", i);
		fake_add(fake, name, BH_CTL_RUNNING, 0);
	}
	bhd.lost = true;
	turn();
	before = fake->submits;
	fake_state(fake, "g1", BH_CTL_PAUSED, "");
	fake_state(fake, "g1", BH_CTL_CRASHED, "why");
	turn();
	/* And what it has said at last */
	assert_int_equal(fake->submits - before, 2);
	say(fd, DO("events"));
	assert_non_null(strstr(heard(fd), "\"name\":\"g1\",\"state\":"
					  "\"crashed\",\"reason\":\"why\""));
	expect_error(fd, DO_TO("stats", "nobody"), FAIL_NO_GUEST, "nobody");
	expect_done(fd, DO_TO("pause", "g2"));
	fake_state(fake, "g1", BH_CTL_GONE, "");
	turn();
	say(fd, DO("events"));
	assert_non_null(
		strstr(heard(fd), "\"name\":\"g1\",\"state\":\"gone\""));
	assert_int_equal(bhd.noted_count, 0);
	close(fd);
}

/* The event that told of it is lost: consoles are read all the same */
static void test_lost_event(void **state)
{
	static const struct bh_ctl_event lost = { .type = BH_CTL_EVENT_LOST };
	int fd = connect_new();

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	bhd.lost = true;
	turn();
	say(fd, CONSOLE("web"));
	heard(fd);
	fake_find(fake, "web")->armed = false;
	fake_say(fake, "web", "up\n");
	bhd.ring.event(bhd.ring.context, &lost);
	assert_string_equal(heard(fd), "up\n");
	close(fd);
}

/* The event may stand right behind the answer that asks for it */
static void test_says_while_read(void **state)
{
	int fd = connect_new();

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	bhd.lost = true;
	turn();
	say(fd, CONSOLE("web"));
	heard(fd);
	fake_find(fake, "web")->next_words = " and on\n";
	fake_say(fake, "web", "it goes on");
	assert_string_equal(heard(fd), "it goes on and on\n");
	close(fd);
}

static void test_console(void **state)
{
	int first = connect_new(), second = connect_new();
	const char *text;

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	fake_say(fake, "web", "boots\r\n\x1b[6nlogin: ");
	bhd.lost = true;
	turn();
	say(first, CONSOLE("web"));
	text = heard(first);
	assert_non_null(strstr(text, "\"read_only\":false"));
	/* History asks the terminal nothing */
	assert_string_equal(after_line(text), "boots\r\nlogin: ");
	say(first, "root\r");
	assert_string_equal(fake_find(fake, "web")->typed, "root\r");
	fake_say(fake, "web", "root\r\n\x1b[6n# ");
	assert_string_equal(heard(first), "root\r\n\x1b[6n# ");
	say(second, CONSOLE("web"));
	text = heard(second);
	assert_non_null(strstr(text, "\"read_only\":true,\"busy\":true"));
	say(second, "rm -rf /\r");
	assert_string_equal(fake_find(fake, "web")->typed, "root\r");
	/* When it ends, both are told and hung up */
	fake_state(fake, "web", BH_CTL_CRASHED, "triple fault");
	text = heard(second);
	assert_non_null(strstr(text, "--- web is crashed: triple fault ---"));
	assert_non_null(strstr(heard(first), "triple fault"));
	assert_null(bhd.clients);
	close(first);
	close(second);
}

/* What is said soon after a read waits; a guest that goes is read before */
static void test_rests(void **state)
{
	int fd = connect_new(), second = connect_new();

	bhd.rest_s = 3600;
	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	bhd.lost = true;
	turn();
	say(fd, CONSOLE("web"));
	heard(fd);
	fake_say(fake, "web", "at once? no");
	assert_string_equal(heard(fd), "");
	say(second, DO_TO("destroy", "web"));
	assert_int_equal(strncmp(heard(fd), "at once? no", 11), 0);
	close(second);
	close(fd);
}

static void test_typing_waits(void **state)
{
	int fd = connect_new();
	struct fake_guest *web = fake_add(fake, "web", BH_CTL_RUNNING, 0);

	bhd.lost = true;
	turn();
	web->type_room = 3;
	say(fd, CONSOLE("web"));
	say(fd, "abcdef");
	assert_string_equal(web->typed, "abc");
	web->type_room = 100;
	wait_seconds(fd, 0.1);
	assert_string_equal(web->typed, "abcdef");
	close(fd);
}

/* bhd ends and another begins: the console goes on where it was,
 * although the device has lost its beginning; the disk has it */
static void test_history(void **state)
{
	int fd;
	struct fake_guest *web = fake_add(fake, "web", BH_CTL_RUNNING, 0);
	static char lines[40001];

	for (u32 i = 0; i < 4000; i++)
		snprintf(lines + i * 10, 11, "line%05u\n", i);
	bhd.lost = true;
	fake_say(fake, "web", lines);
	turn();
	bhd_again_stop();
	web = fake_find(fake, "web");
	web->lost = 39000;
	fake_say(fake, "web", "more\n");
	bhd_again_start();
	turn();
	fd = connect_new();
	say(fd, "{\"protocol\":1,\"do\":\"console\",\"name\":\"web\"}\n");
	{
		const char *text = after_line(heard(fd));

		assert_memory_equal(text, lines, strlen(lines));
		assert_string_equal(text + strlen(lines), "more\n");
	}
	close(fd);
	/* Without the disk, what the device has */
	bhd_again_stop();
	{
		char command[256];

		snprintf(command, sizeof(command), "rm -rf %s; touch %s",
			 bhd_folder, bhd_folder);
		assert_int_equal(system(command), 0);
	}
	bhd_again_start();
	turn();
	fd = connect_new();
	say(fd, "{\"protocol\":1,\"do\":\"console\",\"name\":\"web\"}\n");
	assert_memory_equal(after_line(heard(fd)), lines + 39000, 1000);
	close(fd);
}

/* A device that closes itself is opened anew */
static void test_reopened(void **state)
{
	int fd = connect_new();
	u32 opens = fake->opens;

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	bhd.lost = true;
	turn();
	say(fd, CONSOLE("web"));
	heard(fd);
	fake->status = BH_CTL_BAD_ADDRESS;
	fake_find(fake, "web")->armed = false;
	fake_say(fake, "web", "nobody listens\n");
	ev_invoke(bhd.loop, &bhd.check, EV_TIMER);
	assert_int_equal(fake->opens, opens + 1);
	assert_string_equal(heard(fd), "nobody listens\n");
	close(fd);
	fd = connect_new();
	expect_done(fd, DO("list"));
	close(fd);
}

static void test_look_only(void **state)
{
	int fd = connect_new();

	bhd.look_only = true;
	expect_done(fd, DO("list"));
	expect_error(fd, DO_TO("destroy", "linux"), FAIL_NO_BULKHEAD,
		     "start bhd");
	say(fd, CONSOLE("linux"));
	assert_non_null(strstr(heard(fd), "\"own\":true,\"read_only\":true"));
	close(fd);
}

/* The newest are kept; who follows gets a line each */
static void test_events_follow(void **state)
{
	int fd = connect_new();
	struct json_object *o, *reply, *events;

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	fake_state(fake, "web", BH_CTL_CRASHED, "triple fault");
	turn();
	o = ask(fd, "{\"protocol\":1,\"do\":\"events\",\"follow\":true}\n");
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "events", &events));
	assert_int_equal(json_object_array_length(events), 2);
	assert_string_equal(
		wire_string(json_object_array_get_idx(events, 1), "reason"),
		"triple fault");
	json_object_put(o);
	fake_state(fake, "web", BH_CTL_GONE, "");
	assert_non_null(
		strstr(heard(fd), "\"name\":\"web\",\"state\":\"gone\""));
	for (u32 i = 0; i < 2 * EVENTS_KEPT; i++)
		events_note(&bhd, i, "many", BH_CTL_RUNNING, "");
	heard(fd);
	o = ask(fd, DO("events"));
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "events", &events));
	assert_int_equal(json_object_array_length(events), EVENTS_KEPT);
	assert_int_equal(
		wire_number(json_object_array_get_idx(events, 0), "id", 0),
		EVENTS_KEPT);
	json_object_put(o);
	close(fd);
}

/* A bhd of a privileged guest that was started again tells of that first, with
 * the time of it */
static void test_events_of_a_restart(void **state)
{
	struct bh_ctl_guest *own = &fake->guests[1].about;
	struct json_object *o, *reply, *events, *first;
	char before[64];
	int fd;

	bhd_again_stop();
	fake_add(fake, "box", BH_CTL_RUNNING, BH_CTL_GUEST_STATIC);
	own->restarts = 2;
	strcpy(own->reason, "started again 2 times, last: triple fault");
	bhd_again_start();
	fd = connect_new();
	o = ask(fd, DO("events"));
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "events", &events));
	assert_int_equal(json_object_array_length(events), 2);
	first = json_object_array_get_idx(events, 0);
	assert_string_equal(wire_string(first, "name"), "linux");
	assert_string_equal(wire_string(first, "state"), "running");
	assert_string_equal(wire_string(first, "reason"), own->reason);
	snprintf(before, sizeof(before), "%s", wire_string(first, "time"));
	first = json_object_array_get_idx(events, 1);
	assert_string_equal(wire_string(first, "name"), "box");
	assert_true(strcmp(before, wire_string(first, "time")) < 0);
	json_object_put(o);
	close(fd);
}

/* Samples of a family stand together behind its two lines, each once,
 * in the form NAME{LABELS} VALUE */
static void test_metrics(void **state)
{
	char *text = NULL, name[64] = "", *line, *rest;
	u32 families = 0;
	struct failure f;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	fake_add(fake, "web", BH_CTL_CRASHED, 0);
	fake->metering = BH_CTL_METERING_HISTOGRAMS;
	assert_int_equal(metrics_print(to, &bhd, &f), 0);
	fclose(to);
	assert_non_null(strstr(text, "bulkhead_pool_free_bytes 268435456\n"));
	assert_non_null(
		strstr(text, "bulkhead_guest_cpu_seconds_total{guest=\"web\"} "
			     "2.500000\n"));
	assert_non_null(strstr(text, "bulkhead_guest_state{guest=\"web\","
				     "state=\"crashed\"} 1\n"));
	assert_non_null(strstr(text, "bulkhead_guest_exits_total{guest=\"web\","
				     "kind=\"msr\"} 12\n"));
	assert_non_null(strstr(text, "bulkhead_vcpu_run_seconds_total{guest="
				     "\"web\",vcpu=\"0\"} 1.000000\n"));
	assert_non_null(
		strstr(text, "bulkhead_core_idle_seconds_total{core=\"1\"}"));
	assert_non_null(strstr(
		text,
		"bulkhead_core_host_seconds_total{core=\"1\"} 1.000000\n"));
	/* Where it is not known there is no sample */
	assert_non_null(
		strstr(text, "bulkhead_core_smis_total{core=\"1\"} 3\n"));
	assert_null(strstr(text, "bulkhead_core_smis_total{core=\"0\"}"));
	assert_non_null(strstr(text, "bulkhead_vcpu_steal_seconds_total{"));
	/* Buckets count up, to what there is in all */
	assert_non_null(strstr(text, "bulkhead_guest_exit_seconds_bucket{guest="
				     "\"web\",kind=\"cpuid\",le=\"1.28e-07\"} "
				     "0\n"));
	assert_non_null(strstr(text, "bulkhead_guest_exit_seconds_bucket{guest="
				     "\"web\",kind=\"cpuid\",le=\"2.56e-07\"} "
				     "3\n"));
	assert_non_null(strstr(text,
			       "bulkhead_guest_exit_seconds_bucket{guest="
			       "\"web\",kind=\"cpuid\",le=\"+Inf\"} 4\n"));
	assert_non_null(strstr(text, "bulkhead_guest_exit_seconds_sum{guest="
				     "\"web\",kind=\"cpuid\"} 0.000001000\n"));
	assert_non_null(strstr(text, "bulkhead_guest_exit_seconds_count{guest="
				     "\"web\",kind=\"msr\"} 1\n"));
	assert_non_null(strstr(text, "bulkhead_guest_interrupt_seconds_count{"
				     "guest=\"web\"} 1\n"));
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (sscanf(line, "# HELP %63s", name) == 1) {
			families++;
			continue;
		}
		if (!strncmp(line, "# TYPE ", 7))
			line += 7;
		assert_memory_equal(line, name, strlen(name));
		assert_non_null(strchr("{ _", line[strlen(name)]));
	}
	assert_int_equal(families, 22);
	free(text);
	{
		int fd = connect_new();
		struct json_object *o = ask(fd, DO("metrics")), *reply;

		assert_true(json_object_object_get_ex(o, "reply", &reply));
		assert_non_null(strstr(wire_string(reply, "text"),
				       "\nbulkhead_guests 2\n"));
		json_object_put(o);
		close(fd);
	}
}

static void test_metering(void **state)
{
	int fd = connect_new();
	struct json_object *o = ask(fd, DO("metering")), *reply;

	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_string_equal(wire_string(reply, "metering"), "off");
	json_object_put(o);
	o = ask(fd, "{\"protocol\":1,\"do\":\"meter\",\"what\":"
		    "\"histograms\"}\n");
	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_string_equal(wire_string(reply, "metering"), "histograms");
	assert_int_equal(fake->metering, BH_CTL_METERING_HISTOGRAMS);
	json_object_put(o);
	expect_error(fd, "{\"protocol\":1,\"do\":\"meter\",\"what\":\"all\"}\n",
		     FAIL_USAGE, "write off");
	expect_error(fd, DO("meter"), FAIL_USAGE, "write off");
	expect_error(fd, "{\"protocol\":1,\"do\":\"stats\",\"name\":\"no\"}\n",
		     FAIL_NO_GUEST, "no guest no");
	close(fd);
}

/* Records by their chunks, and what is lost; another has to wait; who hangs up
 * ends it */
static void test_trace(void **state)
{
	static const char request[] =
		"{\"protocol\":1,\"do\":\"trace\",\"seconds\":1}\n";
	struct trace_chunk chunk;
	struct bh_ctl_trace r[2];
	int fd = connect_new(), other = connect_new();
	const char *text;

	expect_error(fd, "{\"protocol\":1,\"do\":\"trace\",\"seconds\":0}\n",
		     FAIL_USAGE, "1 to 3600 seconds");
	fake->trace_room = 128;
	expect_error(fd, request, FAIL_NO_ROOM, "no memory for so many");
	fake->trace_room = 1024;
	say(fd, request);
	assert_non_null(strstr(heard(fd), "\"exits\":[\"cpuid\""));
	assert_true(fake->traced);
	expect_error(other, request, FAIL_STATE, "already");
	for (u32 i = 0; i < 5; i++)
		fake->trace[i].arg = i;
	fake->trace_at = 3;
	fake->trace_end = 5;
	wait_seconds(fd, 0.05);
	text = heard(fd);
	memcpy(&chunk, text, sizeof(chunk));
	memcpy(r, text + sizeof(chunk), sizeof(r));
	assert_int_equal(chunk.core, 0);
	assert_int_equal(chunk.count, 2);
	assert_int_equal(chunk.lost, 3);
	assert_int_equal(r[0].arg, 3);
	assert_int_equal(r[1].arg, 4);
	close(fd);
	turn();
	assert_false(fake->traced);
	/* So does who dies with records that it has not read */
	say(other, request);
	fake->trace_end = 9;
	wait_seconds(other, 0.05);
	assert_true(fake->traced);
	close(other);
	wait_seconds(connect_new(), 0.05);
	assert_false(fake->traced);
}

static void test_metrics_file(void **state)
{
	struct metrics m;
	char path[128];

	snprintf(path, sizeof(path), "%s/bulkhead.prom", bhd_folder);
	metrics_start(&m, &bhd, path);
	wait_seconds(-1, 0.05);
	assert_int_equal(access(path, R_OK), 0);
	metrics_stop(&m);
	assert_int_equal(access(path, R_OK), -1);
	/* A folder that is not there is said once and harms nothing */
	metrics_start(&m, &bhd, "/nowhere/at/all");
	wait_seconds(-1, 0.05);
	assert_true(m.failed);
	metrics_stop(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, bhd_begin, bhd_end)
		T(test_list),
		T(test_inspect),
		T(test_last_exits),
		T(test_debug),
		T(test_debug_changes),
		T(test_schema),
		T(test_bad_requests),
		T(test_long_lines),
		T(test_pause),
		T(test_pause_refused),
		T(test_stop),
		T(test_console),
		T(test_rests),
		T(test_typing_waits),
		T(test_history),
		T(test_reopened),
		T(test_look_only),
		T(test_events_follow),
		T(test_events_of_a_restart),
		T(test_metrics),
		T(test_metrics_file),
		T(test_metering),
		T(test_trace),
		T(test_one_look),
		T(test_lost_event),
		T(test_says_while_read),
		T(test_audit),
		T(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
