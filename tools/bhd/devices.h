/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtio devices of guests that back-ends of this system serve: who starts
 * the back-ends, tells the hypervisor what they can do, and brings them
 * together with the queues that a driver has made (docs/virtio.md). Once it
 * has, notifications go between the guest and the back-end past bhd.
 *
 * Each device is a small machine of states, which what happens to its back-end
 * only marks; devices_work() does what is to be done, and it alone gives
 * commands. A device that fails is that device's loss: its guest goes on.
 */
#ifndef TOOLS_BHD_DEVICES_H
#define TOOLS_BHD_DEVICES_H

#include "tools/bhd/bhd.h"

struct guest;
struct unit;

/* A guest's, which its struct guest has */
struct devices {
	u32 count;
	struct unit *units;
	bool news;    /* devices_work() is to look at them */
	u64 turn;     /* of which the last look was */
	bool working; /* it does: the guest is not to be freed */
	bool found;   /* of a guest that a bhd before started: not looked yet */
	void (*begun)(struct guest *g); /* a launch waits for them */
};

/* The devices of @g's definition, of which @file and @folder are as in
 * definition_read() */
int devices_read(struct guest *g, const char *file, const char *folder,
		 struct failure *f) __must_check;
/* bhd ends: back-ends begin to, all at the same time */
void devices_hurry(struct guest *g);
/* Ends what runs, and waits for it */
void devices_free(struct guest *g);
/* The guest is DEFINED: starts its back-ends and offers what they can do. Calls
 * @begun when each has, or has failed: devices_warnings() has the sentences. */
void devices_begin(struct guest *g, void (*begun)(struct guest *g));
/* @g was found by this bhd: queues that it has are taken up again */
void devices_take_up(struct guest *g);
/* @g has ended, or was never started: its back-ends do, too, but for queues
 * that the hypervisor still waits for */
void devices_end(struct guest *g);
/* Guest @id has other queues; 0: maybe each guest. Calls no command. */
void devices_note(struct bhd *b, u64 id);
/* The control device has been opened anew, and has forgotten what is bound */
void devices_again(struct bhd *b);
/* Before the loop sleeps. True: there is more. */
bool devices_work(struct bhd *b);
/* Sentences about the devices that failed in the last launch, added to
 * @array */
void devices_warnings(const struct guest *g, struct json_object *array);

#endif
