/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h: bhd's stream of records (tools/bhd/trace.h) into the file */
#include "tools/bhctl/trace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tools/bhctl/link.h"
#include "tools/bhd/trace.h"

#define SECONDS 5u /* without --seconds */

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
	told_to_end = 1;
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };

	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
}

/* What has come of the stream and is not worked on */
struct stream {
	int fd;
	u8 bytes[1u << 16];
	size_t have, at;
};

/* @len bytes to @to. 1: there are; 0: the stream has ended; -1: in between. */
static int take(struct stream *s, void *to, size_t len)
{
	size_t got = 0;

	while (got < len) {
		size_t n = MIN(len - got, s->have - s->at);
		ssize_t came;

		memcpy((u8 *)to + got, s->bytes + s->at, n);
		s->at += n;
		got += n;
		if (got == len)
			break;
		came = told_to_end ? 0
				   : read(s->fd, s->bytes, sizeof(s->bytes));
		if (came < 0 && errno == EINTR)
			continue;
		if (came <= 0)
			return got && !told_to_end ? -1 : 0;
		s->at = 0;
		s->have = (size_t)came;
	}
	return 1;
}

static int copy(struct stream *s, struct trace_file *t)
{
	struct trace_chunk chunk;
	int got;

	while ((got = take(s, &chunk, sizeof(chunk))) > 0) {
		trace_file_lost(t, chunk.lost);
		for (u32 i = 0; i < chunk.count; i++) {
			struct bh_ctl_trace r;

			got = take(s, &r, sizeof(r));
			if (got <= 0)
				return got;
			trace_file_record(t, chunk.core, &r);
		}
	}
	return got;
}

static int record(struct link *l, struct json_object *about, FILE *to,
		  struct failure *f)
{
	static struct stream s;
	struct trace_file t;
	int got;

	if (trace_file_begin(&t, to, about, f))
		return -1;
	s.fd = l->fd;
	s.have = MIN(l->in_len, sizeof(s.bytes));
	memcpy(s.bytes, l->in, s.have);
	got = copy(&s, &t);
	trace_file_end(&t);
	if (fflush(to) || ferror(to))
		return failed(f, FAIL_OTHER, "the trace cannot be written: %s",
			      strerror(errno));
	if (t.lost)
		fprintf(stderr,
			"bhctl: %llu events were lost, as they came too fast\n",
			t.lost);
	return got < 0 ? failed(f, FAIL_OTHER, "bhd has ended meanwhile") : 0;
}

static int trace_to(const struct args *a, FILE *to, struct failure *f)
{
	struct json_object *request = link_request("trace"), *about;
	struct link l;
	int err;

	wire_add_number(request, "seconds", a->seconds ? a->seconds : SECONDS);
	if (link_open(&l, a->socket, f)) {
		json_object_put(request);
		return -1;
	}
	err = link_ask(&l, request, &about, f);
	if (!err) {
		catch_signals();
		err = record(&l, about, to, f);
		json_object_put(about);
	}
	link_close(&l);
	return err;
}

int trace_run(const struct args *a, struct failure *f)
{
	FILE *to = a->output ? fopen(a->output, "we") : stdout;
	int err;

	if (!to)
		return failed(f, FAIL_OTHER, "%.200s: %s", a->output,
			      strerror(errno));
	err = trace_to(a, to, f);
	if (a->output && fclose(to) && !err)
		err = failed(f, FAIL_OTHER, "%.200s: %s", a->output,
			     strerror(errno));
	return err;
}
