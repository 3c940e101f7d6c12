/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * KVM's paravirtual interface but for its clock (hv/pv/pvclock.h): steal time
 * with the preempted flag and TLB flushes asked for by it, PV EOI, hypercalls.
 * What is offered, and its numbers: include/bulkhead/kvm.h. Home core, no
 * locks.
 */
#ifndef HV_PV_KVM_PV_H
#define HV_PV_KVM_PV_H

#include "hv/core/exit.h"

/* While the VM is built. -ENOMEM */
int __must_check kvm_pv_create(struct vcpu *v);
void kvm_pv_destroy(struct vcpu *v);
/* Reset or INIT: all of it is off until the guest asks again */
void kvm_pv_reset(struct vcpu *v);
/* BH_KVM_MSR_STEAL_TIME, _PV_EOI. 0 or -EINVAL (#GP): reserved bits, or the
 * address is not RAM of the guest. */
int __must_check kvm_pv_read(struct vcpu *v, u32 msr, u64 *value);
int __must_check kvm_pv_write(struct vcpu *v, u32 msr, u64 value);

/* For the switch of a core from one vCPU to another (hv/vm/vcpu.c): @v has lost
 * it, the windows of its VM are still open */
void kvm_pv_left(struct vcpu *v);
/* @v has got it and is attached: tells it the time it waited, and does the TLB
 * flush that others asked for meanwhile */
void kvm_pv_taken(struct vcpu *v);

/* A hypercall of KVM's, numbers as in include/bulkhead/kvm.h: sets RAX,
 * negative for an error. ADVANCE or YIELD. */
enum verdict kvm_hypercall(struct vcpu *v);

#endif
