/* SOURCES: tools/bhd/vhost_user.c tools/control/fail.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end of vhost-user against a back-end that the test is, on a socket
 * pair: what it is told, in which order, and each lie that ends the session.
 */
#include "tests/unit/test.h"
/* clang-format off */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
/* clang-format on */
#include "tools/bhd/vhost_user.h"

#define CONFIG_BYTES 8
#define FEATURES     (BIT(32) | BIT(30) | BIT(9))
#define PROTOCOL     (BIT(0) | BIT(3) | BIT(9) | BIT(15))
#define USER_BASE    BIT(44)

struct wire {
	u32 request, flags, bytes;
	u8 body[300];
} __packed;

static struct vhost_user v;
static int peer, passed[8];
static u32 passed_count;
static u32 readies, stops, ends;
static char lost[FAIL_TEXT_BYTES];

static void on_ready(struct vhost_user *u)
{
	readies++;
}

static void on_stopped(struct vhost_user *u, u32 queue)
{
	stops += 1 + queue;
}

static void on_ended(struct vhost_user *u)
{
	ends++;
}

static void on_lost(struct vhost_user *u, const struct failure *f)
{
	assert_int_equal(u->fd, -1);
	strcpy(lost, f->text);
}

static void turn(void)
{
	for (u32 i = 0; i < 4; i++)
		ev_run(v.loop, EVRUN_NOWAIT);
}

static void files_close(void)
{
	while (passed_count)
		close(passed[--passed_count]);
}

static int begin(void **state)
{
	int ends_of[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_of),
		0);
	peer = ends_of[1];
	readies = stops = ends = 0;
	lost[0] = 0;
	v = (struct vhost_user){ .loop = ev_loop_new(0),
				 .config_bytes = CONFIG_BYTES,
				 .ready = on_ready,
				 .stopped = on_stopped,
				 .ended = on_ended,
				 .lost = on_lost };
	vhost_user_open(&v, ends_of[0]);
	return 0;
}

static int end(void **state)
{
	vhost_user_close(&v);
	ev_loop_destroy(v.loop);
	files_close();
	close(peer);
	return 0;
}

/* The next message, with its files */
static struct wire heard(u32 request)
{
	struct wire w = { 0 };
	struct iovec part = { &w, 12 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(passed))];
	} control;
	struct msghdr m = { .msg_iov = &part,
			    .msg_iovlen = 1,
			    .msg_control = control.bytes,
			    .msg_controllen = sizeof(control.bytes) };
	const struct cmsghdr *c;

	turn();
	files_close();
	assert_int_equal(recvmsg(peer, &m, 0), 12);
	c = CMSG_FIRSTHDR(&m);
	if (c) {
		passed_count = (u32)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(passed, CMSG_DATA(c), passed_count * sizeof(int));
	}
	assert_int_equal(w.request, request);
	assert_int_equal(w.flags & 3, 1);
	assert_true(w.bytes <= sizeof(w.body));
	if (w.bytes)
		assert_int_equal(read(peer, w.body, w.bytes), w.bytes);
	return w;
}

static void say(u32 request, u32 flags, const void *body, u32 bytes)
{
	struct wire w = { request, flags, bytes, { 0 } };

	memcpy(w.body, body, MIN(bytes, (u32)sizeof(w.body)));
	assert_int_equal(write(peer, &w, 12 + MIN(bytes, 300u)),
			 12 + MIN(bytes, 300u));
	turn();
}

static void say_number(u32 request, u64 number)
{
	say(request, 5, &number, sizeof(number));
}

static u64 number_of(const struct wire *w)
{
	u64 n;

	assert_int_equal(w->bytes, sizeof(n));
	memcpy(&n, w->body, sizeof(n));
	return n;
}

/* A request that is acknowledged */
static struct wire told(u32 request)
{
	struct wire w = heard(request);

	assert_int_equal(w.flags, 9);
	say_number(request, 0);
	return w;
}

static void greet(void)
{
	struct wire w;
	struct {
		u32 offset, bytes, flags;
		u8 config[CONFIG_BYTES];
	} config = { 0, CONFIG_BYTES, 0, "config" };

	heard(1);
	say_number(1, FEATURES);
	heard(15);
	say_number(15, PROTOCOL);
	/* What both know; not acknowledged yet */
	w = heard(16);
	assert_int_equal(number_of(&w), BIT(0) | BIT(3) | BIT(9));
	assert_int_equal(w.flags, 1);
	heard(17);
	say_number(17, 4);
	told(3);
	w = heard(24);
	assert_int_equal(w.bytes, 12 + CONFIG_BYTES);
	say(24, 5, &config, sizeof(config));
	assert_int_equal(readies, 1);
	assert_true(v.features == FEATURES);
	assert_int_equal(v.queues, 4);
	assert_string_equal((const char *)v.config, "config");
}

static void serve(void)
{
	int file = memfd_create("ram", 0);
	const struct vhost_user_memory memory[] = {
		{ 0, GIB(2), 0, file },
		{ GIB(4), MIB(2), GIB(2), file },
	};

	vhost_user_serve(&v, BIT(32) | BIT(9), memory, 2);
	close(file);
}

