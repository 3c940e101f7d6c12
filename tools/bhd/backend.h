/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that serves one disk: qemu-storage-daemon, a process of its own
 * with the rights of whoever made the guest. One each: an image that it cannot
 * open, and a crash over one, are that disk's alone. It listens at a socket in
 * a folder that only root enters. It ends with bhd; the next bhd waits until it
 * has: which process it is, is kept in a file there, which the process itself
 * cannot reach.
 */
#ifndef TOOLS_BHD_BACKEND_H
#define TOOLS_BHD_BACKEND_H

#include <ev.h>
#include <sys/types.h>

#include "tools/control/device_spec.h"

#define BACKEND_LABEL_BYTES 64
#define BACKEND_LINE_BYTES  400

struct backend {
	/* From the caller; they stay as long as it runs */
	struct ev_loop *loop;
	const struct device_spec *spec;
	uid_t uid;
	gid_t gid;
	int (*rights)(uid_t uid, gid_t gid, struct failure *f); /* rights.h */
	const char *folder;              /* of sockets and processes; made */
	char label[BACKEND_LABEL_BYTES]; /* what it is of, for the log */
	char name[BACKEND_LABEL_BYTES];  /* of its files there */
	/* Once, when the process is no more; @f has no kind, or says why it
	 * ended by itself */
	void (*ended)(struct backend *b, const struct failure *f);
	void *context;
	/* The back-end's */
	pid_t pid; /* 0: there is none */
	int pidfd, status, errors;
	bool stopping;
	ev_io exit, output;
	ev_timer patience;
	u32 line_bytes;
	char line[BACKEND_LINE_BYTES]; /* of what it says, the last one */
	char said[BACKEND_LINE_BYTES];
};

/* 0, or -1: nothing runs. FAIL_STATE: one of before has not ended yet, try
 * again later. */
int backend_start(struct backend *b, struct failure *f) __must_check;
/* A new connection to it, which does not block; -1: @f says why not */
int backend_connect(const struct backend *b, struct failure *f) __must_check;
/* Process @pid is kept as the back-end, until backend_forget() */
int backend_keep(const struct backend *b, pid_t pid,
		 struct failure *f) __must_check;
void backend_forget(const struct backend *b);
/* Does the one that is kept still run? */
bool backend_remains(const struct backend *b);
/* Ends that one by force */
void backend_kill_remains(const struct backend *b);
/* It begins to end; backend_leave() follows */
void backend_hurry(const struct backend *b);
/* Ends it, by force if it takes longer than 30 s; then @ended is called */
void backend_stop(struct backend *b);
/* Ends it, by force after 5 s, for which this waits; nothing is called any
 * more. For what is freed. Also for one that does not run. */
void backend_leave(struct backend *b);

#endif
