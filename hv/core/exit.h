/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a handler of an exit says is to become of the guest. The table of
 * handlers is hv/run/exit.c's; those that have a room of their own lie there.
 */
#ifndef HV_CORE_EXIT_H
#define HV_CORE_EXIT_H

#include "hv/core/vcpu.h"

enum verdict {
	VERDICT_RESUME,  /* enter again at the same RIP */
	VERDICT_ADVANCE, /* the instruction is done: step over it */
	VERDICT_INJECT,  /* a fault was queued by the handler; RIP stays */
	VERDICT_BLOCK,   /* done, step over it, then wait for an event */
	VERDICT_YIELD,   /* done, step over it, let another run */
	VERDICT_KILL,    /* the guest cannot go on: see exit_kill() */
};

/* What logs call an exit of @kind, below EXIT_KINDS */
const char *exit_name(enum exit_kind kind);

/* Queue a fault, #GP(0) or #UD, and say so. Home core, attached. */
enum verdict exit_gp(struct vcpu *v);
enum verdict exit_ud(struct vcpu *v);
/* The guest cannot go on; @reason completes "guest NAME crashed: ". The run
 * loop logs it with the registers and ends the guest. Home core, attached. */
enum verdict exit_kill(struct vcpu *v, const char *reason);
/* The hypervisor cannot do what the guest's instruction asks for. At CPL 0
 * exit_kill(@reason). At any other it is exception @vector, error code 0 if it
 * has one: a process must not end its guest. Home core, attached. */
enum verdict exit_cannot(struct vcpu *v, u8 vector, const char *reason);

#endif