static void test_serves(void **state)
{
	struct vhost_user_queue q = { .index = 1,
				      .size = 64,
				      .base = 7,
				      .desc = 0x1000,
				      .driver = 0x2000,
				      .device = 0x3000,
				      .kick = eventfd(0, 0),
				      .call = eventfd(0, 0) };
	struct wire w;
	u64 region[9], addresses[5];
	u32 state_of[2];

	greet();
	serve();
	w = told(2);
	assert_true(number_of(&w) == (BIT(32) | BIT(9) | BIT(30)));
	w = heard(5);
	assert_int_equal(w.bytes, 8 + 2 * 32);
	assert_int_equal(passed_count, 2);
	memcpy(region, w.body, w.bytes);
	assert_int_equal(region[0], 2);
	assert_true(region[5] == GIB(4) && region[6] == MIB(2) &&
		    region[7] == USER_BASE + GIB(4) && region[8] == GIB(2));
	say_number(5, 0);
	vhost_user_start(&v, &q);
	close(q.kick);
	close(q.call);
	w = told(8);
	memcpy(state_of, w.body, 8);
	assert_true(state_of[0] == 1 && state_of[1] == 64);
	w = told(10);
	memcpy(state_of, w.body, 8);
	assert_true(state_of[0] == 1 && state_of[1] == 7);
	w = told(9);
	memcpy(addresses, w.body, sizeof(addresses));
	assert_true(addresses[1] == USER_BASE + 0x1000 &&
		    addresses[2] == USER_BASE + 0x3000 &&
		    addresses[3] == USER_BASE + 0x2000);
	told(13);
	w = heard(12);
	assert_int_equal(passed_count, 1);
	assert_int_equal(number_of(&w), 1);
	say_number(12, 0);
	w = told(18);
	memcpy(state_of, w.body, 8);
	assert_true(state_of[0] == 1 && state_of[1] == 1);
	vhost_user_stop(&v, 1);
	heard(11);
	say(11, 5, (u32[]){ 1, 9 }, 8);
	assert_int_equal(stops, 2);
	vhost_user_end(&v);
	turn();
	assert_int_equal(read(peer, state_of, 1), 0);
	assert_int_equal(ends, 0);
	shutdown(peer, SHUT_RDWR);
	turn();
	assert_int_equal(ends, 1);
	assert_string_equal(lost, "");
}

static void expect_lost(const char *text)
{
	turn();
	if (!strstr(lost, text))
		fail_msg("\"%s\", not \"%s\"", lost, text);
	assert_int_equal(v.fd, -1);
	assert_int_equal(ends, 0);
}

static void test_hangs_up(void **state)
{
	shutdown(peer, SHUT_RDWR);
	expect_lost("it has hung up");
}

static void test_wrong_request(void **state)
{
	say_number(2, FEATURES);
	expect_lost("what it was not asked");
}

static void test_no_answer_flag(void **state)
{
	u64 number = FEATURES;

	say(1, 1, &number, sizeof(number));
	expect_lost("what it was not asked");
}

static void test_too_long(void **state)
{
	static const u8 much[300];

	say(1, 5, much, 4096);
	expect_lost("more than there is to say");
}

static void test_too_short(void **state)
{
	say(1, 5, "abcd", 4);
	expect_lost("its features make no sense");
}

static void test_twice(void **state)
{
	const struct wire one = { 1, 5, 8, { 0 } };
	u8 both[2 * 20];

	memcpy(both, &one, 20);
	memcpy(both + 20, &one, 20);
	assert_int_equal(write(peer, both, sizeof(both)), sizeof(both));
	expect_lost("what it was not asked");
}

static void test_no_queues(void **state)
{
	heard(1);
	say_number(1, FEATURES);
	heard(15);
	say_number(15, PROTOCOL);
	heard(16);
	heard(17);
	say_number(17, 0);
	expect_lost("a number of queues that makes no sense");
}

static void test_no_config(void **state)
{
	heard(1);
	say_number(1, BIT(32));
	expect_lost("no configuration to tell");
}

static void test_other_config(void **state)
{
	static const u32 config[] = { 0, 4, 0, 0 };

	heard(1);
	say_number(1, FEATURES);
	heard(15);
	say_number(15, BIT(9));
	heard(16);
	heard(3);
	heard(24);
	say(24, 5, config, sizeof(config));
	expect_lost("does not tell its configuration");
}

static void test_refuses(void **state)
{
	greet();
	serve();
	heard(2);
	say_number(2, 1);
	expect_lost("refuses");
}

static void test_other_queue(void **state)
{
	greet();
	vhost_user_stop(&v, 1);
	heard(11);
	say(11, 5, (u32[]){ 2, 9 }, 8);
	expect_lost("another queue");
	assert_int_equal(stops, 0);
}

static void test_silent(void **state)
{
	ev_tstamp until = ev_time() + 7;

	while (!*lost && ev_time() < until) {
		turn();
		usleep(10000);
	}
	expect_lost("it does not answer");
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(test_serves),        TEST(test_hangs_up),
		TEST(test_wrong_request), TEST(test_no_answer_flag),
		TEST(test_too_long),      TEST(test_too_short),
		TEST(test_twice),         TEST(test_no_queues),
		TEST(test_no_config),     TEST(test_other_config),
		TEST(test_refuses),       TEST(test_other_queue),
		TEST(test_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
