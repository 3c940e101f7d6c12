/* SPDX-License-Identifier: BSD-2-Clause */
/* KVM's paravirtual clock (Documentation/virt/kvm/x86/msr.rst): system time and
 * wall clock pages, stable, at the guest's TSC rate. Home core, no locks. */
#ifndef HV_PV_PVCLOCK_H
#define HV_PV_PVCLOCK_H

#include "hv/core/vcpu.h"

/* While the VM is built. -ENOMEM */
int __must_check pvclock_create(struct vcpu *v);
void pvclock_destroy(struct vcpu *v);
/* Reset or INIT: it is off until the guest asks again */
void pvclock_reset(struct vcpu *v);
/* The guest's TSC was moved, or the TSC's rate is another (VE_CLOCK): write the
 * page anew, if there is one */
void pvclock_update(struct vcpu *v);
/* The rate has changed (tsc_refine_later()): every vCPU that has a page writes
 * it anew. Boot core, interrupts off; in pieces, by a timer. */
void pvclock_rate_changed(void);
/* Either pair of BH_KVM_MSR_WALL_CLOCK and _SYSTEM_TIME. -EINVAL (#GP): not
 * aligned, or not RAM of the guest; nothing has changed. */
int __must_check pvclock_write(struct vcpu *v, u32 msr, u64 value);
int __must_check pvclock_read(struct vcpu *v, u32 msr, u64 *value);

#endif
