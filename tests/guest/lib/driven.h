/* SPDX-License-Identifier: BSD-2-Clause */
/* Between served.c, which serves a virtio block device, and driven.c, the guest
 * that drives it: what the latter has found, in its own memory, and how far it
 * is */
#ifndef TESTS_GUEST_LIB_DRIVEN_H
#define TESTS_GUEST_LIB_DRIVEN_H

#include "lib/types.h"

#define DRIVEN_AT       0x280000u /* in its memory, behind the program */
#define DRIVEN_REQUESTS 20u
#define DRIVEN_SECTOR   7u /* of the first request; each reads the next one */
#define DRIVEN_CAPACITY 0x123456789aull

enum driven_step {
	DRIVEN_NOT_YET,
	DRIVEN_READY,   /* its queue is live */
	DRIVEN_RESETS,  /* all requests are done; it has written 0 */
	DRIVEN_REQUEST, /* it is ready once more, and has notified already */
	DRIVEN_DONE,    /* that request, too. Its queue is live. */
};

struct driven {
	u32 step;
	u32 id, class; /* of the function at 02.0 */
	u32 absent;    /* the id at 03.0, which has not been offered */
	u64 capacity;
	u64 features;
	u32 good; /* requests whose data are the back-end's */
	u32 interrupts;
	u32 status;            /* while the reset is under way, */
	u32 size_before, size; /* and the queue's, which it tries to change */
	u32 polls;             /* of the status, until it read 0 */
	u32 over;              /* it did */
};

/* What sector @n is full of */
static inline u8 driven_byte(u64 n)
{
	return (u8)(0x40 + n);
}

#endif
