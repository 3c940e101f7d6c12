/* SPDX-License-Identifier: BSD-2-Clause */
/* The exit table: { name, handler } by exit kind; the dispatcher alone moves
 * RIP. An empty slot or an unknown kind kills the guest, never the machine. */
#ifndef HV_EXIT_H
#define HV_EXIT_H

#include "hv/vcpu.h"

enum verdict {
	VERDICT_RESUME, /* enter again at the same RIP */
	VERDICT_ADVANCE, /* the instruction is done: step over it */
	VERDICT_INJECT, /* a fault was queued by the handler; RIP stays */
	VERDICT_BLOCK, /* done, step over it, then wait for an event */
	VERDICT_YIELD, /* done, step over it, let another run */
	VERDICT_KILL, /* the guest cannot go on; reason logged */
};

struct exit_row {
	const char *name;
	enum verdict (*handler)(struct vcpu *v, const struct vcpu_exit *e);
};
extern const struct exit_row exit_table[EXIT_KINDS];

/* Handle v->exit; called by vcpu_loop() */
void exit_dispatch(struct vcpu *v);

#endif
