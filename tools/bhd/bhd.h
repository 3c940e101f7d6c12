/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one bhd is: an event loop, the control device, its clients and consoles.
 * bhctl is a small one for itself, look-only, where no daemon runs. One thread;
 * all of it happens in the loop.
 *
 * What the device tells (BH_CTL_EVENT_...) is noted where it arrives, which may
 * be within any command. It is worked on before the loop sleeps again.
 */
#ifndef TOOLS_BHD_BHD_H
#define TOOLS_BHD_BHD_H

#include <ev.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "tools/bhd/index.h"
#include "tools/control/guests.h"
#include "tools/control/ring.h"

struct client;
struct console;
struct life;

struct json_object;

/* Guests that something became of, between two looks; more, and all are looked
 * at */
#define NOTED_MAX 64u

TAILQ_HEAD(console_queue, console);

/* The newest changes of guests' states (events.h) */
#define EVENTS_KEPT 256

struct events {
	struct json_object *kept[EVENTS_KEPT]; /* event n at n % EVENTS_KEPT */
	u64 count;
};

struct bhd {
	struct ev_loop *loop;
	struct device *device;
	struct ring ring;
	struct bh_ctl_info info; /* of the start; the counts grow old */
	ev_io events;
	ev_prepare work;
	ev_idle more; /* active: the loop does not sleep */
	ev_timer check;
	bool look_only;     /* nothing but looking is done for clients */
	bool one_client;    /* ends with it */
	double rest_s;      /* between two reads of a console to its end */
	const char *folder; /* of what is kept; NULL: nothing is */
	struct client *clients;
	struct console *consoles;
	struct index console_ids, console_names;
	struct console_queue busy; /* there may be something to do for them */
	struct events happened;
	struct life *life; /* NULL: look_only */
	/* rights_drop(); of who makes guests */
	int (*rights)(uid_t uid, gid_t gid, struct failure *f);
	bool lost;            /* look at everything again */
	u64 noted[NOTED_MAX]; /* else at these guests */
	u32 noted_count;
	bool debug_news; /* debug.h: a guest may stand */
	/* Of back-ends, devices.h: their folder, and a bit for each vector and
	 * doorbell of the device that a queue has */
	char *backends;
	u64 device_turns; /* how often devices_work() has looked */
	u64 vectors[BH_CTL_VECTORS / 64];
	u64 doorbells[BH_CTL_DOORBELLS / 64 + 1];
};

/* Opens the ring on @d, which it owns from now on, and finds the guests. 0, or
 * -1 and @d is closed. */
int bhd_start(struct bhd *b, struct ev_loop *loop, struct device *d,
	      struct failure *f) __must_check;
void bhd_stop(struct bhd *b);
/* Something became of guest @id, which is looked at soon; 0: of none. Calls no
 * command. */
void bhd_note(struct bhd *b, u64 id);
/* A client has been freed */
void bhd_client_left(struct bhd *b);

#endif
