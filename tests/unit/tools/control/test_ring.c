/* SOURCES: tools/control/ring.c tools/control/guests.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's rings against a device in this process, also one that errs */
#include <time.h>

#include "tests/unit/fakes/control_device.h"
#include "tools/control/guests.h"

static struct fake_device *fake;
static struct ring ring;
static struct failure f;
static u32 events;

static void on_event(void *context, const struct bh_ctl_event *e)
{
	events++;
}

static int begin(void **state)
{
	fake = fake_new();
	memset(&ring, 0, sizeof(ring));
	ring.event = on_event;
	events = 0;
	assert_int_equal(ring_open(&ring, &fake->device, &f), 0);
	return 0;
}

static int end(void **state)
{
	ring_close(&ring);
	fake_free(fake);
	return 0;
}

static void test_info(void **state)
{
	struct bh_ctl_info info;
	u32 submits = fake->submits;

	assert_int_equal(control_info(&ring, &info, &f), 0);
	assert_string_equal(info.build, "Bulkhead test");
	/* One write of a register is the whole command */
	assert_int_equal(fake->submits, submits + 1);
}

static void test_announce(void **state)
{
	fake->announced = BH_CTL_ANNOUNCES;
	assert_int_equal(control_announce(&ring, BH_CTL_WILL_ANNOUNCE, &f), 0);
	assert_int_equal(fake->announced, BH_CTL_WILL_ANNOUNCE);
	assert_int_equal(control_announce(&ring, BH_CTL_SHUTS_DOWN, &f), 0);
	assert_int_equal(fake->announced, BH_CTL_SHUTS_DOWN);
	assert_int_equal(fake->announcements, 2);
}

