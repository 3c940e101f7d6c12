/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's making, and its turns on a core */
#ifndef HV_VM_VCPU_H
#define HV_VM_VCPU_H

#include "hv/core/vcpu.h"

/* vCPU number @id of @vm, whose home is @home for good; in power-on state, not
 * runnable. Any core. -ENOMEM, and nothing is left behind. */
int __must_check vcpu_create(struct vm *vm, u32 id, struct pcpu *home);
/* Its home core has nothing of it any more: registers, VMCS or VMCB, run queue.
 * It is parked, or has never run, and nobody posts to it. Home core. */
void vcpu_remove(struct vcpu *v);
/* Undo vcpu_create(). Any core; after vcpu_remove(), or it was never told to
 * start. */
void vcpu_destroy(struct vcpu *v);
/* Power-on state (SDM 3A table 10-1). Home core, or never run. */
void vcpu_reset(struct vcpu *v);

/* @v becomes current on this core, its home; whoever was gives it up */
void vcpu_take_core(struct pcpu *cpu, struct vcpu *v);
/* Home core: it gives up the core, in power-on state, and waits for VE_START */
void vcpu_park(struct vcpu *v);
/* This core, for good: no vCPU is current, VMX or SVM is off */
void vcpu_leave_core(struct pcpu *cpu);
/* Registers, back-end state and last exits, by log_error. @rest is called each
 * ten lines or so. Home core. */
void vcpu_dump(struct vcpu *v, void (*rest)(void));

#endif
