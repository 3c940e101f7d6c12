/* SOURCES: tools/bhd/bhd.c tools/bhd/client.c tools/bhd/console.c tools/bhd/index.c tools/bhd/events.c tools/bhd/history.c tools/bhd/request.c tools/bhd/look.c tools/bhd/inspect.c tools/bhd/last_exits.c lib/last_exit_text.c tools/bhd/debug.c tools/bhd/act.c tools/bhd/life.c tools/bhd/launch.c tools/bhd/store.c tools/bhd/devices.c tools/bhd/device_unit.c tools/bhd/device_queues.c tools/control/device_spec.c tools/bhd/backend.c tools/bhd/image.c tools/bhd/socket.c tools/bhd/vhost_user.c tools/bhd/loader.c tools/bhd/metrics.c tools/control/definition.c tools/control/place.c tools/control/files.c hv/manifest/parse.c hv/manifest/keys.c hv/manifest/lookup.c hv/manifest/values.c hv/manifest/values_serial.c hv/manifest/values_device.c lib/printf.c tools/control/ring.c tools/control/guests.c tools/control/inspect.c tools/control/fail.c tools/control/wire.c lib/replay.c lib/string.c tools/bhd/stats.c tools/bhd/trace.c tools/control/meter.c tools/bhd/look_audit.c tools/control/audit.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that bhd makes: from a definition into memory, started, started again,
 * found by the next bhd. The device and the memory are in this process, the
 * loader and the disk are real. Over 400 lines: one guest's whole life.
 */
#include "tests/unit/fakes/bhd.h"
#include "tests/unit/fakes/dax.h"
/* clang-format off */
#include <fcntl.h>
#include <unistd.h>
/* clang-format on */
#include "tools/bhd/life_priv.h"
#include "tools/bhd/loader.h"

#define KERNEL_BYTES 5000000
#define INITRD_BYTES 3000
#define WAIT_TRIES   2000 /* 10 ms apart */

static int fd;
static char request[4096];

static void file_write(const char *name, u8 first, size_t bytes)
{
	char path[128];
	u8 *text = malloc(bytes + 1);
	int file;

	for (size_t i = 0; i < bytes; i++)
		text[i] = (u8)(first + i % 251);
	snprintf(path, sizeof(path), "%s/%s", bhd_folder, name);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(file, text, bytes), bytes);
	close(file);
	free(text);
}

static int begin(void **state)
{
	bhd_begin(state);
	strcpy(fake_dax_folder, bhd_folder);
	fake_dax_count = 0;
	fake_dax_fails = false;
	file_write("vmlinuz", 1, KERNEL_BYTES);
	file_write("initrd.img", 7, INITRD_BYTES);
	fd = connect_new();
	return 0;
}

static int end(void **state)
{
	close(fd);
	return bhd_end(state);
}

/* What bhctl create sends; @more: lines of the definition */
static const char *create(const char *name, const char *more)
{
	snprintf(request, sizeof(request),
		 "{\"protocol\":1,\"do\":\"create\",\"stays\":true,"
		 "\"file\":\"web.conf\",\"folder\":\"%s\",\"definition\":"
		 "\"[guest %s]\\nkernel = vmlinuz\\ninitrd = initrd.img\\n"
		 "memory = 64M\\n%s\"}\n",
		 bhd_folder, name, more);
	return request;
}

/* Waits for the end of what a client asked for: the last line */
static const char *answer(void)
{
	static char all[65536];
	size_t len = 0;

	for (u32 i = 0; i < WAIT_TRIES; i++) {
		const char *text = heard(fd);

		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s",
					text);
		if (strstr(all, "{\"reply\"") || strstr(all, "{\"error\""))
			return all;
		usleep(10000);
	}
	fail_msg("no answer: %s", all);
	return NULL;
}

static void expect_refused(const char *what, const char *text)
{
	const char *line;

	say(fd, what);
	line = answer();
	if (!strstr(line, "{\"error\"") || !strstr(line, text))
		fail_msg("%s, not %s", line, text);
}

static void make(const char *name, const char *more)
{
	say(fd, create(name, more));
	assert_non_null(strstr(answer(), "{\"reply\""));
}

