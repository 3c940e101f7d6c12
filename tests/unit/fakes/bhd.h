/* SPDX-License-Identifier: BSD-2-Clause */
/* A bhd in this process, with the fake control device, a folder of its own and
 * clients on socket pairs. For tests whose SOURCES have tools/bhd/. */
#ifndef TESTS_UNIT_FAKES_BHD_H
#define TESTS_UNIT_FAKES_BHD_H

#include "tests/unit/fakes/control_device.h"
#include "tools/bhd/bhd.h"
#include "tools/bhd/client.h"
#include "tools/control/wire.h"

extern struct fake_device *fake;
extern struct bhd bhd;
extern char bhd_folder[64]; /* below /tmp */

/* cmocka's set-up and tear-down of a test */
int bhd_begin(void **state);
int bhd_end(void **state);
/* It ends, and another begins; the device stays */
void bhd_again_stop(void);
void bhd_again_start(void);

/* A client's end of a new connection */
int connect_new(void);
/* The loop goes round */
void turn(void);
void wait_seconds(int fd, double seconds);
/* The client sends @text */
void say(int fd, const char *text);
/* What has come for it, terminated; the next call overwrites it */
const char *heard(int fd);
/* Behind the first line of it */
const char *after_line(const char *text);
/* Sends and hears an object; the caller puts it */
struct json_object *ask(int fd, const char *request);
void expect_error(int fd, const char *request, enum fail_kind kind,
		  const char *text);
void expect_done(int fd, const char *request);

#define DO(what) "{\"protocol\":1,\"do\":\"" what "\"}\n"
#define DO_TO(what, name)                                                      \
	"{\"protocol\":1,\"do\":\"" what "\",\"name\":\"" name "\"}\n"

#endif
