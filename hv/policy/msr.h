/* SPDX-License-Identifier: BSD-2-Clause */
/* MSR policy: a sorted table {range, gating feature, action, writable mask};
 * default #GP. The VMX bitmap and the SVM MSRPM are generated from it. */
#ifndef HV_POLICY_MSR_H
#define HV_POLICY_MSR_H

#include "hv/core/vcpu.h"

void msr_build_bitmap(struct vm *vm);
/* 0, or -EINVAL: the guest gets #GP(0) */
int __must_check msr_read(struct vcpu *v, u32 msr, u64 *value);
int __must_check msr_write(struct vcpu *v, u32 msr, u64 value);
/* The MTRRs of a vCPU that resets */
void mtrr_reset(struct vcpu *v);

#endif
