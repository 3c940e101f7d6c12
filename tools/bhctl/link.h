/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bhctl's line to bhd. Where no bhd runs and the caller is root, a child of
 * bhctl's opens the device and answers what only looks.
 */
#ifndef TOOLS_BHCTL_LINK_H
#define TOOLS_BHCTL_LINK_H

#include "tools/control/wire.h"

struct link {
	int fd;
	char *in; /* what came behind the last line */
	size_t in_len, in_room;
	struct json_object *event; /* came before an answer; for link_event() */
};

int link_open(struct link *l, const char *socket,
	      struct failure *f) __must_check;
void link_close(struct link *l);
/* {"protocol", "do": @what}, to be filled */
struct json_object *link_request(const char *what);
/* Sends @request, which is taken, and waits for the answer; *@reply is the
 * caller's. Progress is shown on a terminal, and warnings are. */
int link_ask(struct link *l, struct json_object *request,
	     struct json_object **reply, struct failure *f) __must_check;

/* The next @bytes of bhd, behind a reply that has "bytes" */
int link_bytes(struct link *l, void *to, size_t bytes,
	       struct failure *f) __must_check;

/* The next {"event": ...} of bhd, as it comes; *@event is the caller's */
int link_event(struct link *l, struct json_object **event,
	       struct failure *f) __must_check;

#endif
