/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls: VMCALL or VMMCALL, number in RAX, arguments in RBX, RCX, RDX, RSI
 * (KVM's convention); the numbers are in include/bulkhead/hypercall.h */
#ifndef HV_RUN_HYPERCALL_H
#define HV_RUN_HYPERCALL_H

#include "hv/core/exit.h"

#define HYPERCALL_BYTES 3
/* #UD: is it at a VMCALL or VMMCALL that this processor does not have? */
bool hypercall_is_foreign(struct vcpu *v);
enum verdict hypercall_exit(struct vcpu *v, const struct vcpu_exit *e);

#endif
