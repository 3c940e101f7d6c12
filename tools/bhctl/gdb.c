/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See gdb.h. gdb's packets are gdb_protocol.c's; the guest is asked of bhd,
 * over one connection, whose end detaches. So whatever becomes of gdb or of
 * bhctl, the guest goes on as it was. Over 400 lines: a session from its socket
 * to its end.
 */
#include "tools/bhctl/gdb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/bhctl/gdb_protocol.h"
#include "tools/bhctl/link.h"
#include "tools/bhctl/show.h"

#define GUEST_PAGE 4096u
#define VCPUS_MAX  1024u

struct session {
	struct gdb gdb;
	struct link link;
	const char *name;
	u64 id;
	int in, out;
	struct failure failure;
};

/* --- the guest, over bhd --- */

static int ask(struct session *s, struct json_object *request,
	       struct json_object **reply)
{
	return link_ask(&s->link, request, reply, &s->failure);
}

static int tell(struct session *s, struct json_object *request)
{
	struct json_object *reply;

	if (ask(s, request, &reply))
		return -1;
	json_object_put(reply);
	return 0;
}

static struct json_object *debug(const struct session *s, const char *what)
{
	struct json_object *o = link_request("debug");

	wire_add_string(o, "what", what);
	wire_add_string(o, "name", s->name);
	return o;
}

static int target_registers(struct gdb *g)
{
	struct session *s = g->context;
	struct json_object *o = link_request("inspect"), *reply;
	u64 vcpus, bytes;

	wire_add_string(o, "name", s->name);
	if (ask(s, o, &reply))
		return -1;
	s->id = wire_number(reply, "id", 0);
	vcpus = wire_number(reply, "vcpus", 0);
	bytes = wire_number(reply, "bytes", 0);
	json_object_put(reply);
	if (!vcpus || vcpus > VCPUS_MAX ||
	    bytes != vcpus * sizeof(*g->registers))
		return failed(&s->failure, FAIL_NO_BULKHEAD,
			      "bhd's answer makes no sense; install the tools "
			      "of one release");
	if (!g->registers)
		g->registers = calloc(vcpus, sizeof(*g->registers));
	if (!g->registers || (g->vcpus && g->vcpus != vcpus))
		return -1;
	g->vcpus = (u32)vcpus;
	return link_bytes(&s->link, g->registers, bytes, &s->failure);
}

static void add_hex(struct json_object *o, const void *bytes, u32 count)
{
	char *hex = malloc(2 * (size_t)count + 1);

	for (u32 i = 0; hex && i < count; i++)
		sprintf(hex + 2 * i, "%02x", ((const u8 *)bytes)[i]);
	wire_add_string(o, "hex", hex ? hex : "");
	free(hex);
}

static int target_set_registers(struct gdb *g, u32 vcpu)
{
	struct session *s = g->context;
	struct json_object *o = link_request("registers");

	wire_add_number(o, "vcpu", vcpu);
	add_hex(o, &g->registers[vcpu], sizeof(g->registers[vcpu]));
	return tell(s, o);
}

static int translate(struct session *s, u32 vcpu, u64 address, u64 *gpa)
{
	struct json_object *o = link_request("translate"), *reply;

	wire_add_number(o, "id", s->id);
	wire_add_number(o, "vcpu", vcpu);
	wire_add_number(o, "address", address);
	if (ask(s, o, &reply))
		return -1;
	*gpa = wire_number(reply, "address", 0);
	json_object_put(reply);
	return 0;
}

/* Bytes from @address to the end of its page, at most @max */
static u32 in_page(u64 address, u32 max)
{
	return MIN(max, GUEST_PAGE - (u32)(address % GUEST_PAGE));
}