static const char *named(const char *what, const char *name)
{
	snprintf(request, sizeof(request),
		 "{\"protocol\":1,\"do\":\"%s\",\"name\":\"%s\"}\n", what,
		 name);
	return request;
}

static struct guest *find_guest(const char *name)
{
	struct guest *g = bhd.life->guests;

	while (g && strcmp(g->definition.config.name, name))
		g = g->next;
	return g;
}

/* The files are where the device is told */
static void expect_loaded(void)
{
	static u8 bytes[KERNEL_BYTES];

	assert_int_equal(fake->file_count, 2);
	assert_string_equal(fake->files[0].name, "vmlinuz");
	assert_int_equal(fake->files[0].size, KERNEL_BYTES);
	assert_int_equal(fake->files[0].offset % PAGE_SIZE, 0);
	fake_dax_read(fake->files[0].offset, bytes, KERNEL_BYTES);
	for (size_t i = 0; i < KERNEL_BYTES; i++)
		assert_int_equal(bytes[i], (u8)(1 + i % 251));
	fake_dax_read(fake->files[1].offset, bytes, INITRD_BYTES);
	for (size_t i = 0; i < INITRD_BYTES; i++)
		assert_int_equal(bytes[i], (u8)(7 + i % 251));
}

static void test_create(void **state)
{
	const char *text;

	say(fd, create("web", "restart = always\\n"));
	text = answer();
	assert_non_null(strstr(text, "{\"progress\":{\"what\":\"loading\""));
	assert_non_null(strstr(text, "{\"reply\":{\"name\":\"web\",\"id\":"));
	assert_int_equal(fake_find(fake, "web")->about.state, BH_CTL_RUNNING);
	assert_non_null(strstr(fake->definition, "[guest web]\nkernel"));
	assert_int_equal(fake_dax_count, 1);
	assert_int_equal(fake_daxes[0].range.base, GIB(1));
	assert_int_equal(fake_daxes[0].range.size, MIB(64));
	expect_loaded();
	/* A second one lies beside it */
	make("db", "");
	assert_int_equal(fake_daxes[1].range.base, GIB(1) + MIB(64));
	expect_done(fd, named("destroy", "web"));
	turn();
	assert_int_equal(fake_dax_count, 1);
	expect_error(fd, named("start", "web"), FAIL_NO_GUEST, "web");
}

static void test_refused(void **state)
{
	make("web", "");
	expect_refused(create("web", ""), "there is a guest web already");
	expect_refused(create("linux", ""), "the name is taken");
	expect_refused(create("a b", ""), "web.conf:1: ");
	expect_refused(create("x", "memroy = 1G\\n"),
		       "web.conf:5: unknown key 'memroy'");
	expect_refused(create("x", "privileged = yes\\n"), "only the machine");
	expect_refused(create("x", "[guest y]\\nkernel = k\\nmemory = 2M\\n"),
		       "guest y is one too many");
	expect_refused(create("x", "[hypervisor]\\nmeasure = yes\\n"),
		       "unknown section [hypervisor]");
	expect_refused(create("x", "module = none\\n"),
		       "none: No such file or directory");
	file_write("empty", 0, 0);
	expect_refused(create("x", "module = empty\\n"), "is empty or no file");
	file_write("large", 0, MIB(64));
	expect_refused(create("x", "module = large\\n"),
		       "has 64 MiB and its files 68 MiB");
	fake_dax_fails = true;
	expect_refused(create("x", ""), "no dax today");
	turn();
	/* Nothing is left of any of them */
	assert_null(fake_find(fake, "x"));
	assert_int_equal(fake_dax_count, 1);
	expect_error(fd, named("start", "x"), FAIL_NO_GUEST, "x");
}

/* Guests of others are in the pool, too */
static void test_not_free(void **state)
{
	fake->pool_busy = 2;
	make("web", "");
	assert_int_equal(fake_daxes[0].range.base, GIB(1) + 2 * MIB(64));
}

