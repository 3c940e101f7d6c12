/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The privileged guest's PCI (passthrough.c), as the run loop knows it: a table
 * may have 2,048 messages, and a bridge hundreds of functions behind it, more
 * than a core does in one go.
 */
#ifndef HV_ASSIGN_PASSTHROUGH_H
#define HV_ASSIGN_PASSTHROUGH_H

#include "hv/core/vcpu.h"

/* A piece of what @v's accesses have begun; posts VE_ASSIGN to @v if there is
 * more. Its home core, when it takes VE_ASSIGN; takes passthrough.lock. */
void passthrough_go_on(struct vcpu *v);
/* VE_INSN: a piece of what a write of @v's to a bridge has begun. True: there
 * is nothing more. Home core; takes passthrough.lock. */
bool passthrough_insn_go_on(struct vcpu *v);

#endif