static int target_read(struct gdb *g, u32 vcpu, u64 address, u8 *to, u32 bytes)
{
	struct session *s = g->context;
	u32 n;

	for (; bytes; bytes -= n, address += n, to += n) {
		struct json_object *o = link_request("memory"), *reply;
		u64 gpa = 0, got;

		n = in_page(address, bytes);
		if (translate(s, vcpu, address, &gpa)) {
			json_object_put(o);
			return -1;
		}
		wire_add_number(o, "id", s->id);
		wire_add_number(o, "address", gpa);
		wire_add_number(o, "bytes", n);
		if (ask(s, o, &reply))
			return -1;
		got = wire_number(reply, "bytes", 0);
		json_object_put(reply);
		if (got != n || link_bytes(&s->link, to, n, &s->failure))
			return -1;
	}
	return 0;
}

static int target_write(struct gdb *g, u32 vcpu, u64 address, const u8 *from,
			u32 bytes)
{
	struct session *s = g->context;
	u32 n;

	for (; bytes; bytes -= n, address += n, from += n) {
		struct json_object *o;
		u64 gpa;

		n = in_page(address, bytes);
		if (translate(s, vcpu, address, &gpa))
			return -1;
		o = link_request("poke");
		wire_add_number(o, "address", gpa);
		add_hex(o, from, n);
		if (tell(s, o))
			return -1;
	}
	return 0;
}

/* A software breakpoint is where its page is now; where there is none, it is
 * left out */
static struct json_object *breakpoint(struct session *s,
				      const struct bh_ctl_breakpoint *b)
{
	struct json_object *row;
	u64 address = b->address;

	if (b->kind == BH_CTL_BREAK_SOFTWARE &&
	    translate(s, s->gdb.current, b->address, &address))
		return NULL;
	row = json_object_new_array();
	json_object_array_add(row, json_object_new_uint64(address));
	json_object_array_add(row, json_object_new_uint64(b->kind));
	json_object_array_add(row, json_object_new_uint64(b->length));
	return row;
}

static int target_go(struct gdb *g, u32 stepper, bool others)
{
	struct session *s = g->context;
	struct json_object *o = debug(s, "go");
	struct json_object *list = json_object_new_array();

	for (u32 i = 0; i < g->breakpoint_count; i++) {
		struct json_object *row = breakpoint(s, &g->breakpoints[i]);

		if (row)
			json_object_array_add(list, row);
	}
	wire_add(o, "breakpoints", list);
	wire_add_number(o, "stepper", stepper);
	wire_add(o, "others", json_object_new_boolean(others));
	return tell(s, o);
}

static int target_stop(struct gdb *g)
{
	struct session *s = g->context;

	return tell(s, debug(s, "stop"));
}

static int target_detach(struct gdb *g)
{
	struct session *s = g->context;

	return tell(s, debug(s, "detach"));
}

static const struct gdb_target target = {
	.registers = target_registers,
	.set_registers = target_set_registers,
	.read = target_read,
	.write = target_write,
	.go = target_go,
	.stop = target_stop,
	.detach = target_detach,
};

/* --- a session --- */

static void send_to_gdb(struct gdb *g, const char *bytes, u32 count)
{
	struct session *s = g->context;

	while (count) {
		ssize_t n = write(s->out, bytes, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			g->over = true;
			return;
		}
		bytes += n;
		count -= (u32)n;
	}
}

/* The next event of bhd. -1: bhd has ended. */
static int take_event(struct session *s)
{
	struct json_object *event;
	const char *what;

	if (link_event(&s->link, &event, &s->failure))
		return -1;
	what = wire_string(event, "debug");
	gdb_stands(&s->gdb, !what || strcmp(what, "stands"));
	json_object_put(event);
	return 0;
}

static void take_gdb(struct session *s)
{
	char bytes[4096];
	ssize_t n = read(s->in, bytes, sizeof(bytes));

	if (n > 0)
		gdb_take(&s->gdb, bytes, (u32)n);
	else if (!n || errno != EINTR)
		s->gdb.over = true;
}

/* Until gdb leaves, or the guest ends. An event may have come behind an answer
 * and be in the link's buffer. */