/* The device knows better again and again */
static void test_never_free(void **state)
{
	fake->pool_busy = 100;
	create("web", "");
	memcpy(strstr(request, "64M"), " 4M", 3);
	expect_refused(request, "that memory is not free");
	assert_null(find_guest("web"));
	assert_int_equal(bhd.life->used.count, 0);
}

static void bhd_stops(void)
{
	close(fd);
	bhd_again_stop();
}

static void next_bhd(void)
{
	bhd_again_start();
	fd = connect_new();
}

static bool is_in_state(const char *name, const char *wanted)
{
	char part[96];

	say(fd, "{\"protocol\":1,\"do\":\"list\"}\n");
	snprintf(part, sizeof(part), "\"name\":\"%s\",\"state\":\"%s\"", name,
		 wanted);
	return strstr(heard(fd), part);
}

/* Soon: a loader is a process of its own, and the host may be busy */
static void expect_state(const char *name, const char *wanted)
{
	for (u32 i = 0; i < WAIT_TRIES && !is_in_state(name, wanted); i++)
		wait_seconds(fd, 0.01);
	assert_true(is_in_state(name, wanted));
}

/* One of the manifest's, of which bhd has no definition */
static void test_start_static(void **state)
{
	fake_add(fake, "box", BH_CTL_STOPPED, BH_CTL_GUEST_STATIC);
	expect_done(fd, named("start", "box"));
	expect_state("box", "running");
	expect_error(fd, named("start", "box"), FAIL_STATE, "is running");
	fake_state(fake, "box", BH_CTL_CRASHED, "");
	expect_done(fd, named("start", "box"));
	expect_state("box", "running");
	expect_done(fd, named("pause", "box"));
	expect_state("box", "paused");
	expect_error(fd, named("start", "box"), FAIL_STATE, "is paused");
	expect_error(fd, named("start", "linux"), FAIL_NO_GUEST, "linux");
}

static void test_stop_and_start(void **state)
{
	make("web", "restart = always\\n");
	fake->fault = FAKE_GOOD;
	say(fd, "{\"protocol\":1,\"do\":\"stop\",\"name\":\"web\","
		"\"timeout_seconds\":0}\n");
	wait_seconds(fd, 0.5);
	assert_non_null(strstr(answer(), "reply"));
	/* It was asked for: it is not started again */
	wait_seconds(fd, 1.3);
	expect_state("web", "stopped");
	say(fd, named("start", "web"));
	assert_non_null(strstr(answer(), "reply"));
	expect_state("web", "running");
	expect_loaded();
	expect_error(fd, named("start", "web"), FAIL_STATE, "is running");
	say(fd, named("reset", "web"));
	assert_non_null(strstr(answer(), "reply"));
	expect_state("web", "running");
}

