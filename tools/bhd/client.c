/* SPDX-License-Identifier: BSD-2-Clause */
/* See client.h */
#include "tools/bhd/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bhd/bhd.h"
#include "tools/bhd/console.h"
#include "tools/bhd/debug.h"
#include "tools/bhd/request.h"

void client_free(struct client *c)
{
	struct bhd *b = c->bhd;
	struct client **at = &b->clients;

	while (*at && *at != c)
		at = &(*at)->next;
	if (*at)
		*at = c->next;
	if (c->job && c->gone)
		c->gone(c, c->job);
	if (c->session)
		session_end(c->session);
	debug_left(c);
	ev_io_stop(b->loop, &c->readable);
	ev_io_stop(b->loop, &c->writable);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
	bhd_client_left(b);
}

void client_close(struct client *c)
{
	c->closing = true;
	ev_io_start(c->bhd->loop, &c->writable);
}

void client_send(struct client *c, const void *bytes, size_t len)
{
	if (c->closing)
		return;
	if (c->out_len + len > CLIENT_OUT_MAX) {
		client_close(c);
		return;
	}
	if (c->out_len + len > c->out_room) {
		size_t room = 2 * (c->out_len + len);
		char *grown = realloc(c->out, room);

		if (!grown) {
			client_close(c);
			return;
		}
		c->out = grown;
		c->out_room = room;
	}
	memcpy(c->out + c->out_len, bytes, len);
	c->out_len += len;
	ev_io_start(c->bhd->loop, &c->writable);
}

static void send_line(struct client *c, struct json_object *o)
{
	char *line = wire_text(o);

	if (line)
		client_send(c, line, strlen(line));
	else
		client_close(c);
	free(line);
}

/* The next request may be here already */
static void work_done(struct client *c)
{
	c->busy = false;
	c->job = NULL;
	c->gone = NULL;
	ev_io_start(c->bhd->loop, &c->readable);
	ev_feed_event(c->bhd->loop, &c->readable, EV_CUSTOM);
}

void client_reply(struct client *c, struct json_object *reply)
{
	struct json_object *o = json_object_new_object();

	wire_add(o, "reply", reply);
	send_line(c, o);
	work_done(c);
}

void client_fail(struct client *c, const struct failure *f)
{
	send_line(c, wire_error(f));
	work_done(c);
}

void client_progress(struct client *c, const char *what, u64 done, u64 total)
{
	struct json_object *o = json_object_new_object();
	struct json_object *p = json_object_new_object();

	wire_add_string(p, "what", what);
	wire_add_number(p, "done", done);
	wire_add_number(p, "total", total);
	wire_add(o, "progress", p);
	send_line(c, o);
}

void client_wait(struct client *c, void *job,
		 void (*gone)(struct client *c, void *job))
{
	c->job = job;
	c->gone = gone;
}

static void take_line(struct client *c, const char *line, size_t len)
{
	struct json_object *o = wire_parse(line, len);
	struct failure f;

	c->busy = true;
	if (o) {
		request_take(c, o);
		json_object_put(o);
		return;
	}
	failed(&f, FAIL_USAGE, "a request is one JSON object on one line");
	client_fail(c, &f);
	client_close(c);
}

static void type_input(struct client *c)
{
	size_t taken = session_type(c->session, (const u8 *)c->in, c->in_len);

	c->in_len -= taken;
	memmove(c->in, c->in + taken, c->in_len);
}

/* Requests, as long as none is worked on; or what is typed */
static void take_input(struct client *c)
{
	while (!c->busy && !c->closing && !c->session) {
		char *end = c->in_len ? memchr(c->in, '\n', c->in_len) : NULL;
		size_t len;

		if (!end)
			break;
		len = (size_t)(end - c->in);
		take_line(c, c->in, len);
		c->in_len -= len + 1;
		memmove(c->in, c->in + len + 1, c->in_len);
	}
	if (c->session)
		type_input(c);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = w->data;
	ssize_t n = 0;

	if (c->in_len < WIRE_REQUEST_MAX && (events & EV_READ)) {
		n = read(c->fd, c->in + c->in_len,
			 WIRE_REQUEST_MAX - c->in_len);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			client_free(c);
			return;
		}
	}
	c->in_len += n > 0 ? (size_t)n : 0;
	take_input(c);
	if (c->in_len == WIRE_REQUEST_MAX)
		ev_io_stop(loop, w);
	if (c->in_len == WIRE_REQUEST_MAX && !c->busy && !c->session)
		client_close(c);
}

static void on_writable(struct ev_loop *loop, ev_io *w, int events)
{
	struct client *c = w->data;
	ssize_t n =
		c->out_len ? send(c->fd, c->out, c->out_len, MSG_NOSIGNAL) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client_free(c);
		return;
	}
	if (n > 0) {
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
	if (!c->out_len) {
		ev_io_stop(loop, w);
		if (c->closing) {
			client_free(c);
			return;
		}
	}
	if (c->session && c->out_len < CLIENT_STREAM_MAX)
		session_pump(c->session);
}

struct client *client_new(struct bhd *b, int fd, uid_t uid, gid_t gid)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c)
		c->in = malloc(WIRE_REQUEST_MAX);
	if (!c || !c->in) {
		free(c);
		close(fd);
		return NULL;
	}
	c->bhd = b;
	c->fd = fd;
	c->uid = uid;
	c->gid = gid;
	ev_io_init(&c->readable, on_readable, fd, EV_READ);
	ev_io_init(&c->writable, on_writable, fd, EV_WRITE);
	c->readable.data = c->writable.data = c;
	c->next = b->clients;
	b->clients = c;
	ev_io_start(b->loop, &c->readable);
	return c;
}
