/* SPDX-License-Identifier: BSD-2-Clause */
/* Private to devices.c, device_unit.c and device_queues.c: a device, and its
 * queues */
#ifndef TOOLS_BHD_DEVICES_PRIV_H
#define TOOLS_BHD_DEVICES_PRIV_H

#include "tools/bhd/backend.h"
#include "tools/bhd/devices.h"
#include "tools/bhd/life_priv.h"
#include "tools/bhd/vhost_user.h"

enum unit_state {
	UNIT_OFF,      /* nothing runs */
	UNIT_STARTING, /* the back-end is asked what it can do */
	UNIT_SAYS,     /* it has answered */
	UNIT_READY,    /* and the hypervisor knows */
	UNIT_LEAVING,  /* the back-end is to leave the guest's memory */
	UNIT_KILLED,   /* and its process to end */
	UNIT_LEFT,     /* both have happened */
};

struct unit_queue {
	u32 vector, doorbell; /* 0: none */
	int kick, call;       /* valid while served */
	bool served;
	bool stopping;
	/* Its back-end has gone, or one of a bhd before: the next one goes on
	 * where that one ended */
	bool taken_up;
};

struct unit {
	struct guest *guest;
	u32 number;
	struct device_spec spec;
	enum unit_state state;
	struct backend backend;
	struct vhost_user session;
	bool offered; /* the guest has it on its bus */
	bool claims;  /* the image is this guest's */
	bool served;  /* the back-end has the guest's memory */
	bool failed;  /* @failure says why */
	bool held;    /* until @again */
	bool awaits;  /* a launch waits for it */
	dev_t image_device;
	ino_t image_inode;
	struct failure failure;
	u32 tries;
	u32 quick_ends; /* by its driver, without a good run between them */
	u32 polls;      /* how often a back-end of before was still there */
	ev_tstamp ready_since;
	ev_timer again;
	struct unit_queue queues[MANIFEST_MAX_QUEUES];
};

/* device_unit.c: device @i of @g, whose @u->spec is read */
void unit_init(struct unit *u, struct guest *g, u32 i);
/* devices_work() is to look at it */
void unit_note(struct unit *u);
/* It is UNIT_OFF: starts its back-end, which is then asked what it can do */
void unit_start(struct unit *u);
/* What it can do goes to the hypervisor */
int unit_offer(struct unit *u, struct failure *f) __must_check;
/* Its back-end leaves the guest's memory, then ends */
void unit_leave(struct unit *u);
/* The same at once, as something is wrong */
void unit_fail(struct unit *u, const struct failure *f);

/* device_queues.c: brings what is served to what the hypervisor says */
int queues_follow(struct unit *u, const struct bh_ctl_device *d,
		  const struct bh_ctl_queue *q, u32 count, struct failure *f);
/* @i has no vector and no doorbell in the hypervisor any more, which would keep
 * their numbers from other queues as long as it is live. Before
 * queue_release(), and from devices_work() alone, as it gives a command. */
void queue_unbind(struct unit *u, u32 i);
/* The back-end has left @i, or is no more */
void queue_release(struct unit *u, u32 i);

#endif
