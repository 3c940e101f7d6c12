/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to bhd: requests come in by lines, one at a time, and answers
 * go out as fast as the other side reads. A request that takes longer keeps the
 * client busy; whoever works for it is told by @gone when it hangs up. All in
 * the event loop.
 */
#ifndef TOOLS_BHD_CLIENT_H
#define TOOLS_BHD_CLIENT_H

#include <ev.h>
#include <sys/types.h>

#include "tools/control/wire.h"

/* What waits to go out to one that does not read; a stream stops before */
#define CLIENT_OUT_MAX    (16u << 20)
#define CLIENT_STREAM_MAX (64u << 10)

struct bhd;
struct session;

struct client {
	struct client *next;
	struct bhd *bhd;
	int fd;
	uid_t uid;
	gid_t gid;
	ev_io readable, writable;
	char *in, *out;
	size_t in_len, out_len, out_room;
	bool busy, closing;
	bool follows;            /* events.h */
	u64 debugs;              /* debug.h: the guest, or 0, */
	bool debug_goes;         /* which is to be told of when it stands */
	struct session *session; /* not NULL: the line is a console's */
	/* Called once when it hangs up while a request of it is worked on */
	void (*gone)(struct client *c, void *job);
	void *job;
};

/* Takes @fd over, of @uid and @gid. NULL: no memory, @fd is closed. */
struct client *client_new(struct bhd *b, int fd, uid_t uid, gid_t gid);
/* Ends it at once */
void client_free(struct client *c);
/* Ends it when all has gone out */
void client_close(struct client *c);
/* {"reply": @reply}, which is taken; the next request may come */
void client_reply(struct client *c, struct json_object *reply);
void client_fail(struct client *c, const struct failure *f);
void client_progress(struct client *c, const char *what, u64 done, u64 total);
/* Bytes as they are */
void client_send(struct client *c, const void *bytes, size_t len);
/* From now on @job works for it */
void client_wait(struct client *c, void *job,
		 void (*gone)(struct client *c, void *job));

#endif