static void test_restart(void **state)
{
	static const struct {
		const char *restart;
		u32 ends_as;
		bool again;
	} rows[] = {
		{ "always", BH_CTL_STOPPED, true },
		{ "always", BH_CTL_CRASHED, true },
		{ "on-crash", BH_CTL_STOPPED, false },
		{ "on-crash", BH_CTL_CRASHED, true },
		{ "never", BH_CTL_CRASHED, false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char more[64];

		snprintf(more, sizeof(more), "restart = %s\\n",
			 rows[i].restart);
		make("web", more);
		fake_state(fake, "web", rows[i].ends_as, "");
		turn();
		assert_int_equal(fake_find(fake, "web")->about.state,
				 rows[i].ends_as);
		if (rows[i].again)
			expect_state("web", "running");
		wait_seconds(fd, rows[i].again ? 0. : 1.4);
		assert_int_equal(fake_find(fake, "web")->about.state ==
					 BH_CTL_RUNNING,
				 rows[i].again);
		expect_done(fd, named("destroy", "web"));
	}
}

/* One that waits to be started again is not, once it is to be destroyed */
static void test_destroy_before_restart(void **state)
{
	make("web", "restart = always\\n");
	fake_state(fake, "web", BH_CTL_STOPPED, "");
	turn();
	fake->hold = true;
	say(fd, named("destroy", "web"));
	wait_seconds(fd, 1.4);
	assert_int_equal(fake->held_count, 1);
	assert_int_equal(fake->held[0].arg[1], BH_CTL_END_DESTROY);
	fake->hold = false;
	fake_release(fake);
	turn();
	wait_seconds(fd, 1.4);
	assert_null(fake_find(fake, "web"));
	assert_null(find_guest("web"));
}

/* The device refuses: what was to be started again is, be it that it ended
 * before, meanwhile or later */
static void test_destroy_refused(void **state)
{
	for (u32 ends = 0; ends < 3; ends++) {
		make("web", "restart = always\\n");
		if (ends == 0)
			fake_state(fake, "web", BH_CTL_STOPPED, "");
		turn();
		fake->hold = true;
		fake->end_busy = 1;
		say(fd, named("destroy", "web"));
		assert_int_equal(fake->held_count, 1);
		if (ends == 1)
			fake_state(fake, "web", BH_CTL_CRASHED, "");
		turn();
		fake->hold = false;
		fake_release(fake);
		assert_non_null(strstr(answer(), "too many commands wait"));
		if (ends == 2)
			fake_state(fake, "web", BH_CTL_STOPPED, "");
		turn();
		wait_seconds(fd, 1.2);
		expect_state("web", "running");
		expect_done(fd, named("destroy", "web"));
	}
}

/* The same, for one that resets itself meanwhile; and one that somebody stops
 * meanwhile stays so */
static void test_destroy_refused_late(void **state)
{
	static const char *const then[] = { "running", "stopped" };

	for (u32 i = 0; i < ARRAY_SIZE(then); i++) {
		int other = connect_new();

		make("web", "restart = always\\n");
		fake->hold = true;
		fake->end_busy = 1;
		say(fd, named("destroy", "web"));
		if (i == 0) {
			fake_state(fake, "web", BH_CTL_DEFINED, "");
		} else {
			say(other, "{\"protocol\":1,\"do\":\"stop\",\"name\":"
				   "\"web\",\"timeout_seconds\":0}\n");
			assert_int_equal(fake->held_count, 2);
		}
		turn();
		fake->hold = false;
		fake_release(fake);
		assert_non_null(strstr(answer(), "too many commands wait"));
		wait_seconds(fd, 1.4);
		expect_state("web", then[i]);
		close(other);
		expect_done(fd, named("destroy", "web"));
	}
}

static void test_backoff(void **state)
{
	assert_true(life_backoff(0) == 1.);
	assert_true(life_backoff(5) == 32.);
	assert_true(life_backoff(6) == 60.);
	assert_true(life_backoff(1000000) == 60.);
}

/* The next bhd finds the guest, and what is its */
static void test_next_bhd(void **state)
{
	make("web", "restart = always\\n");
	bhd_stops();
	assert_int_equal(fake_dax_count, 1);
	next_bhd();
	expect_state("web", "running");
	make("db", "");
	assert_int_equal(fake_daxes[1].range.base, GIB(1) + MIB(64));
	fake_state(fake, "web", BH_CTL_CRASHED, "");
	turn();
	expect_state("web", "running");
	expect_done(fd, named("destroy", "web"));
	turn();
	assert_int_equal(fake_dax_count, 1);
}

/* Its static guests are there again, and what bhd starts by itself */
static void machine_restarts(void)
{
	bhd_stops();
	fake->guest_count = 2;
	fake->boot_tsc++;
	fake_dax_count = 0;
	next_bhd();
	wait_seconds(fd, 0.5);
}

/* "box,linux": as bhctl list has them */
static void expect_names(const char *names)
{
	struct json_object *o = ask(fd, DO("list")), *reply, *guests;
	char text[256] = "";

	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "guests", &guests));
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? "," : "",
			 wire_string(json_object_array_get_idx(guests, i),
				     "name"));
	}
	assert_string_equal(text, names);
	json_object_put(o);
}

static void test_order_of_list(void **state)
{
	make("web", "");
	make("box", "");
	make("db", "");
	expect_names("box,db,linux,web");
	expect_done(fd, named("destroy", "box"));
	make("box", "");
	expect_names("box,db,linux,web");
	machine_restarts();
	expect_names("box,db,linux,web");
}

static void expect_unknown(const char *name)
{
	expect_error(fd, named("start", name), FAIL_NO_GUEST, name);
}

