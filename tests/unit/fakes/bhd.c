/* SPDX-License-Identifier: BSD-2-Clause */
/* See bhd.h */
#include "tests/unit/fakes/bhd.h"

#include <sys/socket.h>
#include <unistd.h>

#define LINE_BYTES 65536

struct fake_device *fake;
struct bhd bhd;
char bhd_folder[64];

/* The loader is who the test is */
static int keep_rights(uid_t uid, gid_t gid, struct failure *f)
{
	return uid == getuid() && gid == getgid()
		       ? 0
		       : failed(f, FAIL_OTHER, "for user %u", uid);
}

void bhd_again_start(void)
{
	struct failure f;

	memset(&bhd, 0, sizeof(bhd));
	bhd.folder = bhd_folder;
	bhd.rights = keep_rights;
	assert_int_equal(bhd_start(&bhd, ev_loop_new(0), &fake->device, &f), 0);
}

void bhd_again_stop(void)
{
	struct ev_loop *loop = bhd.loop;

	bhd_stop(&bhd);
	ev_loop_destroy(loop);
}

int bhd_begin(void **state)
{
	strcpy(bhd_folder, "/tmp/bhd-test-XXXXXX");
	assert_non_null(mkdtemp(bhd_folder));
	fake = fake_new();
	bhd_again_start();
	return 0;
}

int bhd_end(void **state)
{
	char command[128];

	bhd_again_stop();
	fake_free(fake);
	snprintf(command, sizeof(command), "rm -rf %s", bhd_folder);
	assert_int_equal(system(command), 0);
	return 0;
}

/* A client's end of a new connection */
int connect_new(void)
{
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_non_null(client_new(&bhd, pair[1], getuid(), getgid()));
	return pair[0];
}

void turn(void)
{
	for (u32 i = 0; i < 5; i++)
		ev_run(bhd.loop, EVRUN_NOWAIT);
}

void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	turn();
}

/* What has come, terminated */
const char *heard(int fd)
{
	static char text[LINE_BYTES];
	size_t len = 0;
	ssize_t n;

	do {
		turn();
		n = read(fd, text + len, sizeof(text) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[len] = 0;
	return text;
}

struct json_object *ask(int fd, const char *request)
{
	const char *text;

	say(fd, request);
	text = heard(fd);
	assert_non_null(strchr(text, '\n'));
	return wire_parse(text, strcspn(text, "\n"));
}

void expect_error(int fd, const char *request, enum fail_kind kind,
		  const char *text)
{
	struct json_object *o = ask(fd, request);
	struct failure f = { 0 };

	assert_non_null(o);
	assert_true(wire_is_error(o, &f));
	assert_int_equal(f.kind, kind);
	assert_non_null(strstr(f.text, text));
	json_object_put(o);
}

void expect_done(int fd, const char *request)
{
	struct json_object *o = ask(fd, request), *reply;

	assert_true(json_object_object_get_ex(o, "reply", &reply));
	json_object_put(o);
}

void wait_seconds(int fd, double seconds)
{
	ev_tstamp end = ev_time() + seconds;

	while (ev_time() < end) {
		turn();
		usleep(10000);
	}
}

const char *after_line(const char *text)
{
	const char *end = strchr(text, '\n');

	assert_non_null(end);
	return end + 1;
}
