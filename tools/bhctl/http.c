/* SPDX-License-Identifier: BSD-2-Clause */
/* See http.h */
#include "tools/bhctl/http.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/bhctl/link.h"

#define HEAD_MAX  8192
#define HEAD_SECS 10

/* More of it, within the time that is left; the bytes, 0: no more come */
static ssize_t read_soon(int in, char *text, size_t room, time_t until)
{
	struct pollfd p = { .fd = in, .events = POLLIN };
	time_t now = time(NULL);

	if (now >= until || poll(&p, 1, (int)(until - now) * 1000) <= 0)
		return 0;
	return read(in, text, room);
}

bool http_request(int in)
{
	static const char *const lines[] = { "GET /metrics ", "GET / " };
	char head[HEAD_MAX + 1] = "";
	time_t until = time(NULL) + HEAD_SECS;
	size_t len = 0;

	while (!strstr(head, "\r\n\r\n") && !strstr(head, "\n\n")) {
		ssize_t n = read_soon(in, head + len, HEAD_MAX - len, until);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		len += (size_t)n;
		head[len] = 0;
	}
	for (u32 i = 0; i < ARRAY_SIZE(lines); i++)
		if (!strncmp(head, lines[i], strlen(lines[i])))
			return true;
	return false;
}

static void answer(const char *status, const char *text)
{
	printf("HTTP/1.0 %s\r\n"
	       "Content-Type: text/plain; version=0.0.4\r\n"
	       "Content-Length: %zu\r\n\r\n%s",
	       status, strlen(text), text);
}

static int get(const struct args *a, struct json_object **reply,
	       struct failure *f)
{
	struct link l;
	int err;

	if (link_open(&l, a->socket, f))
		return -1;
	err = link_ask(&l, link_request("metrics"), reply, f);
	link_close(&l);
	return err;
}

int http_metrics(const struct args *a, struct failure *f)
{
	struct json_object *reply;
	const char *text;

	if (a->http && !http_request(STDIN_FILENO)) {
		answer("404 Not Found", "GET /metrics\n");
		return 0;
	}
	if (get(a, &reply, f)) {
		if (a->http)
			answer("503 Service Unavailable", f->text);
		return -1;
	}
	text = wire_string(reply, "text");
	if (a->http)
		answer("200 OK", text ? text : "");
	else
		fputs(text ? text : "", stdout);
	json_object_put(reply);
	return 0;
}