/* bhd ends once the device has destroyed it, and before it is gone: the next
 * one, after the machine's restart or not, does not know it as off */
static void test_destroyed_before(void **state)
{
	for (u32 i = 0; i < 2; i++) {
		make("web", "");
		life_told_to_end(&bhd, "web", true);
		bhd_stops();
		fake->guest_count = 2;
		fake->boot_tsc += i;
		fake_dax_count = 0;
		next_bhd();
		turn();
		expect_unknown("web");
	}
}

/* How many devices of its memory bhctl info names */
static size_t devices_of(const char *name)
{
	struct json_object *o = ask(fd, DO("list")), *reply, *guests, *a;
	size_t n = 0;

	assert_true(json_object_object_get_ex(o, "reply", &reply));
	assert_true(json_object_object_get_ex(reply, "guests", &guests));
	for (size_t i = 0; i < json_object_array_length(guests); i++) {
		struct json_object *g = json_object_array_get_idx(guests, i);

		assert_true(json_object_object_get_ex(g, "memory_devices", &a));
		if (!strcmp(wire_string(g, "name"), name))
			n = json_object_array_length(a);
		for (size_t j = 0; j < json_object_array_length(a); j++)
			assert_memory_equal(
				json_object_get_string(
					json_object_array_get_idx(a, j)),
				"/dev/", 5);
	}
	json_object_put(o);
	return n;
}

static void privileged_restarts(void)
{
	bhd_stops();
	fake_dax_count = 0;
	next_bhd();
	turn();
}

/* The privileged guest is started again, and its kernel knows of no device: who
 * shares its memory gets them anew, once */
static void test_share_again(void **state)
{
	make("web", "share = memory\\n");
	make("db", "");
	assert_int_equal(devices_of("web"), 1);
	assert_int_equal(devices_of("db"), 0);
	privileged_restarts();
	assert_int_equal(fake_dax_count, 1);
	assert_int_equal(fake_daxes[0].range.base, GIB(1));
	assert_int_equal(devices_of("web"), 1);
	assert_int_equal(devices_of("db"), 0);
	/* Another bhd alone finds them */
	bhd_stops();
	next_bhd();
	turn();
	assert_int_equal(fake_dax_count, 1);
	assert_int_equal(devices_of("web"), 1);
	/* One that has stopped shares nothing, before a bhd and behind it */
	fake_state(fake, "web", BH_CTL_STOPPED, "");
	turn();
	assert_int_equal(devices_of("web"), 0);
	privileged_restarts();
	assert_int_equal(fake_dax_count, 0);
}

static void test_share_fails(void **state)
{
	make("web", "share = memory\\n");
	fake_dax_fails = true;
	privileged_restarts();
	expect_state("web", "running");
	assert_int_equal(devices_of("web"), 0);
}

/* After the machine's restart there is no guest; its definition starts it */
static void test_next_boot(void **state)
{
	static const char *const of_a_guest[] = { "pause",      "resume",
						  "stop",       "set",
						  "stats",      "inspect",
						  "last_exits", "console" };

	make("web", "");
	make("off", "autostart = no\\n");
	(void)create("once", "");
	memcpy(strstr(request, "\"stays\":true"), "\"other\":true", 12);
	say(fd, request);
	assert_non_null(strstr(answer(), "reply"));
	machine_restarts();
	expect_state("web", "running");
	expect_state("off", "off");
	assert_null(fake_find(fake, "once"));
	for (u32 i = 0; i < ARRAY_SIZE(of_a_guest); i++)
		expect_error(fd, named(of_a_guest[i], "off"), FAIL_STATE,
			     "guest off is off; bhctl start off starts it");
	expect_unknown("once");
	expect_done(fd, named("destroy", "off"));
	expect_unknown("off");
}

