/* SPDX-License-Identifier: BSD-2-Clause */
/* See vhost_user.h. Over 400 lines: one protocol, both ways. */
#include "tools/bhd/vhost_user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_S 5.

/* *Header* */
#define FLAG_VERSION 1u
#define FLAG_REPLY   (1u << 2)
#define FLAG_ASK     (1u << 3)

/* *Protocol features* */
#define PROTOCOL_MQ     BIT(0)
#define PROTOCOL_ACK    BIT(3)
#define PROTOCOL_CONFIG BIT(9)

/* *Front-end message types* */
enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	GET_QUEUE_NUM = 17,
	SET_VRING_ENABLE = 18,
	GET_CONFIG = 24,
};

/* Where the guest's address 0 is in bhd's, for the back-end, which finds the
 * guest's memory by such addresses. bhd has nothing there. */
#define USER_BASE BIT(44)

struct header {
	u32 request, flags, bytes;
};

struct region {
	u64 guest, bytes, user, offset;
};

union body {
	u64 number;
	struct {
		u32 index, number;
	} state;
	struct {
		u32 index, flags;
		u64 desc, used, available, log;
	} addresses;
	struct {
		u32 count, padding;
		struct region regions[VHOST_USER_REGIONS];
	} memory;
	struct {
		u32 offset, bytes, flags;
		u8 bytes_of[VHOST_USER_CONFIG_MAX];
	} config;
};
static_assert(sizeof(struct header) == 12, "*Header*");
static_assert(offsetof(union body, addresses.log) == 32, "*A vring address "
							 "description*");
static_assert(offsetof(union body, memory.regions) == 8, "*Memory regions "
							 "description*");
static_assert(offsetof(union body, config.bytes_of) == 12, "*Virtio device "
							   "config space*");
static_assert(sizeof(struct header) + sizeof(union body) <=
		      sizeof(((struct vhost_user *)0)->in),
	      "the longest answer has room");

struct vhost_user_message {
	struct vhost_user_message *next;
	enum request request;
	u32 bytes;
	union body body;
	u32 fd_count;
	int fds[VHOST_USER_REGIONS];
	bool sent;
	/* NULL: all that is to be known of the answer is that it is there */
	void (*done)(struct vhost_user *v, const union body *answer, u32 bytes);
};

static void message_free(struct vhost_user_message *m)
{
	for (u32 i = 0; i < m->fd_count; i++)
		close(m->fds[i]);
	free(m);
}

void vhost_user_close(struct vhost_user *v)
{
	struct vhost_user_message *m;

	if (v->fd < 0)
		return;
	ev_io_stop(v->loop, &v->readable);
	ev_timer_stop(v->loop, &v->patience);
	close(v->fd);
	v->fd = -1;
	while ((m = v->first)) {
		v->first = m->next;
		message_free(m);
	}
	v->last = NULL;
}

/* The caller returns at once: @lost may have freed @v */
static void lose(struct vhost_user *v, const char *what)
{
	struct failure f;

	failed(&f, FAIL_OTHER, "%s", what);
	vhost_user_close(v);
	v->lost(v, &f);
}

static void lose_late(struct vhost_user *v, const char *what);

/* --- out --- */

