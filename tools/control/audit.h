/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests can reach, as the hypervisor lists it (BH_CTL_OP_AUDIT): all its
 * lists, of one moment. Guests run while they are read; so once all are read
 * each is asked whether it has changed since, and if one has, all are read
 * anew. One thread.
 */
#ifndef TOOLS_CONTROL_AUDIT_H
#define TOOLS_CONTROL_AUDIT_H

#include "tools/control/guests.h"

#define AUDIT_TRIES 8u

struct audit_list {
	u64 changes;   /* as it was read */
	struct list l; /* of struct bh_ctl_reach */
};

struct audit_guest {
	struct bh_ctl_guest about;
	struct audit_list memory, ports, msrs;
};

struct audit {
	struct audit_guest *guests;
	u32 guest_count;
	struct audit_list owners, pool, interrupts, functions, sums;
	u32 tries;  /* how often all was read */
	bool whole; /* nothing changed between the first list and the last */
};

/* 0, or -1: @f says why. After 0 the caller calls audit_free(). */
int audit_read(struct ring *r, struct audit *a, struct failure *f) __must_check;
void audit_free(struct audit *a);

#endif
