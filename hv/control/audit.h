/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between audit.c, which has the command BH_CTL_OP_AUDIT and a guest's lists,
 * and audit_machine.c, which has the machine's. Called under control.lock.
 */
#ifndef HV_CONTROL_AUDIT_H
#define HV_CONTROL_AUDIT_H

#include "hv/control/priv.h"

/* What a step of a list came to: there is more; the output is full; the list's
 * end */
enum audit_step { AUDIT_MORE, AUDIT_FULL, AUDIT_END };

struct audit {
	struct control *c;
	struct control_call *call;
	struct vm *vm; /* whose list it is; NULL: the machine's */
	u64 at;        /* where the list goes on */
	u64 changes;   /* of what is listed, as the step found it */
};

/* Adds @r; false: it is full. The second lets the last one go on with it, if it
 * is what comes behind that. */
bool audit_add(const struct audit *a, const struct bh_ctl_reach *r);
bool audit_extend(const struct audit *a, const struct bh_ctl_reach *r);
/* A guest's id, by its index; 0: none has it, or none that is whole */
u64 audit_owner(u16 index);

enum audit_step audit_owners(struct audit *a);
enum audit_step audit_pool(struct audit *a);
enum audit_step audit_interrupts(struct audit *a);
enum audit_step audit_functions(struct audit *a);
enum audit_step audit_sums(struct audit *a);

#endif
