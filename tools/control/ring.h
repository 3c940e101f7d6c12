/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The client's half of the control device's rings (include/bulkhead/control.h).
 * The device is behind struct device: vfio.h has the real one, a unit test one
 * of its own. One thread. What comes from the device is checked: counts, tags
 * and lengths that make no sense break the ring, and each later call fails.
 */
#ifndef TOOLS_CONTROL_RING_H
#define TOOLS_CONTROL_RING_H

#include "include/bulkhead/control.h"
#include "lib/types.h"
#include "tools/control/fail.h"

/* A command's two buffers, one page each, by slot */
#define RING_SLOTS      BH_CTL_COMMANDS
#define RING_SLOT_BYTES (BH_CTL_IN_MAX + BH_CTL_OUT_MAX)
#define RING_MEMORY_BYTES                                                      \
	(sizeof(struct bh_ctl_area) + RING_SLOTS * RING_SLOT_BYTES)

struct device;

struct device_ops {
	u32 (*read)(struct device *d, enum bh_ctl_reg reg);
	void (*write)(struct device *d, enum bh_ctl_reg reg, u32 value);
	/* Until the event vector came, or @ms are over; takes it */
	void (*wait)(struct device *d, int ms);
	/* Vector @vector, from 1 on, signals @fd from now on; -1: nothing */
	int (*vector_set)(struct device *d, u32 vector, int fd);
	/* A signal of the eventfd @fd writes @number to BH_CTL_DOORBELL from
	 * now on; -1: none does. Both: 0, or -1 with errno. */
	int (*doorbell_set)(struct device *d, u32 number, int fd);
	void (*close)(struct device *d);
};

struct device {
	const struct device_ops *ops;
	void *memory; /* RING_MEMORY_BYTES, whole pages: the area, then slots */
	u64 iova;     /* where the device sees them */
	int event_fd; /* readable: the event vector came; -1: none */
	u32 vectors;  /* how many there are, with that one */
};

struct ring_call {
	enum bh_ctl_op op;
	u64 arg[4];
	const void *in;
	u32 in_bytes, out_bytes;
};

/* The status of a command whose answer never comes */
#define RING_LOST (-10000)

struct ring_answer {
	s32 status; /* 0, a negative enum bh_ctl_error, or RING_LOST */
	u32 bytes;
	u64 arg[2];
	const u8 *out; /* valid until the callback returns */
};

typedef void (*ring_done)(void *context, const struct ring_answer *answer);

struct ring_slot {
	bool busy;
	u32 tag, out_bytes;
	ring_done done; /* NULL: nobody waits any more */
	void *context;
};

struct ring {
	struct device *device;
	struct bh_ctl_area *area;
	bool broken;
	u32 features;
	u32 command_tail, event_head, turn;
	struct ring_slot slots[RING_SLOTS];
	/* Events that are no answers. It is called from within ring_send(),
	 * ring_call() and ring_poll(), and calls none of them. */
	void (*event)(void *context, const struct bh_ctl_event *e);
	void *context;
};

/* Opens @d, maybe anew; @r was all zero before the first time. @r->event and
 * @r->context are set by the caller before. 0, or -1:
 * @f says why. */
int ring_open(struct ring *r, struct device *d, struct failure *f) __must_check;
/* Commands that wait get RING_LOST; later ones fail */
void ring_close(struct ring *r);
/* Gives a command; @done is called once, maybe before this returns, and never
 * after -1. @call and what it points to are copied. */
int ring_send(struct ring *r, const struct ring_call *call, ring_done done,
	      void *context, struct failure *f) __must_check;
/* Gives a command and waits for its answer, a second at most: after that the
 * ring is broken, until it is opened anew. @out has room for @call->out_bytes.
 * An error of the device's is a failure, with its sentence. */
int ring_call(struct ring *r, const struct ring_call *call, void *out,
	      struct ring_answer *answer, struct failure *f) __must_check;
/* Takes the events that are there */
void ring_poll(struct ring *r);
/* Nobody wants the answers of @context any more */
void ring_forget(struct ring *r, const void *context);
/* Is it still open? Reads a register: one exit. */
int ring_check(struct ring *r, struct failure *f);
/* The device's error and its sentence as a failure; returns -1 */
int ring_failure(const struct ring_answer *answer, struct failure *f);

#endif
