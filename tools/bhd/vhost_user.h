/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The front end's side of the vhost-user protocol ("Vhost-user Protocol" of
 * QEMU's manual, *Message types*): a session on a connected socket. Messages
 * wait in a queue, and the next one goes out when the last one is answered, so
 * that nothing here blocks. A back-end is a program of somebody's: whatever it
 * answers is checked, and one that answers wrongly, not at all for 5 s, or
 * hangs up, is lost. bhd is not on the data path.
 */
#ifndef TOOLS_BHD_VHOST_USER_H
#define TOOLS_BHD_VHOST_USER_H

#include <ev.h>

#include "tools/control/fail.h"

#define VHOST_USER_REGIONS    8 /* as many as one message takes */
#define VHOST_USER_CONFIG_MAX 256

/* *Feature bits*, and the ring's of virtio 1.2 6 */
#define VHOST_USER_F_PROTOCOL BIT(30)

struct vhost_user_message;

struct vhost_user {
	/* From the caller. @lost is called once, from the loop; the session is
	 * closed then. */
	struct ev_loop *loop;
	u32 config_bytes; /* how much configuration is asked for; 0: none */
	void (*ready)(struct vhost_user *v);
	void (*stopped)(struct vhost_user *v, u32 queue);
	void (*ended)(struct vhost_user *v);
	void (*lost)(struct vhost_user *v, const struct failure *f);
	void *context;
	/* What the back-end has said, once it is ready */
	u64 features;
	u32 queues; /* at most; 0: it does not say */
	u8 config[VHOST_USER_CONFIG_MAX];
	/* The session's */
	int fd; /* -1: closed */
	bool acknowledges, ending;
	const char *fault; /* found, and to be told by the loop */
	u64 protocol;
	ev_io readable;
	ev_timer patience;
	struct vhost_user_message *first, *last;
	u32 in_bytes;
	u8 in[512];
};

/* A piece of the guest's memory, a file from its byte 0 on */
struct vhost_user_memory {
	u64 guest, bytes, offset;
	int fd;
};

/* Addresses are the guest's. @base: the next available entry. */
struct vhost_user_queue {
	u32 index, size, base;
	u64 desc, driver, device;
	int kick, call;
};

/* Begins on @fd, which it owns: asks for features and configuration, then calls
 * @ready */
void vhost_user_open(struct vhost_user *v, int fd);
/* What the guest's driver has accepted, and its memory: before the first queue.
 * Files may be closed behind it. */
void vhost_user_serve(struct vhost_user *v, u64 features,
		      const struct vhost_user_memory *memory, u32 count);
/* The back-end works on it from now on; its eventfds may be closed behind it */
void vhost_user_start(struct vhost_user *v, const struct vhost_user_queue *q);
/* It is to leave a queue: @stopped is called */
void vhost_user_stop(struct vhost_user *v, u32 queue);
/* It is to leave all queues and the memory: it hangs up when it has, and @ended
 * is called */
void vhost_user_end(struct vhost_user *v);
/* At once; nothing is called any more. Also for one that is closed. */
void vhost_user_close(struct vhost_user *v);

#endif
