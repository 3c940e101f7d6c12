/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's MSRs, by the policy of msr_table.c; what it does not name is #GP.
 * The MSR bitmaps of both back-ends are generated from it. */
#ifndef HV_POLICY_MSR_H
#define HV_POLICY_MSR_H

#include "hv/core/exit.h"

/* Open vm->intercepts for what the guest may reach itself; all bits are set
 * before. While the VM is built, after cpuid_build(). */
void msr_build_bitmap(struct vm *vm);
/* What the policy lets the guest reach of @msr itself: ACCESS_R, ACCESS_W. Any
 * core. */
u32 msr_policy_passes(const struct vm *vm, u32 msr);
/* EXIT_RDMSR and EXIT_WRMSR. Home core, attached. Hot. */
enum verdict msr_exit_read(struct vcpu *v, const struct vcpu_exit *e);
enum verdict msr_exit_write(struct vcpu *v, const struct vcpu_exit *e);
/* What they do: RDMSR and WRMSR of @msr.
 * Home core, attached, no lock. -EINVAL: the guest gets #GP(0), nothing has
 * changed. */
int __must_check msr_read(struct vcpu *v, u32 msr, u64 *value);
int __must_check msr_write(struct vcpu *v, u32 msr, u64 value);
/* The MTRRs as at power-on (SDM 3A 12.11.5). Home core, or never run. */
void mtrr_reset(struct vcpu *v);

#endif
