/* SOURCES: tools/bhctl/http.c tools/control/fail.c tools/control/wire.c */
/* SPDX-License-Identifier: BSD-2-Clause */
/* One request of whoever finds the port: its head comes in parts, not at all,
 * or without end */
#include "tests/unit/test.h"
/* clang-format off */
#include <sys/socket.h>
#include <unistd.h>
/* clang-format on */
#include "tools/bhctl/http.h"
#include "tools/bhctl/link.h"

int link_open(struct link *l, const char *socket, struct failure *f)
{
	return failed(f, FAIL_NO_BULKHEAD, "not here");
}

void link_close(struct link *l)
{
}

struct json_object *link_request(const char *what)
{
	return NULL;
}

int link_ask(struct link *l, struct json_object *request,
	     struct json_object **reply, struct failure *f)
{
	return -1;
}

/* The request is @text and then the line ends */
static bool asks(const char *text, size_t len)
{
	int pair[2];
	bool good;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (size_t at = 0; at < len;) {
		size_t part = MIN(len - at, len > 100 ? len : 7);

		assert_int_equal(write(pair[1], text + at, part), part);
		at += part;
	}
	shutdown(pair[1], SHUT_WR);
	good = http_request(pair[0]);
	close(pair[0]);
	close(pair[1]);
	return good;
}

static void test_requests(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", true },
		{ "GET / HTTP/1.0\r\n\r\n", true },
		{ "GET /metrics HTTP/1.0\n\n", true },
		{ "GET /metrics HTTP/1.1\r\nHost: x\r\n", false },
		{ "GET /metricsx HTTP/1.1\r\n\r\n", false },
		{ "POST /metrics HTTP/1.1\r\n\r\n", false },
		{ "", false },
	};
	static char much[9000]; /* a socket holds it */

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(asks(rows[i].text, strlen(rows[i].text)),
				 rows[i].good);
	memset(much, 'x', sizeof(much));
	assert_false(asks(much, sizeof(much)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