/* What is on the disk is untrusted text */
static void test_bad_files(void **state)
{
	static const char *const texts[] = {
		"",
		"{}",
		"[]",
		"{\"given\":1}",
		"{\"given\":{}}",
		"{\"given\":{\"definition\":\"[guest web]\\n\"}}",
		"{\"given\":{\"definition\":\"[guest ../x]\\nkernel = k\\n"
		"memory = 2M\\n\"}}",
	};
	char path[128];

	for (u32 i = 0; i < ARRAY_SIZE(texts); i++) {
		int file;

		snprintf(path, sizeof(path), "%s/guests/f%u.json", bhd_folder,
			 i);
		file = open(path, O_WRONLY | O_CREAT, 0600);
		assert_int_equal(write(file, texts[i], strlen(texts[i])),
				 strlen(texts[i]));
		close(file);
	}
	bhd_stops();
	next_bhd();
	expect_state("linux", "running");
	make("web", "");
}

/* The client leaves while its guest is loaded: it goes on */
static void test_client_leaves(void **state)
{
	say(fd, create("web", ""));
	close(fd);
	fd = connect_new();
	wait_seconds(fd, 0.5);
	expect_state("web", "running");
}

/* A guest that resets itself is loaded anew; nothing of its files was left */
static void test_reboot(void **state)
{
	make("web", "");
	memset(fake->files, 0, sizeof(fake->files));
	fake_state(fake, "web", BH_CTL_DEFINED, "");
	wait_seconds(fd, 1.6);
	expect_state("web", "running");
	expect_loaded();
}

/* What is held is answered with a command for a list of guests, some further */
static const struct device_ops *real_ops;
static u32 lists;

static void write_late(struct device *d, enum bh_ctl_reg reg, u32 value)
{
	const struct bh_ctl_area *a = d->memory;
	u32 last = a->index.command_tail - 1;

	if (reg == BH_CTL_SUBMIT && lists &&
	    a->commands[last % BH_CTL_COMMANDS].op == BH_CTL_OP_GUESTS &&
	    !--lists)
		fake_release(fake);
	real_ops->write(d, reg, value);
}

/* Once the guest has been found, the device takes no more commands */
static void write_then_full(struct device *d, enum bh_ctl_reg reg, u32 value)
{
	struct bh_ctl_area *a = d->memory;
	u32 last = a->index.command_tail - 1;

	real_ops->write(d, reg, value);
	if (reg == BH_CTL_SUBMIT &&
	    a->commands[last % BH_CTL_COMMANDS].op == BH_CTL_OP_GUESTS)
		a->index.command_head -= BH_CTL_COMMANDS;
}

static void test_destroy_full(void **state)
{
	struct device_ops ops = *fake->device.ops;
	struct bh_ctl_area *a = fake->device.memory;

	make("web", "restart = always\\n");
	fake_state(fake, "web", BH_CTL_STOPPED, "");
	turn();
	real_ops = fake->device.ops;
	ops.write = write_then_full;
	fake->device.ops = &ops;
	expect_error(fd, named("destroy", "web"), FAIL_NO_ROOM, "is busy");
	fake->device.ops = real_ops;
	a->index.command_head = fake->command_head;
	wait_seconds(fd, 1.2);
	expect_state("web", "running");
}

/* One guest resets itself. While bhd looks at it, or at @all, another's start
 * fails, and that one is forgotten. It takes so many commands. */
static void fails_meanwhile(bool all, u32 commands)
{
	struct device_ops ops = *fake->device.ops;
	int other;

	fake->hold = true;
	say(fd, create("db", ""));
	for (u32 i = 0; i < WAIT_TRIES && !fake->held_count; i++)
		wait_seconds(fd, 0.01);
	assert_int_equal(fake->held_count, 1); /* START */
	fake->hold = false;
	other = fd;
	fd = connect_new();
	make("web", "");
	find_guest("web")->ran_since = 0;
	fake_find(fake, "db")->about.id += 1024; /* it is no more */
	real_ops = fake->device.ops;
	ops.write = write_late;
	fake->device.ops = &ops;
	bhd.lost = all;
	lists = commands;
	fake_state(fake, "web", BH_CTL_DEFINED, "");
	turn();
	assert_int_equal(lists, 0);
	wait_seconds(fd, 0.5);
	fake->device.ops = real_ops;
	expect_state("web", "running");
	assert_null(find_guest("db"));
	close(other);
}

