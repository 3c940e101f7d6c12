/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vCPU's registers, kept in memory while it stands (pause.h) and once its
 * guest has crashed, so that any core may look at them. Changes are the vCPU's
 * when it goes on.
 */
#ifndef HV_VM_KEPT_H
#define HV_VM_KEPT_H

#include "hv/core/vcpu.h"

/* @v stands, or its guest has crashed and it is about to park. Home core,
 * attached. What was kept before and has changed is lost. */
void kept_take(struct vcpu *v);
/* @v goes on, with what has changed. Home core, attached. */
void kept_give_back(struct vcpu *v);
/* Its guest has ended in another way, or starts again: nothing is kept. Home
 * core, or any while @v is parked. */
void kept_forget(struct vcpu *v);

/* The registers of @v, or NULL: it runs. Any core. They may change when the
 * guest ends meanwhile. */
const struct vcpu_regs *kept_of(const struct vcpu *v);
/* Makes GPRs, RIP, RFLAGS and the bases of FS and GS those of @r: whatever they
 * are, the guest alone may suffer. Flags that are not a program's to change
 * stay, and so does IF while an event is being delivered. -EBUSY: it is in the
 * middle of an instruction, whose RIP cannot change; -EINVAL: an address is not
 * canonical; -ENOENT: it runs. Any core; one caller at a time, who is the one
 * that lets the guest go on. */
int __must_check kept_change(struct vcpu *v, const struct vcpu_regs *r);

#endif