static ssize_t message_send(struct vhost_user *v,
			    const struct vhost_user_message *m, bool wants)
{
	char control[CMSG_SPACE(sizeof(m->fds))] = { 0 };
	struct header h = { m->request, FLAG_VERSION | (wants ? FLAG_ASK : 0),
			    m->bytes };
	union body body = m->body;
	struct iovec parts[] = { { &h, sizeof(h) }, { &body, m->bytes } };
	struct msghdr out = { .msg_iov = parts,
			      .msg_iovlen = ARRAY_SIZE(parts) };
	struct cmsghdr *c;

	if (m->fd_count) {
		size_t bytes = m->fd_count * sizeof(m->fds[0]);

		out.msg_control = control;
		out.msg_controllen = CMSG_SPACE(bytes);
		c = CMSG_FIRSTHDR(&out);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(bytes);
		memcpy(CMSG_DATA(c), m->fds, bytes);
	}
	return sendmsg(v->fd, &out, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool has_answer(enum request request)
{
	return request == GET_FEATURES || request == GET_PROTOCOL_FEATURES ||
	       request == GET_QUEUE_NUM || request == GET_VRING_BASE ||
	       request == GET_CONFIG;
}

static void message_drop(struct vhost_user *v)
{
	struct vhost_user_message *m = v->first;

	v->first = m->next;
	if (!v->first)
		v->last = NULL;
	message_free(m);
}

/* As many as go out without an answer in between. A back-end whose socket is
 * full reads nothing: these are some hundred bytes. */
static void messages_go(struct vhost_user *v)
{
	while (v->first && !v->first->sent && !v->fault) {
		struct vhost_user_message *m = v->first;
		bool wants = v->acknowledges && !has_answer(m->request) &&
			     m->request != SET_PROTOCOL_FEATURES;

		if (message_send(v, m, wants) !=
		    (ssize_t)(sizeof(struct header) + m->bytes)) {
			lose_late(v, "it does not take what it is sent");
			return;
		}
		m->sent = true;
		if (wants || has_answer(m->request))
			ev_timer_again(v->loop, &v->patience);
		else
			message_drop(v);
	}
	if (v->ending && !v->first) {
		shutdown(v->fd, SHUT_WR);
		ev_timer_again(v->loop, &v->patience);
	}
}

/* One more; NULL: there is no memory, and the session is lost */
static struct vhost_user_message *message_new(struct vhost_user *v,
					      enum request request, u32 bytes)
{
	struct vhost_user_message *m = calloc(1, sizeof(*m));

	if (!m) {
		lose_late(v, "there is no memory for a message to it");
		return NULL;
	}
	m->request = request;
	m->bytes = bytes;
	if (v->last)
		v->last->next = m;
	else
		v->first = m;
	v->last = m;
	return m;
}

static void send_number(struct vhost_user *v, enum request request, u64 number)
{
	struct vhost_user_message *m = message_new(v, request, sizeof(number));

	if (m)
		m->body.number = number;
}

static void send_state(struct vhost_user *v, enum request request, u32 index,
		       u32 number)
{
	struct vhost_user_message *m =
		message_new(v, request, sizeof(m->body.state));

	if (m) {
		m->body.state.index = index;
		m->body.state.number = number;
	}
}

/* The message has a copy of @fd; one that cannot be had is found when the
 * message goes out */
static void message_file(struct vhost_user_message *m, int fd)
{
	m->fds[m->fd_count++] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static void send_file(struct vhost_user *v, enum request request, u32 index,
		      int fd)
{
	struct vhost_user_message *m = message_new(v, request, sizeof(u64));

	if (!m)
		return;
	m->body.number = index;
	message_file(m, fd);
}

static void ask(struct vhost_user *v, enum request request,
		void (*done)(struct vhost_user *v, const union body *answer,
			     u32 bytes))
{
	struct vhost_user_message *m = message_new(v, request, 0);

	if (m)
		m->done = done;
}

/* --- in --- */

static void on_config(struct vhost_user *v, const union body *answer, u32 bytes)
{
	u32 head = offsetof(union body, config.bytes_of);

	if (bytes != head + v->config_bytes || answer->config.offset ||
	    answer->config.bytes != v->config_bytes) {
		lose(v, "it does not tell its configuration");
		return;
	}
	memcpy(v->config, answer->config.bytes_of, v->config_bytes);
	v->ready(v);
}

static void ask_config(struct vhost_user *v)
{
	struct vhost_user_message *m = message_new(
		v, GET_CONFIG,
		(u32)offsetof(union body, config.bytes_of) + v->config_bytes);

	if (!m)
		return;
	m->body.config.bytes = v->config_bytes;
	m->done = on_config;
}

/* The last of what is asked */
static void introduce(struct vhost_user *v)
{
	(void)message_new(v, SET_OWNER, 0);
	if (!v->config_bytes)
		v->ready(v);
	else if (v->protocol & PROTOCOL_CONFIG)
		ask_config(v);
	else
		lose_late(v, "it has no configuration to tell; write config=0");
}

static void on_queue_num(struct vhost_user *v, const union body *answer,
			 u32 bytes)
{
	if (bytes != sizeof(u64) || !answer->number ||
	    answer->number > 0xffff) {
		lose(v, "it has a number of queues that makes no sense");
		return;
	}
	v->queues = (u32)answer->number;
	introduce(v);
}

static void on_protocol(struct vhost_user *v, const union body *answer,
			u32 bytes)
{
	if (bytes != sizeof(u64)) {
		lose(v, "its protocol features make no sense");
		return;
	}
	v->protocol =
		answer->number & (PROTOCOL_MQ | PROTOCOL_ACK | PROTOCOL_CONFIG);
	send_number(v, SET_PROTOCOL_FEATURES, v->protocol);
	v->acknowledges = v->protocol & PROTOCOL_ACK;
	if (v->protocol & PROTOCOL_MQ)
		ask(v, GET_QUEUE_NUM, on_queue_num);
	else
		introduce(v);
}

static void on_features(struct vhost_user *v, const union body *answer,
			u32 bytes)
{
	if (bytes != sizeof(u64)) {
		lose(v, "its features make no sense");
		return;
	}
	v->features = answer->number;
	if (v->features & VHOST_USER_F_PROTOCOL)
		ask(v, GET_PROTOCOL_FEATURES, on_protocol);
	else
		introduce(v);
}

static void on_base(struct vhost_user *v, const union body *answer, u32 bytes)
{
	u32 index = v->first->body.state.index;

	if (bytes != sizeof(answer->state) || answer->state.index != index)
		lose(v, "it left another queue than it was told to");
	else
		v->stopped(v, index);
}

/* An answer to the first message that waits, whole */
static void take_answer(struct vhost_user *v, const struct header *h,
			const union body *body)
{
	struct vhost_user_message *m = v->first;

	if (!m || !m->sent || h->request != (u32)m->request ||
	    (h->flags & ~FLAG_ASK) != (FLAG_VERSION | FLAG_REPLY)) {
		lose(v, "it answered what it was not asked");
		return;
	}
	ev_timer_stop(v->loop, &v->patience);
	if (!has_answer(m->request)) {
		if (h->bytes != sizeof(u64) || body->number) {
			lose(v, "it refuses a request of the protocol");
			return;
		}
	} else if (m->done) {
		m->done(v, body, h->bytes);
	}
	if (v->fd < 0)
		return;
	message_drop(v);
	messages_go(v);
}

/* False: there is no whole message yet, or no session any more */
static bool take_next(struct vhost_user *v)
{
	struct header h;
	union body body = { 0 };
	u32 bytes;

	if (v->fd < 0 || v->in_bytes < sizeof(h))
		return false;
	memcpy(&h, v->in, sizeof(h));
	if (h.bytes > sizeof(body)) {
		lose(v, "it answered more than there is to say");
		return false;
	}
	bytes = (u32)sizeof(h) + h.bytes;
	if (v->in_bytes < bytes)
		return false;
	memcpy(&body, v->in + sizeof(h), h.bytes);
	v->in_bytes -= bytes;
	memmove(v->in, v->in + bytes, v->in_bytes);
	take_answer(v, &h, &body);
	return true;
}

static void hung_up(struct vhost_user *v)
{
	if (!v->ending) {
		lose(v, "it has hung up");
		return;
	}
	vhost_user_close(v);
	v->ended(v);
}

static void on_readable(struct ev_loop *loop, ev_io *w, int events)
{
	struct vhost_user *v = w->data;
	ssize_t n = recv(v->fd, v->in + v->in_bytes,
			 sizeof(v->in) - v->in_bytes, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		hung_up(v);
		return;
	}
	v->in_bytes += (u32)n;
	if (take_next(v) && v->fd >= 0 && v->in_bytes)
		lose(v, "it answered what it was not asked");
}

/* Also for what lose_late() has found */
static void on_patience(struct ev_loop *loop, ev_timer *w, int events)
{
	struct vhost_user *v = w->data;

	lose(v, v->fault ? v->fault : "it does not answer");
}

/* Within a call of the owner's, who hears of it from the loop */
static void lose_late(struct vhost_user *v, const char *what)
{
	v->fault = what;
	ev_timer_stop(v->loop, &v->patience);
	ev_timer_set(&v->patience, 0., PATIENCE_S);
	ev_timer_start(v->loop, &v->patience);
}

/* --- the owner's --- */

void vhost_user_open(struct vhost_user *v, int fd)
{
	v->fd = fd;
	v->acknowledges = v->ending = false;
	v->fault = NULL;
	v->protocol = v->features = 0;
	v->queues = v->in_bytes = 0;
	v->first = v->last = NULL;
	ev_io_init(&v->readable, on_readable, fd, EV_READ);
	ev_timer_init(&v->patience, on_patience, 0., PATIENCE_S);
	v->readable.data = v->patience.data = v;
	ev_io_start(v->loop, &v->readable);
	ask(v, GET_FEATURES, on_features);
	messages_go(v);
}

void vhost_user_serve(struct vhost_user *v, u64 features,
		      const struct vhost_user_memory *memory, u32 count)
{
	struct vhost_user_message *m;

	send_number(v, SET_FEATURES,
		    features | (v->features & VHOST_USER_F_PROTOCOL));
	m = message_new(v, SET_MEM_TABLE,
			(u32)(offsetof(union body, memory.regions) +
			      count * sizeof(struct region)));
	if (!m)
		return;
	m->body.memory.count = count;
	for (u32 i = 0; i < count; i++) {
		m->body.memory.regions[i] = (struct region){
			.guest = memory[i].guest,
			.bytes = memory[i].bytes,
			.user = USER_BASE + memory[i].guest,
			.offset = memory[i].offset,
		};
		message_file(m, memory[i].fd);
	}
	messages_go(v);
}

void vhost_user_start(struct vhost_user *v, const struct vhost_user_queue *q)
{
	struct vhost_user_message *m;

	send_state(v, SET_VRING_NUM, q->index, q->size);
	send_state(v, SET_VRING_BASE, q->index, q->base);
	m = message_new(v, SET_VRING_ADDR, sizeof(m->body.addresses));
	if (!m)
		return;
	m->body.addresses.index = q->index;
	m->body.addresses.desc = USER_BASE + q->desc;
	m->body.addresses.available = USER_BASE + q->driver;
	m->body.addresses.used = USER_BASE + q->device;
	send_file(v, SET_VRING_CALL, q->index, q->call);
	send_file(v, SET_VRING_KICK, q->index, q->kick);
	if (v->features & VHOST_USER_F_PROTOCOL)
		send_state(v, SET_VRING_ENABLE, q->index, 1);
	messages_go(v);
}

void vhost_user_stop(struct vhost_user *v, u32 queue)
{
	struct vhost_user_message *m =
		message_new(v, GET_VRING_BASE, sizeof(m->body.state));

	if (!m)
		return;
	m->body.state.index = queue;
	m->done = on_base;
	messages_go(v);
}

void vhost_user_end(struct vhost_user *v)
{
	v->ending = true;
	messages_go(v);
}