/* What it is, and then whether it is defined still */
static void test_fails_meanwhile(void **state)
{
	fails_meanwhile(false, 2);
}

/* The list of all takes two */
static void test_fails_while_all(void **state)
{
	fails_meanwhile(true, 3);
}

/* bhd dies while it loads a guest: the next one begins anew */
static void test_dies_loading(void **state)
{
	say(fd, create("web", ""));
	bhd_stops();
	assert_int_equal(fake_find(fake, "web")->about.state, BH_CTL_DEFINED);
	next_bhd();
	wait_seconds(fd, 1.6);
	expect_state("web", "running");
	expect_loaded();
}

static void test_loader_plan(void **state)
{
	u64 sizes[] = { 5000, 4096, 1 }, offsets[3];

	assert_int_equal(loader_plan(sizes, 3, 0, MIB(2), offsets), 0);
	assert_int_equal(offsets[0], MIB(2) - 16384);
	assert_int_equal(offsets[1], MIB(2) - 8192);
	assert_int_equal(offsets[2], MIB(2) - 4096);
	assert_int_equal(loader_plan(sizes, 3, 0, MIB(1) + 16384, offsets), 0);
	assert_int_equal(loader_plan(sizes, 3, 0, MIB(1) + 12288, offsets), -1);
	/* None lies on both sides of 2 GiB */
	assert_int_equal(loader_plan(sizes, 3, 0, GIB(2) + 8192, offsets), 0);
	assert_int_equal(offsets[2], GIB(2) + 4096);
	assert_int_equal(offsets[1], GIB(2));
	assert_int_equal(offsets[0], GIB(2) - 8192);
	assert_int_equal(loader_plan(sizes, 3, 0, GIB(2) + 12288, offsets), 0);
	assert_int_equal(offsets[0], GIB(2) - 8192);
	sizes[1] = ~0ull;
	assert_int_equal(loader_plan(sizes, 3, 0, MIB(2), offsets), -1);
}

/* Those that stay take whole units at the end, and leave RAM */
static void test_loader_stay(void **state)
{
	u64 sizes[] = { 5000, 4096, MIB(2) }, offsets[3];

	assert_int_equal(loader_plan(sizes, 3, 2, MIB(8), offsets), 0);
	assert_int_equal(offsets[2], MIB(6));
	assert_int_equal(offsets[1], MIB(6) - 4096);
	assert_int_equal(offsets[0], MIB(4) - 8192);
	assert_int_equal(loader_plan(sizes, 3, 2, MIB(6), offsets), 0);
	assert_int_equal(offsets[0], MIB(2) - 8192);
	assert_int_equal(loader_plan(sizes, 3, 2, MIB(4), offsets), -1);
	assert_int_equal(loader_plan(sizes, 3, 3, MIB(6), offsets), 0);
	assert_int_equal(offsets[0], MIB(4) - 4096 - 8192);
	assert_int_equal(loader_plan(sizes, 3, 3, MIB(4), offsets), -1);
	assert_int_equal(loader_plan(sizes, 3, 1, MIB(6), offsets), 0);
	assert_int_equal(offsets[1], MIB(4) - 4096);
	assert_int_equal(loader_plan(sizes, 1, 1, MIB(4), offsets), 0);
	assert_int_equal(loader_plan(sizes, 1, 1, MIB(2), offsets), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, begin, end)
		T(test_create),
		T(test_refused),
		T(test_start_static),
		T(test_not_free),
		T(test_never_free),
		T(test_stop_and_start),
		T(test_restart),
		T(test_destroy_before_restart),
		T(test_destroy_refused),
		T(test_destroy_refused_late),
		T(test_destroy_full),
		cmocka_unit_test(test_backoff),
		T(test_next_bhd),
		T(test_next_boot),
		T(test_share_again),
		T(test_share_fails),
		T(test_order_of_list),
		T(test_destroyed_before),
		T(test_bad_files),
		T(test_client_leaves),
		T(test_reboot),
		T(test_fails_meanwhile),
		T(test_fails_while_all),
		T(test_dies_loading),
		cmocka_unit_test(test_loader_plan),
		cmocka_unit_test(test_loader_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
