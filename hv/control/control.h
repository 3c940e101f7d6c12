/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control device of the privileged guest (include/bulkhead/control.h), by
 * which its programs list, watch and end guests.
 */
#ifndef HV_CONTROL_CONTROL_H
#define HV_CONTROL_CONTROL_H

#include "hv/core/vcpu.h"

/* Gives the device to @vm, the privileged guest, with its IOMMU. Where it
 * cannot be, the log says why, and the guest runs without. @build is what INFO
 * says of the hypervisor. Boot CPU, once, when the VM is built and does not run
 * yet. */
void control_create(struct vm *vm, const char *build);
/* VE_CONTROL: a piece of what waits: commands, events, messages. Posts
 * VE_CONTROL to @v if there is more. Home core of @v, a vCPU of the privileged
 * guest; no lock held. */
void control_go_on(struct vcpu *v);

#endif
