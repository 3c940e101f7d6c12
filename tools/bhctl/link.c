/* SPDX-License-Identifier: BSD-2-Clause */
/* See link.h */
#include "tools/bhctl/link.h"

#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/bhctl/progress.h"
#include "tools/bhd/bhd.h"
#include "tools/bhd/client.h"
#include "tools/control/vfio.h"

#define READ_BYTES      (64u << 10)
#define CONNECT_TRIES   30
#define CONNECT_WAIT_US 100000

static int send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The child: a bhd for one client that only looks. Never returns. */
static __noreturn void serve(int fd)
{
	static struct bhd b = { .look_only = true, .one_client = true };
	struct device *d;
	struct failure f;
	char *line;

	if (vfio_open(&d, false, &f) || bhd_start(&b, ev_loop_new(0), d, &f)) {
		line = wire_text(wire_error(&f));
		if (line && send_all(fd, line, strlen(line)))
			_exit(1);
		_exit(0);
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (client_new(&b, fd, getuid(), getgid()))
		ev_run(b.loop, 0);
	bhd_stop(&b);
	_exit(0);
}

static int open_alone(struct link *l, struct failure *f)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return failed(f, FAIL_OTHER, "no socket: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(pair[0]);
		serve(pair[1]);
	}
	close(pair[1]);
	l->fd = pair[0];
	if (pid > 0)
		return 0;
	close(pair[0]);
	return failed(f, FAIL_OTHER, "no process: %s", strerror(errno));
}

/* A socket where nobody answers is one of a bhd that was killed: the next one
 * is on its way, mostly. The socket, or -1: errno. */
static int connect_soon(const struct sockaddr_un *to)
{
	int err = 0;

	for (u32 i = 0; i < CONNECT_TRIES; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd >= 0 && !connect(fd, (const void *)to, sizeof(*to)))
			return fd;
		err = errno;
		if (fd >= 0)
			close(fd);
		if (err != ECONNREFUSED)
			break;
		usleep(CONNECT_WAIT_US);
	}
	errno = err;
	return -1;
}

int link_open(struct link *l, const char *path, struct failure *f)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int err;

	*l = (struct link){ .fd = -1 };
	if (strlen(path) >= sizeof(to.sun_path))
		return failed(f, FAIL_USAGE, "the socket's path is too long");
	strcpy(to.sun_path, path);
	l->fd = connect_soon(&to);
	if (l->fd >= 0)
		return 0;
	err = errno;
	if (err == EACCES || err == EPERM)
		return failed(f, FAIL_DENIED,
			      "you may not use bhd's socket %s; use sudo, or "
			      "join the group bulkhead",
			      path);
	if (bulkhead_check(f))
		return -1;
	if (!geteuid())
		return open_alone(l, f);
	return failed(f, FAIL_NO_BULKHEAD,
		      "bhd does not run at %s; start it (systemctl start bhd), "
		      "or look as root",
		      path);
}

void link_close(struct link *l)
{
	close(l->fd);
	json_object_put(l->event);
	free(l->in);
}

struct json_object *link_request(const char *what)
{
	struct json_object *o = json_object_new_object();

	wire_add_number(o, "protocol", WIRE_PROTOCOL);
	wire_add_string(o, "do", what);
	return o;
}

/* More bytes behind those that are there */
static int read_more(struct link *l, struct failure *f)
{
	ssize_t n;

	if (l->in_room - l->in_len < READ_BYTES) {
		char *grown =
			l->in_len < WIRE_LINE_MAX
				? realloc(l->in, l->in_room + READ_BYTES * 2)
				: NULL;

		if (!grown)
			return failed(f, FAIL_OTHER,
				      "bhd's answer is too long");
		l->in = grown;
		l->in_room += READ_BYTES * 2;
	}
	do {
		n = read(l->fd, l->in + l->in_len, READ_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return failed(f, FAIL_OTHER,
			      "bhd ended before it answered; its log says why "
			      "(journalctl -u bhd)");
	l->in_len += (size_t)n;
	return 0;
}

static int read_line(struct link *l, struct json_object **o, struct failure *f)
{
	char *end;
	size_t len;

	while (!l->in_len || !(end = memchr(l->in, '\n', l->in_len)))
		if (read_more(l, f))
			return -1;
	len = (size_t)(end - l->in);
	*o = wire_parse(l->in, len);
	l->in_len -= len + 1;
	memmove(l->in, end + 1, l->in_len);
	return *o ? 0
		  : failed(f, FAIL_OTHER,
			   "bhd's answer makes no sense; install the tools of "
			   "one release");
}

/* Of devices without which the guest runs */
static void warnings_print(struct json_object *reply)
{
	struct json_object *all = NULL;
	size_t n = 0;

	if (json_object_object_get_ex(reply, "warnings", &all) &&
	    json_object_is_type(all, json_type_array))
		n = json_object_array_length(all);
	for (size_t i = 0; i < n; i++) {
		const char *text = json_object_get_string(
			json_object_array_get_idx(all, i));
		char line[FAIL_TEXT_BYTES];

		snprintf(line, sizeof(line), "%s", text ? text : "");
		text_clean(line);
		fprintf(stderr, "bhctl: %s\n", line);
	}
}

/* True: @o was the last, and *@reply or @f is set */
static bool take_answer(struct json_object *o, struct json_object **reply,
			struct failure *f)
{
	struct json_object *part;

	if (json_object_object_get_ex(o, "progress", &part)) {
		progress_show(wire_string(part, "what"),
			      wire_number(part, "done", 0),
			      wire_number(part, "total", 0));
		return false;
	}
	if (json_object_object_get_ex(o, "reply", &part)) {
		warnings_print(part);
		*reply = json_object_get(part);
		return true;
	}
	if (!wire_is_error(o, f))
		failed(f, FAIL_OTHER, "bhd's answer makes no sense");
	return true;
}

int link_ask(struct link *l, struct json_object *request,
	     struct json_object **reply, struct failure *f)
{
	char *line = wire_text(request);
	bool last = false;

	*reply = NULL;
	/* Where it fails, the answer that may be there already says why */
	if (line && send_all(l->fd, line, strlen(line)) && errno != EPIPE)
		failed(f, FAIL_OTHER, "bhd cannot be asked: %s",
		       strerror(errno));
	free(line);
	while (!last) {
		struct json_object *o;

		if (read_line(l, &o, f))
			break;
		if (json_object_object_get_ex(o, "event", NULL)) {
			json_object_put(l->event);
			l->event = o; /* the answer is behind it */
			continue;
		}
		last = take_answer(o, reply, f);
		json_object_put(o);
	}
	progress_end();
	return *reply ? 0 : -1;
}

int link_bytes(struct link *l, void *to, size_t bytes, struct failure *f)
{
	size_t done = 0;

	while (done < bytes) {
		size_t n = MIN(l->in_len, bytes - done);

		if (!n && read_more(l, f))
			return -1;
		memcpy((char *)to + done, l->in, n);
		l->in_len -= n;
		memmove(l->in, l->in + n, l->in_len);
		done += n;
	}
	return 0;
}

int link_event(struct link *l, struct json_object **event, struct failure *f)
{
	struct json_object *o = l->event, *part;

	l->event = NULL;
	if (!o && read_line(l, &o, f))
		return -1;
	*event = json_object_object_get_ex(o, "event", &part)
			 ? json_object_get(part)
			 : NULL;
	json_object_put(o);
	return *event ? 0
		      : failed(f, FAIL_OTHER, "bhd's answer makes no sense");
}