static void test_other_version(void **state)
{
	fake->version = BH_CTL_VERSION + 1;
	assert_int_equal(ring_open(&ring, &fake->device, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_BULKHEAD);
	assert_non_null(strstr(f.text, "version 2 and these tools know 1"));
}

static void test_lists(void **state)
{
	struct list l;
	const struct bh_ctl_guest *g;

	fake_add(fake, "a", BH_CTL_RUNNING, 0);
	fake_add(fake, "b", BH_CTL_PAUSED, 0);
	fake_add(fake, "c", BH_CTL_CRASHED, 0);
	assert_int_equal(control_guests(&ring, &l, &f), 0);
	assert_int_equal(l.count, 4);
	g = l.items;
	assert_string_equal(g[0].name, "linux");
	assert_string_equal(g[3].name, "c");
	free(l.items);
	assert_int_equal(control_pool(&ring, &l, &f), 0);
	assert_int_equal(l.count, 2);
	free(l.items);
	assert_int_equal(control_cores(&ring, &l, &f), 0);
	assert_int_equal(l.count, 2);
	free(l.items);
	assert_int_equal(control_exit_names(&ring, &l, &f), 0);
	assert_int_equal(l.count,
			 sizeof("cpuid") + sizeof("hlt") + sizeof("msr"));
	free(l.items);
}

static void test_find(void **state)
{
	struct bh_ctl_guest g;

	fake_add(fake, "web", BH_CTL_RUNNING, 0);
	assert_int_equal(control_find(&ring, "web", &g, &f), 0);
	assert_string_equal(g.name, "web");
	assert_int_equal(control_find(&ring, "we", &g, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_GUEST);
	assert_non_null(strstr(f.text, "bhctl list"));
}

/* What the device says is not the terminal's */
static void test_text_is_cleaned(void **state)
{
	struct fake_guest *g = fake_add(fake, "x", BH_CTL_CRASHED, 0);
	struct bh_ctl_guest found;

	memset(g->about.reason, 0x1b, sizeof(g->about.reason));
	assert_int_equal(control_find(&ring, "x", &found, &f), 0);
	assert_int_equal(strlen(found.reason), sizeof(found.reason) - 1);
	assert_null(strchr(found.reason, 0x1b));
}

static u32 answers;

static void count(void *context, const struct ring_answer *answer)
{
	answers++;
	assert_int_equal(answer->status, *(const int *)context);
}

static void test_late_answers(void **state)
{
	int good = 0;
	struct ring_call call = { .op = BH_CTL_OP_PAUSE };

	fake_add(fake, "a", BH_CTL_RUNNING, 0);
	call.arg[0] = fake_find(fake, "a")->about.id;
	fake->hold = true;
	answers = 0;
	assert_int_equal(ring_send(&ring, &call, count, &good, &f), 0);
	assert_int_equal(answers, 0);
	fake_release(fake);
	ring_poll(&ring);
	assert_int_equal(answers, 1);
	assert_int_equal(events, 1);
}

static void test_all_slots(void **state)
{
	int lost = RING_LOST;
	struct ring_call call = { .op = BH_CTL_OP_PAUSE };

	call.arg[0] = fake_find(fake, "linux")->about.id;
	fake->hold = true;
	answers = 0;
	for (u32 i = 0; i < RING_SLOTS; i++)
		assert_int_equal(ring_send(&ring, &call, count, &lost, &f), 0);
	assert_int_equal(ring_send(&ring, &call, count, &lost, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_ROOM);
	/* A device that is opened anew answers none of them: each is told */
	assert_int_equal(ring_open(&ring, &fake->device, &f), 0);
	assert_int_equal(answers, RING_SLOTS);
}

/* The counts are modulo 2^32 and the rings come round */
static void test_long_run(void **state)
{
	struct bh_ctl_info info;

	ring.command_tail = fake->command_head = 0xfffffff0;
	ring.area->index.command_tail = ring.area->index.command_head =
		0xfffffff0;
	ring.event_head = fake->event_tail = 0xffffffc0;
	ring.area->index.event_head = ring.area->index.event_tail = 0xffffffc0;
	for (u32 i = 0; i < 1000; i++)
		assert_int_equal(control_info(&ring, &info, &f), 0);
}

static void test_device_errors(void **state)
{
	struct ring_call call = { .op = BH_CTL_OPS, .out_bytes = 100 };
	u8 out[100];

	assert_int_equal(ring_call(&ring, &call, out, NULL, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_BULKHEAD);
	assert_string_equal(f.text, "no such command");
	call.op = BH_CTL_OP_VCPUS;
	call.arg[0] = 12345;
	assert_int_equal(ring_call(&ring, &call, out, NULL, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_GUEST);
	/* Without room for the sentence there is one of ours */
	call.out_bytes = 0;
	assert_int_equal(ring_call(&ring, &call, NULL, NULL, &f), -1);
	assert_string_equal(f.text, "there is no such guest");
	call.in_bytes = BH_CTL_IN_MAX + 1;
	assert_int_equal(ring_call(&ring, &call, NULL, NULL, &f), -1);
	assert_int_equal(f.kind, FAIL_NO_ROOM);
}

static void test_device_errs(void **state)
{
	static const struct {
		enum fake_fault fault;
		const char *text;
	} rows[] = {
		{ FAKE_WRONG_TAG, "makes no sense" },
		{ FAKE_TOO_LONG, "makes no sense" },
		{ FAKE_TAIL_AHEAD, "makes no sense" },
	};
	struct bh_ctl_info info;

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		fake->fault = rows[i].fault;
		assert_int_equal(control_info(&ring, &info, &f), -1);
		assert_non_null(strstr(f.text, rows[i].text));
		assert_int_equal(control_info(&ring, &info, &f), -1);
		assert_int_equal(ring_open(&ring, &fake->device, &f), 0);
		assert_int_equal(control_info(&ring, &info, &f), 0);
	}
}

/* A console that gives more than it has */
static void test_console(void **state)
{
	struct console_part part;
	u8 key = 'x';
	u32 taken = 1;

	fake_say(fake, "linux", "hello");
	assert_int_equal(control_console_read(&ring, 999, 2, &part, &f), -1);
	assert_int_equal(
		control_console_read(&ring, fake_find(fake, "linux")->about.id,
				     2, &part, &f),
		0);
	assert_int_equal(part.bytes, 3);
	assert_memory_equal(part.text, "llo", 3);
	assert_int_equal(part.end, 5);
	fake_say(fake, "linux", "!");
	ring_poll(&ring);
	assert_int_equal(events, 1);
	assert_int_equal(
		control_console_type(&ring, fake_find(fake, "linux")->about.id,
				     &key, &taken, &f),
		0);
	assert_int_equal(taken, 1);
	assert_memory_equal(fake_find(fake, "linux")->typed, "x", 1);
}

/* A device that does not answer holds its caller once, and not for long */
static void test_silent(void **state)
{
	struct timespec before, after;
	struct bh_ctl_info info;

	clock_gettime(CLOCK_MONOTONIC, &before);
	fake->fault = FAKE_SILENT;
	assert_int_equal(control_info(&ring, &info, &f), -1);
	assert_int_equal(f.kind, FAIL_TIMEOUT);
	for (u32 i = 0; i < 100; i++)
		assert_int_equal(control_info(&ring, &info, &f), -1);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_in_range(after.tv_sec - before.tv_sec, 1, 8);
	assert_int_equal(ring_open(&ring, &fake->device, &f), 0);
	assert_int_equal(control_info(&ring, &info, &f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(t) cmocka_unit_test_setup_teardown(t, begin, end)
		T(test_info),          T(test_announce),
		T(test_other_version), T(test_lists),
		T(test_find),          T(test_text_is_cleaned),
		T(test_late_answers),  T(test_all_slots),
		T(test_long_run),      T(test_device_errors),
		T(test_device_errs),   T(test_console),
		T(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