static int serve(struct session *s)
{
	while (!s->gdb.over) {
		struct pollfd fds[] = {
			{ .fd = s->in, .events = POLLIN },
			{ .fd = s->link.fd, .events = POLLIN },
		};

		bool has = s->link.event || s->link.in_len;

		if (!has && poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (has || fds[1].revents) {
			if (take_event(s))
				return -1;
		} else if (fds[0].revents) {
			take_gdb(s);
		}
	}
	return 0;
}

/* The guest stands, for us; one that crashed stands already */
static int begin(struct session *s)
{
	struct gdb *g = &s->gdb;
	struct failure why;

	if (!tell(s, debug(s, "attach"))) {
		g->goes = false;
		if (take_event(s) || target_registers(g))
			return -1;
		return 0;
	}
	why = s->failure;
	if (why.kind != FAIL_STATE || target_registers(g)) {
		s->failure = why;
		return -1;
	}
	g->dead = true;
	return 0;
}

static int session(const struct args *a, int in, int out, struct failure *f)
{
	static struct session s;
	int err;

	s = (struct session){ .name = a->operand, .in = in, .out = out };
	s.gdb.target = &target;
	s.gdb.context = &s;
	s.gdb.send = send_to_gdb;
	s.gdb.lossy = isatty(in); /* it may be a serial line's end */
	if (link_open(&s.link, a->socket, f))
		return -1;
	err = begin(&s);
	if (!err)
		err = serve(&s);
	if (err)
		*f = s.failure;
	link_close(&s.link);
	free(s.gdb.registers);
	return err;
}

/* --- where gdb comes in --- */

static int listen_unix(const char *path, struct failure *f)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;
	mode_t mask;
	int err;

	if (strlen(path) >= sizeof(at.sun_path) || fd < 0)
		return failed(f, FAIL_USAGE, "%.200s: no such socket", path);
	strcpy(at.sun_path, path);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode))
		unlink(path);
	mask = umask(0077); /* who may debug a guest may do all to it */
	err = bind(fd, (void *)&at, sizeof(at)) || listen(fd, 1);
	umask(mask);
	if (!err)
		return fd;
	failed(f, FAIL_OTHER, "%.200s: %s", path, strerror(errno));
	close(fd);
	return -1;
}

static int listen_port(u16 port, struct failure *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (!bind(fd, (void *)&at, sizeof(at)) && !listen(fd, 1))
			return fd;
	}
	failed(f, FAIL_OTHER, "port %u: %s", port, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The guest is there, of a bhd that answers: gdb is not waited for in vain */
static int guest_check(const struct args *a, struct failure *f)
{
	struct json_object *reply;
	struct link l;
	int err;

	if (link_open(&l, a->socket, f))
		return -1;
	err = link_ask(&l, link_request("list"), &reply, f);
	link_close(&l);
	if (err)
		return -1;
	if (!show_guest_of(reply, a->operand))
		err = show_no_guest(a->operand, f);
	json_object_put(reply);
	return err;
}

static int accept_one(const struct args *a, const char *where,
		      struct failure *f)
{
	bool tcp = a->port;
	int fd, one, err;

	if (guest_check(a, f))
		return -1;
	fd = tcp ? listen_port(a->port, f) : listen_unix(where, f);
	if (fd < 0)
		return -1;
	printf("target remote %s%s\n", tcp ? ":" : "", where);
	fflush(stdout);
	one = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	if (!tcp)
		unlink(where);
	if (one < 0)
		return failed(f, FAIL_OTHER, "%.200s: %s", where,
			      strerror(errno));
	err = session(a, one, one, f);
	close(one);
	return err;
}

int gdb_run(const struct args *a, struct failure *f)
{
	char path[128];

	if (a->listen && !strcmp(a->listen, "-"))
		return session(a, STDIN_FILENO, STDOUT_FILENO, f);
	snprintf(path, sizeof(path), "/run/bulkhead/gdb-%.80s.sock",
		 a->operand);
	return accept_one(a, a->listen ? a->listen : path, f);
}
