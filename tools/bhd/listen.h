/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bhd's Unix socket. Who may open it is its file's permissions: root and the
 * group "bulkhead". Who that is, SO_PEERCRED tells.
 */
#ifndef TOOLS_BHD_LISTEN_H
#define TOOLS_BHD_LISTEN_H

#include "tools/bhd/bhd.h"

#define LISTEN_GROUP "bulkhead"

struct listen {
	struct bhd *bhd;
	int fd;
	ev_io io;
	const char *path;
};

/* Makes the socket at @path and takes clients. A socket that nobody answers at
 * is replaced; one that somebody does is a failure. */
int listen_start(struct listen *l, struct bhd *b, const char *path,
		 struct failure *f) __must_check;
void listen_stop(struct listen *l);

#endif
